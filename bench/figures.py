"""A measured figure, its target, and whether it was met; tables and files of them."""

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.systems import machine

RESULTS = Path(__file__).resolve().parent.parent / "results"
KEPT = "kept"  # below it: every run's result, so that a run of some parts takes nothing from the report


def _load() -> str:
    return " ".join(Path("/proc/loadavg").read_text().split()[:3])


_LOAD_BEFORE = _load()


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a result. `met` is None when nothing could be, or need be, judged."""

    name: str
    shown: str
    target: str = ""
    met: bool | None = None
    value: float | None = None
    note: str = ""


def at_most(name: str, value: float, limit: float, unit: str = "", note: str = "") -> Figure:
    """Met when value ≤ limit."""
    return Figure(name, _with(value, unit), f"≤ {_with(limit, unit)}", value <= limit, value, note)


def below(name: str, value: float, limit: float, unit: str = "", note: str = "") -> Figure:
    """Met when value < limit."""
    return Figure(name, _with(value, unit), f"< {_with(limit, unit)}", value < limit, value, note)


def at_least(name: str, value: float, limit: float, unit: str = "", note: str = "") -> Figure:
    """Met when value ≥ limit."""
    return Figure(name, _with(value, unit), f"≥ {_with(limit, unit)}", value >= limit, value, note)


def exactly(name: str, value: int, wanted: int, note: str = "") -> Figure:
    """Met when they are equal."""
    return Figure(name, f"{value:,}", f"= {wanted:,}", value == wanted, value, note)


def told(name: str, shown: str, note: str = "") -> Figure:
    """A figure without a target."""
    return Figure(name, shown, note=note)


def missing(name: str, target: str, why: str) -> Figure:
    """A figure that could not be measured."""
    return Figure(name, "not measured", target, None, None, why)


def _with(value: float, unit: str) -> str:
    number = f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:.2f}"
    return f"{number} {unit}".strip()


def median(values: Iterable[float]) -> float:
    """The median; 0 of nothing."""
    found = list(values)
    return statistics.median(found) if found else 0.0


def spread(values: Sequence[float]) -> str:
    """Lowest to highest, so that nobody reads more into a median than the rounds bear."""
    return f"{min(values):.2f}–{max(values):.2f} in {len(values)} rounds" if values else ""


_VERDICT = {True: "[green]met[/]", False: "[red]not met[/]", None: ""}


def figures_table(title: str, figures: Iterable[Figure]) -> Table:
    """Name, value, target, verdict, note."""
    table = Table(title=title, title_justify="left")
    for heading in ("figure", "measured", "target", "", "note"):
        table.add_column(heading, overflow="fold")
    for figure in figures:
        table.add_row(figure.name, figure.shown, figure.target, _VERDICT[figure.met], escape(figure.note))
    return table


def console() -> Console:
    """Wide enough for a table also where the output is a file."""
    found = Console()
    return found if found.is_terminal else Console(width=150)


def commit() -> str:
    """The commit that was measured, with a `+` when the tree differs from it; empty without git."""
    root = RESULTS.parent
    head = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=root, check=False
    ).stdout.strip()
    changed = subprocess.run(
        ["git", "status", "--porcelain", "src"], capture_output=True, text=True, cwd=root, check=False
    ).stdout.strip()
    return head + ("+" if changed else "")


def sources() -> str:
    """Which sources were measured, whatever else was committed; empty when they differ from what is committed."""
    if commit().endswith("+"):
        return ""
    command = ["git", "rev-parse", "--short", "HEAD:src"]
    return subprocess.run(command, capture_output=True, text=True, cwd=RESULTS.parent, check=False).stdout.strip()


def write(name: str, figures: Sequence[Figure], **more: Any) -> Path:
    """`results/NAME.json`: the machine and its load before and after, the commit, the command and every figure."""
    record = {
        "command": " ".join(["python -m", *_module_arguments()]),
        "machine": machine(),
        "figures": [asdict(figure) for figure in figures],
        **more,
    }
    path = RESULTS / f"{name}.json"
    path.write_text(keep(name, record))
    return path


def keep(name: str, measured: Mapping[str, Any]) -> str:
    """A copy of a result that no later run overwrites, for the report; its text."""
    folder = RESULTS / KEPT
    folder.mkdir(parents=True, exist_ok=True)
    stamp = {
        "when": _now().isoformat(timespec="seconds"),
        "commit": commit(),
        "sources": sources(),
        "other_build": "BENCH_GATE" in os.environ,  # what was measured is not of this commit
        "cores": os.cpu_count(),
        "load_before": _LOAD_BEFORE,
        "load_after": _load(),
    }
    record = {**stamp, **measured}
    text = json.dumps(msgspec.to_builtins(record, enc_hook=str), indent=1, ensure_ascii=False) + "\n"
    (folder / f"{name}-{_now():%Y%m%dT%H%M%S%f}.json").write_text(text)
    return text


def _now() -> datetime:
    return datetime.now(UTC)


def _module_arguments() -> list[str]:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    module = spec.name.removesuffix(".__main__") if spec else sys.argv[0]
    return [module, *sys.argv[1:]]
