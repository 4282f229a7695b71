"""The report of several runs side by side, as a table."""

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.simulate.report import GroupReport, Report

_Cell = Callable[[Report], str]


def render(title: str, reports: Sequence[Report]) -> RenderableType:
    """One column for each scheduler; below, what happened to shards."""
    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    table.add_column("")
    for report in reports:
        table.add_column(report.scheduler, justify="right", no_wrap=True)
    for name, cell in _rows(reports[0]):
        table.add_row(name, *(cell(report) for report in reports))
    for index, group in enumerate(reports[0].groups):
        table.add_section()
        table.add_row(Text(f"{group.name} ({group.tier})", style="bold"))
        for name, cell in _group_rows(index):
            table.add_row(f"  {name}", *(cell(report) for report in reports))
    return Group(table, *(_owners(report) for report in reports if report.owners))


def _rows(first: Report) -> list[tuple[str, _Cell]]:
    rows: list[tuple[str, _Cell]] = [
        ("calls asked for", lambda r: f"{r.asked:,}"),
        ("answered", lambda r: _of(r.answered, r.asked)),
        ("refused, and told when", lambda r: _of(r.refused, r.asked)),
        ("deadline passed in the queue", lambda r: _of(r.expired, r.asked)),
        ("failed at the provider", lambda r: _of(r.failed, r.asked)),
        ("429s at the provider", lambda r: f"{r.throttled:,}"),
        ("  of them avoidable", lambda r: f"{r.avoidable:,}"),
        ("token quota used", lambda r: f"{r.use:.2%}"),
        ("Jain's index of service", lambda r: f"{r.jain:.4f}"),
        ("widest service gap, tokens", lambda r: f"{r.gap:,.0f}"),
        ("  in largest calls", lambda r: f"{r.gap_calls:.2f}"),
        ("named time, p50", lambda r: _seconds(r.named_p50_s) if r.refusals else "–"),
    ]
    if first.returned:
        rows.append(("came back when told, served", lambda r: _of(r.honoured, r.returned)))
    return rows


def _group_rows(index: int) -> list[tuple[str, _Cell]]:
    def row(show: Callable[[GroupReport], str]) -> _Cell:
        return lambda report: show(report.groups[index])

    return [
        ("answered", row(lambda g: _of(g.answered, g.asked))),
        ("wait p50", row(lambda g: _seconds(g.wait_p50_s))),
        ("wait p99", row(lambda g: _seconds(g.wait_p99_s))),
        ("longest wait", row(lambda g: _seconds(g.longest_s))),
    ]


def _owners(report: Report) -> RenderableType:
    table = Table(title=f"owners, {report.scheduler}", title_justify="left", header_style="bold")
    for name in ("owner", "shards", "after", "decisions", "of all"):
        table.add_column(name, justify="left" if name == "owner" else "right")
    total = sum(owner.decisions for owner in report.owners) or 1
    for owner in report.owners:
        part = f"{owner.decisions / total:.1%}"
        table.add_row(owner.name, str(owner.shards), str(owner.shards_after), f"{owner.decisions:,}", part)
    lines = [
        f"at {change.at_s:.1f} s, {change.owner}: {change.lost} of {change.shards} shards lost and re-homed "
        f"({change.lost / change.shards:.1%}), {change.moved} moved between living owners, "
        f"{change.calls:,} waiting calls handed in again"
        for change in report.handovers
    ]
    lost = report.asked - report.answered - report.refused - report.expired - report.failed
    return Group(table, *lines, f"calls lost: {lost}")


def _of(part: int, whole: int) -> str:
    if not whole:
        return "–"
    share = part / whole
    return f"{part:,} ({share:.1%})" if 0 < share < 0.9995 or part == whole else f"{part:,} ({share:.3%})"


def _seconds(value: float) -> str:
    return f"{value * 1_000:.0f} ms" if value < 1 else f"{value:.2f} s"
