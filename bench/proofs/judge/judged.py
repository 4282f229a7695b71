"""The referee at work: our gate in three shapes, a bad gateway, and with `--peers` those of others."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from bench import gate
from bench.figures import Figure, at_least, at_most, keep, missing, told
from bench.install import InstallFailed
from bench.others import litellm_binaries, portkey_folder
from bench.proofs.steps import Context, Row
from bench.upstreams import ROOT
from harness.ports import accepts, free_port
from harness.process import running
from tidegate.judge.report import amount

_SHAPES: Final = {"1 worker": (), "2 workers": ("--workers", "2"), "2 replicas": ("--replicas", "2")}
_LEAST: Final = 95.0
_BAD: Final = {"requests": 50.0, "tokens": 50.0, "storm": 50.0, "failover": 50.0}
_LONGEST_S: Final = 3_600


def ours(context: Context, row: Row) -> None:
    """Every discipline, in every shape."""
    for shape, words in _SHAPES.items():
        report = report_of(context, row, ["--recipe", "tidegate", "--program", gate.program(), *words])
        row.figures += [of_ours(shape, one) for one in report["disciplines"]]


def of_ours(shape: str, one: dict[str, Any]) -> Figure:
    """A discipline of our own gate: what is scored has a bound."""
    name = f"Tidegate, {shape}: {one['name']}"
    if one["score"] is None:
        return told(name, "told" if one["measures"] else "not applicable", one["not_applicable"] or _note(one))
    return at_least(name, one["score"], _LEAST, note=_note(one))


def naive(context: Context, row: Row) -> None:
    """It forwards everything and retries at once: the referee has to find that, and nothing else."""
    port, twin = free_port(), free_port()
    command: list[str | Path] = [sys.executable, ROOT / "tests" / "judge" / "naive.py", str(port), str(twin)]
    with running(command, context.work / "naive.log", lambda: accepts(port)):
        words = ["--gate", f"http://127.0.0.1:{port}/v1", "--twin-port", str(twin), "--key", "any"]
        report = report_of(context, row, [*words, "--name", "a naive gateway"], twin=False)
    for one in report["disciplines"]:
        name = f"a naive gateway: {one['name']}"
        if one["name"] in _BAD and one["score"] is not None:
            row.figures.append(at_most(name, one["score"], _BAD[one["name"]], note=_note(one)))
        elif one["name"] == "ledger" and one["score"] is not None:
            row.figures.append(at_least(name, one["score"], _LEAST, note=_note(one)))


def peers(context: Context, row: Row) -> None:
    """LiteLLM and Portkey by their recipes, told and not judged; nothing without `--peers`."""
    if not context.peers:
        return
    for name in ("litellm", "portkey"):
        try:
            report = report_of(context, row, ["--recipe", name, "--program", str(_installed(name))])
        except (InstallFailed, RuntimeError) as error:
            row.figures.append(missing(name, "judged", str(error)[-200:]))
            continue
        row.figures += [_told(report["gateway"], one) for one in report["disciplines"]]


def _installed(name: str) -> Path:
    return litellm_binaries() / "litellm" if name == "litellm" else portkey_folder()


def _told(gateway: str, one: dict[str, Any]) -> Figure:
    words = "not applicable" if one["not_applicable"] else f"{one['mark']} {amount(one['score'])}"
    return told(f"{gateway}: {one['name']}", words, _note(one))


def _note(one: dict[str, Any]) -> str:
    words = [f"{measure['name']} {amount(measure['value'])} {measure['unit']}".strip() for measure in one["measures"]]
    return one["not_applicable"] or "; ".join(words)


def report_of(context: Context, row: Row, words: Sequence[str], *, twin: bool = True) -> dict[str, Any]:
    """Of one session. Raises `RuntimeError` where it was none."""
    file = context.work / f"judge-{free_port()}.json"
    options = [*words, *(["--quick"] if context.quick else []), *(["--twin-port", "0"] if twin else [])]
    row.commands.append(
        " ".join(["tidegate judge", *(Path(word).name if word[:1] == "/" else word for word in options)])
    )
    command = [sys.executable, "-m", "tidegate", "judge", *options, "--json", str(file)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-300:])
    found: dict[str, Any] = json.loads(file.read_text())
    keep("judge", found)
    return found
