"""A row of a proof: what was promised, the commands that show it, and the figures they gave."""

import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.figures import Figure, exactly, missing, told
from bench.upstreams import ROOT

_COUNTS = re.compile(r"(\d+) (passed|xfailed|failed|errors?|skipped)")


@dataclass(frozen=True, slots=True)
class Context:
    """Where a proof may write, where its data are, and how thorough it is."""

    work: Path
    data: Path
    quick: bool
    peers: bool


@dataclass(slots=True)
class Row:
    """One promise. `commands` can be cited: they run from the repository's root."""

    what: str
    commands: list[str] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def met(self) -> bool | None:
        """False when a figure misses its target, None when one could not be measured, else True."""
        if any(figure.met is False for figure in self.figures):
            return False
        if not self.figures or any(figure.met is None and figure.target for figure in self.figures):
            return None
        return True


Step = Callable[[Context, Row], None]


def carry_out(what: str, steps: Sequence[Step], context: Context) -> Row:
    """One row after all its steps. A step that breaks leaves its reason; the others still run."""
    row = Row(what)
    started = time.monotonic()
    for step in steps:
        try:
            step(context, row)
        except Exception as error:  # noqa: BLE001 - a proof reports whatever went wrong
            reason = " ".join(f"{type(error).__name__}: {error}".split())[-300:]
            row.figures.append(missing(step.__name__.replace("_", " "), "shown", reason))
    row.seconds = time.monotonic() - started
    return row


def run(row: Row, command: Sequence[str], seconds: float = 900) -> subprocess.CompletedProcess[str]:
    """Run a program from the root and note its command line."""
    row.commands.append(shown(command))
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)


def shown(command: Sequence[str]) -> str:
    """A command line to cite: without the paths of this machine's environment."""
    words = [
        "python" if word == sys.executable else Path(word).name if word.startswith("/") else word for word in command
    ]
    return " ".join(words)


def passing(*paths: str, name: str = "") -> Step:
    """A step that runs test files. Met when all exist, none fails, none is skipped and at least one passes."""

    def step(_context: Context, row: Row) -> None:
        label = name or "tests passed"
        absent = [path for path in paths if not (ROOT / path.partition("::")[0]).exists()]
        if absent:
            row.figures.append(missing(label, "all", f"no such file: {', '.join(absent)}"))
            return
        done = run(row, [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *paths])
        counts = outcomes(done.stdout)
        bad = counts.get("failed", 0) + counts.get("error", 0) + counts.get("skipped", 0)
        passed = counts.get("passed", 0)
        row.figures.append(exactly(label, passed, passed + bad or 1, "" if passed else last_line(done.stdout)))

    return step


def outcomes(output: str) -> dict[str, int]:
    """How many tests passed, failed, … by the summary that ends pytest's output."""
    return {word.rstrip("s"): int(number) for number, word in _COUNTS.findall(last_line(output))}


def last_line(text: str) -> str:
    """Where programs sum up."""
    return text.strip().rpartition("\n")[2]


def note(name: str, value: str) -> Step:
    """A step that only says something."""

    def step(_context: Context, row: Row) -> None:
        row.figures.append(told(name, value))

    return step
