"""What deciding costs: the schedulers alone, and a call through the wire beside the gate that had none."""

import io
import json
import os
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

from bench.figures import RESULTS, Figure, at_most, median, missing, spread
from bench.prove.steps import Context, Row, shown
from bench.upstreams import ROOT

_FIRST_OF_TWO = "src/tidegate/policy/schedule/face.py"
_FIGURE = "governed unary, worker ÷ nginx"
_MORE = 1.10
_TURNS = 3


def schedulers(_context: Context, row: Row) -> None:
    """Every figure of `./dev bench schedule`."""
    done = run_bench(row, [sys.executable, "-m", "bench", "schedule"], os.environ)
    figures = written("schedule")
    if done.returncode == 2 or not figures:
        target = "100,000 waiters ≤ 1.5 × 100"
        row.figures.append(missing("scheduling cost", target, (done.stderr or "there is no such bench")[-200:]))
        return
    row.figures += figures


def wire(context: Context, row: Row) -> None:
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
    with tarfile.open(fileobj=io.BytesIO(tree)) as archive:
        archive.extractall(home, filter="data")
    program = work / "tidegate-one"
    program.write_text(f'#!/bin/sh\nPYTHONPATH={home / "src"} exec {sys.executable} -m tidegate "$@"\n')
    program.chmod(0o755)
    return program


def _unary(row: Row, environment: dict[str, str]) -> float | None:
    run_bench(row, [sys.executable, "-m", "bench", "wire", "--only", "unary", "--quick"], environment)
    return next((figure.value for figure in written("wire") if figure.name.startswith(_FIGURE)), None)


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
