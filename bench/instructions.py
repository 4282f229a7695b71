"""`./dev bench instructions`: what the worker executes for a request, counted by Valgrind, function by function.

Microseconds move with the machine; the number of instructions hardly does: two builds can be told apart by half a per
cent while other programs run. It counts no cache miss and nothing in the kernel, so it says where to look, and `bench
wire` says what it was worth.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from rich.table import Table

from bench import gate
from bench.figures import Figure, console, figures_table, told, write
from bench.load import Load, wrk
from bench.throughput import Plan
from bench.upstreams import upstreams
from bench.wire import Run
from harness.node import Node

SHAPES = {
    "unary": gate.Shape(),
    "cached": gate.Shape(cached=True),
    "governed": gate.Shape(governed=True),
    "stream": gate.Shape(),
}
_STREAMED = 2  # streams at a time: of more, Valgrind would be so late that their pieces came in one
_VALGRIND = ("valgrind", "--tool=callgrind", "--trace-children=yes", "--instr-atstart=no", "--quiet")
_LINE = re.compile(r"\s*([\d,]+) \([^)]*\)\s+\S+?:(\S.*?)(?: \[[^\]]*\])?$")
_COMPILED = "CPyDef_"


@dataclass(frozen=True, slots=True)
class Counted:
    """Instructions a request: in all, and by compiled function with what it calls."""

    requests: int
    total: float
    functions: list[tuple[str, float]]


class Callgrind:
    """A worker that Valgrind counts. Its figures lie in files beside `out`."""

    def __init__(self, pid: int, out: Path) -> None:
        self._pid = pid
        self._out = out

    def _control(self, *words: str) -> None:
        subprocess.run(["callgrind_control", *words, str(self._pid)], check=True, capture_output=True)

    def count(self, node: Node, load: Load, seconds: float) -> Counted:
        """Under this load, once it is warm."""
        wrk(node.port, load, 5)
        self._control("-i", "on")
        wrk(node.port, load, 2)
        self._control("-z")
        requests = wrk(node.port, load, seconds).requests
        self._control("-d")
        return _read(Path(f"{self._out}.{self._pid}.1"), requests)


def _read(profile: Path, requests: int) -> Counted:
    command = ["callgrind_annotate", "--inclusive=yes", "--threshold=100", str(profile)]
    lines = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    found = [(match[2], int(match[1].replace(",", "")) / requests) for line in lines if (match := _LINE.match(line))]
    total = re.search(r"^(?:totals|summary): (\d+)", profile.read_text("utf-8", "replace"), re.MULTILINE)
    if total is None:
        raise RuntimeError(f"callgrind wrote no sum into {profile}")
    return Counted(requests, int(total[1]) / requests, [one for one in found if one[0].startswith(_COMPILED)])


@contextmanager
def _counted(home: Path, upstream: int, shape: gate.Shape) -> Iterator[tuple[Node, Callgrind]]:
    home.mkdir()
    out = home / "callgrind"
    program = [*_VALGRIND, f"--callgrind-out-file={out}.%p", gate.program()]
    with Node(home, gate.settings(home, upstream, shape), program=program) as node:
        yield node, Callgrind(gate.worker_of(node.pid), out)


def _table(name: str, counted: Counted, most: int) -> Table:
    table = Table(title=f"{name}: instructions a request, with what is called", title_justify="left")
    table.add_column("function")
    table.add_column("instructions", justify="right")
    table.add_column("%", justify="right")
    for function, count in counted.functions[:most]:
        table.add_row(function.removeprefix(_COMPILED), f"{count:,.0f}", f"{100 * count / counted.total:.1f}")
    return table


def main(words: list[str]) -> int:
    """Counts, prints, writes `results/instructions.json`."""
    parser = argparse.ArgumentParser(prog="./dev bench instructions", description=__doc__)
    parser.add_argument("--only", default=",".join(SHAPES), help="which of " + ", ".join(SHAPES))
    parser.add_argument("--seconds", type=float, default=20, help="of load that is counted")
    parser.add_argument("--top", type=int, default=40, help="functions that are shown")
    options = parser.parse_args(words)
    names = options.only.split(",")
    if strange := [name for name in names if name not in SHAPES]:
        parser.error(f"there is no {', '.join(strange)}; known: {', '.join(SHAPES)}")
    if shutil.which("valgrind") is None:
        print("valgrind is not installed; Debian has it in the package of that name", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder, upstreams(Path(folder)) as ups:
        run = Run(Path(folder), ups, Plan(1, 1.0), False, False)
        for name in names:
            load, upstream = run.load(), ups.static
            if name == "stream":
                load, upstream = replace(run.load(stream=True), connections=_STREAMED), ups.stream
            with _counted(Path(folder) / name, upstream, SHAPES[name]) as (node, callgrind):
                counted = callgrind.count(node, load, options.seconds)
            console().print(_table(name, counted, options.top))
            note = f"{counted.requests:,} requests; periodic work is in it, and the more the slower they come"
            figures.append(told(f"{name}: instructions a request", f"{counted.total:,.0f}", note))
    console().print(figures_table("What a request executes in the worker", figures))
    write("instructions", figures)
    return 0
