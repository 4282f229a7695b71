"""What the benches measure, as steps of proofs: each is run as its user runs it, whole or one section of it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import sdk, wire
from bench.figures import RESULTS, Figure, at_most, exactly, median, missing, spread
from bench.proofs.steps import Context, Row, shown
from bench.upstreams import ROOT

_FIRST_OF_TWO = "src/tidegate/policy/schedule/face.py"
_FIGURE = "governed unary, worker ÷ nginx"
_MORE = 1.10
_TURNS = 3


def sdk_compared(context: Context, row: Row) -> None:
    """The comparison with a bare SDK."""
    words = ["--data", str(context.data), *(["--calls", "900"] if context.quick else [])]
    row.commands.append(" ".join(["./dev bench sdk", *words[2:]]))
    row.figures += sdk.figures_of(sdk.measure(sdk.arguments(words), context.work))


def whole_wire(context: Context, row: Row) -> None:
    """Every figure of the wire bench."""
    words = ["--quick"] if context.quick else ["--million"]
    words += ["--peers"] if context.peers else []
    row.commands.append(" ".join(["./dev bench wire", *words]))
    report = wire.measure(wire.arguments(words))
    row.figures += report.figures
    row.figures += wire.told_systems(report)


def itself(_context: Context, row: Row) -> None:
    """That this table exists is shown by reading it."""
    row.commands.append("./dev prove 1")
    row.figures.append(exactly("this table and its JSON", 1, 1))


def schedulers(_context: Context, row: Row) -> None:
    """Every figure of `./dev bench schedule`."""
    done = run_bench(row, [sys.executable, "-m", "bench", "schedule"], os.environ)
    figures = written("schedule")
    if done.returncode == 2 or not figures:
        target = "100,000 waiters ≤ 1.5 × 100"
        row.figures.append(missing("scheduling cost", target, (done.stderr or "there is no such bench")[-200:]))
        return
    row.figures += figures


def beside_the_first(context: Context, row: Row) -> None:
    """The unary section of `./dev bench wire`, this gate and that of issue 1/9 in turn."""
    before = _gate_of_one(context.work)
    ratios = []
    for _ in range(1 if context.quick else _TURNS):
        then = _unary(row, {**os.environ, "BENCH_GATE": str(before)})
        now = _unary(row, dict(os.environ))
        if then is None or now is None:
            row.figures.append(missing("bench wire over that of 1/9", f"≤ {_MORE:.2f} ×", "the bench gave no figure"))
            return
        ratios.append(now / then)
    what = "governed unary, worker: this gate over that of 1/9"
    row.figures.append(at_most(what, median(ratios), _MORE, "×", spread(ratios)))


def _gate_of_one(work: Path) -> Path:
    """A program that runs the gate as it was before its first scheduler, in a folder of its own."""
    log = ["git", "log", "--diff-filter=A", "--format=%H", "--", _FIRST_OF_TWO]
    first = subprocess.run(log, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()[-1]
    tree = subprocess.run(["git", "archive", f"{first}^", "src"], cwd=ROOT, capture_output=True, check=True).stdout
    home = work / "one"
    home.mkdir(parents=True)
    subprocess.run(["tar", "-xf", "-", "-C", home], input=tree, check=True)
    program = work / "tidegate-one"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={home / "src"} exec {sys.executable} -m tidegate "$@"\n')
    program.chmod(0o755)
    return program


def _unary(row: Row, environment: dict[str, str]) -> float | None:
    run_bench(row, [sys.executable, "-m", "bench", "wire", "--only", "unary", "--quick"], environment)
    return next((figure.value for figure in written("wire") if figure.name.startswith(_FIGURE)), None)


def identity(context: Context, row: Row) -> None:
    """What identity costs, the section `identity`: a bare key, a key with every limit, a signed request, in turn."""
    command = [sys.executable, "-m", "bench", "wire", "--only", "identity", *(["--quick"] if context.quick else [])]
    done = run_bench(row, command, os.environ)
    if done.returncode == 2:
        row.figures.append(missing("a key with every limit ÷ a bare key, worker", "≤ 1.05 ×", done.stderr[-200:]))
    else:
        row.figures += written("wire")


def cached(context: Context, row: Row) -> None:
    """The section `cached`: hits in memory beside nginx that asks its upstream, and at a pace of their own."""
    command = [sys.executable, "-m", "bench", "wire", "--only", "cached", *(["--quick"] if context.quick else [])]
    done = run_bench(row, command, os.environ)
    figures = written("wire") if done.returncode == 0 else []
    row.figures += figures or [missing("a hit in memory ÷ nginx proxy_pass", "≤ 1.20 ×", done.stderr[-200:])]


def run_bench(row: Row, command: list[str], environment: Any) -> subprocess.CompletedProcess[str]:
    """One of `./dev bench`, noted once."""
    line = shown(command)
    if line not in row.commands:
        row.commands.append(line)
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=1_800, check=False, env=environment
    )


def written(name: str) -> list[Figure]:
    """The figures that a bench has just written."""
    path = RESULTS / f"{name}.json"
    return [Figure(**one) for one in json.loads(path.read_text())["figures"]] if path.exists() else []
