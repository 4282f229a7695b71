"""The figures of runs side by side, for a terminal."""

from collections.abc import Callable, Sequence
from typing import Final

from rich.table import Table

from tidegate.model.regions import WHOLE
from tidegate.simulate.regions.run import Figures

_ROWS: Final[tuple[tuple[str, Callable[[Figures], str]], ...]] = (
    ("regions, seconds", lambda of: f"{of.regions}, {of.seconds:g}"),
    ("calls that arrived", lambda of: f"{of.arrived:,}"),
    ("calls that were sent on", lambda of: f"{of.admitted:,}"),
    ("tokens over the limit, at the worst moment", lambda of: f"{of.over_tokens:,}"),
    ("largest sum of parts in force", lambda of: f"{100 * of.largest_sum_ppm / WHOLE:.2f} %"),
    ("quota used", lambda of: f"{of.used:.1f} %"),
    ("  at least, by parts: Σ min(demand, part)", lambda of: f"{of.least:.1f} %"),
    ("  at most: one region with all of it", lambda of: f"{of.most:.1f} %"),
    ("  with equal parts that never move", lambda of: f"{of.equal:.1f} %"),
    ("changes of parts since the records were begun", lambda of: f"{of.moves:,}"),
    ("links and store cut, processes paused, restarts", lambda of: f"{of.cuts}, {of.pauses}, {of.restarts}"),
)


def render(runs: Sequence[tuple[str, Figures]]) -> Table:
    """A column for each run."""
    table = Table(title="Regions that share one quota")
    table.add_column("")
    for name, _ in runs:
        table.add_column(name, justify="right")
    for label, value in _ROWS:
        table.add_row(label, *(value(figures) for _, figures in runs))
    return table
