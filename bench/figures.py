"""A measured figure, its target, and whether it was met; tables and files of them."""

import json
import statistics
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.systems import machine

RESULTS = Path(__file__).resolve().parent.parent / "results"
KEPT = "kept"  # below it: every run's result, so that a run of some parts takes nothing from the report
_LOAD_BEFORE = " ".join(Path("/proc/loadavg").read_text().split()[:3])


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


def write(name: str, figures: Sequence[Figure], **more: Any) -> Path:
    """`results/NAME.json`: the machine and its load before and after, the commit, the command and every figure."""
    record = {
        "command": " ".join(["python -m", *_module_arguments()]),
        "commit": commit(),
        "when": _now().isoformat(timespec="seconds"),
        "load_before": _LOAD_BEFORE,
        "machine": machine(),
        "figures": [asdict(figure) for figure in figures],
        **more,
    }
    text = keep(name, record)
    path = RESULTS / f"{name}.json"
    path.write_text(text)
    return path


def keep(name: str, record: Mapping[str, Any]) -> str:
    """A copy of a result that no later run overwrites, for the report; its text."""
    folder = RESULTS / KEPT
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(record, indent=1, ensure_ascii=False, default=_plain) + "\n"
    (folder / f"{name}-{_now():%Y%m%dT%H%M%S%f}.json").write_text(text)
    return text


def _plain(value: object) -> object:
    """What JSON does not know: records by their fields, all else by its words."""
    return asdict(value) if is_dataclass(value) and not isinstance(value, type) else str(value)


def _now() -> datetime:
    return datetime.now(UTC)


def _module_arguments() -> list[str]:
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    module = spec.name.removesuffix(".__main__") if spec else sys.argv[0]
    return [module, *sys.argv[1:]]
