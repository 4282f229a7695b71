"""A dry run's report for a terminal: tables of before and after, then sentences."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tidegate.dryrun.report import Figures, Finding, Group, Report, Spread
from tidegate.dryrun.tally import GROUPS
from tidegate.units import DAY_US

_WIDTH: Final = 120
_NANO: Final = 1_000_000_000
_SHOWN: Final = 0.5  # what is less is no call, and no millisecond
_LEAST: Final = 0.00005  # of money
_DOUBT: Final = " ?"


def show(report: Report, rows: int) -> None:
    """Print it; `rows` of each table at most."""
    console = Console()
    out = console if console.is_terminal else Console(width=_WIDTH)
    days = report.to_us - report.from_us > DAY_US
    first, last = _moment(report.from_us, days=True), _moment(report.to_us, days=days)
    out.print(f"{report.calls:,} calls that arrived from {first} to {last} (UTC)")
    out.print(_whole(report))
    for by in GROUPS[1:]:
        several = [group for group in report.groups if group.by == by]
        if len(several) > 1:
            out.print(_by(by, several, rows, report.before))
    for line in _sentences(report, rows, days=days):
        out.print(escape(line), soft_wrap=True)


def _whole(report: Report) -> Table:
    table = _table("", report.before, "new", "change")
    one = report.all
    for label, name in _LINES:
        was, is_ = _of(one.before, name), _of(one.after, name)
        before, after = _number(was, _of(one.before_spread, name)), _number(is_, _of(one.after_spread, name))
        table.add_row(label, before, after, _change(was, is_, unsure=name in one.unsure))
    for why in sorted({**one.before.refusals, **one.after.refusals}):
        was, is_ = one.before.refusals.get(why, 0), one.after.refusals.get(why, 0)
        spreads = (spread.refusals.get(why, 0.0) for spread in (one.before_spread, one.after_spread))
        cells = map(_number, (was, is_), spreads)
        table.add_row(f"  refused: {escape(why)}", *cells, _change(was, is_))
    costs = (_money(one.before, one.before_spread), _money(one.after, one.after_spread), _cost_change(one))
    table.add_row(f"cost, {report.currency}", *costs)
    return table


_LINES: Final = (
    ("calls", "calls"),
    ("answered", "answered"),
    ("  by the cache", "hits"),
    ("refused by the gate", "refused"),
    ("failed at a provider", "failed"),
    ("client left", "left"),
    ("queued", "queued"),
    ("  wait, mean ms", "wait_mean_ms"),
    ("  wait, p95 ms", "wait_p95_ms"),
    ("  wait, p99 ms", "wait_p99_ms"),
    ("held by smoothing or back-off", "paused"),
    ("degraded", "degraded"),
    ("answered by another model than it was", "moved"),
    ("429s of providers", "throttled"),
    ("prompt tokens", "prompt_tokens"),
    ("completion tokens", "completion_tokens"),
)


def _by(by: str, groups: list[Group], rows: int, before: str) -> Table:
    table = _table(f"by {by}", "calls", f"refused, {before}", "refused", f"queued, {before}", "queued", "p95 ms",
                   "degraded", "moved", "cost, change")  # fmt: skip
    for one in groups[:rows]:
        was, was_by, now, now_by = one.before, one.before_spread, one.after, one.after_spread
        table.add_row(
            escape(one.name or "–"), _number(was.calls), _number(was.refused, was_by.refused),
            _number(now.refused, now_by.refused) + _mark("refused", one), _number(was.queued, was_by.queued),
            _number(now.queued, now_by.queued) + _mark("queued", one), _number(now.wait_p95_ms, now_by.wait_p95_ms),
            _number(now.degraded, now_by.degraded), _number(now.moved, now_by.moved), _cost_change(one),
        )  # fmt: skip
    if len(groups) > rows:
        table.caption = f"and {len(groups) - rows} more; `--rows` shows them, `--json` all"
    return table


def _table(first: str, *others: str) -> Table:
    table = Table(header_style="bold")
    table.add_column(first)
    for name in others:
        table.add_column(name, justify="right")
    return table


def _sentences(report: Report, rows: int, *, days: bool) -> Iterator[str]:
    if report.findings:
        yield "\nWho would be refused"
    for finding in report.findings[:rows]:
        yield f"  {sentence(finding, days=days)}"
    if len(report.findings) > rows:
        yield f"  and {len(report.findings) - rows} more; `--rows` shows them, `--json` all"
    if report.unmatched:
        yield "\nRules that matched nothing"
    for one in report.unmatched[: 3 * rows]:
        yield f"  {one.kind} {one.name}: {one.what}"
    if len(report.unmatched) > 3 * rows:
        yield f"  and {len(report.unmatched) - 3 * rows} more"
    yield "\nHow to read this"
    if any(group.unsure for group in report.groups):
        yield "  ? : the change is no larger than what chance makes of the same calls; decide nothing by it"
    for note in report.notes:
        yield f"  {note}"


def sentence(finding: Finding, *, days: bool) -> str:
    """Which rule would have refused whose calls, and when."""
    first, last = _moment(finding.first_us, days=days), _moment(finding.last_us, days=days)
    when = f"at {first}" if first == last else f"between {first} and {last}"
    calls = "1 call" if finding.calls == 1 else f"{finding.calls:,} calls"
    whose = f" of {finding.namespace}" if finding.namespace else ""
    return f"{finding.rule} would have refused {calls}{whose} {when}; {finding.answered:,} of them were answered"


def _moment(us: int, *, days: bool) -> str:
    found = datetime.fromtimestamp(us // 1_000_000, UTC)
    return f"{found:%Y-%m-%d %H:%M}" if days else f"{found:%H:%M}"


def _of(figures: Figures | Spread, name: str) -> float:
    return float(getattr(figures, name, 0.0))


def _number(value: float, by: float = 0.0) -> str:
    """A mean, and how far plays lie from each other, where they do."""
    return f"{value:,.0f} ± {max(1.0, by):,.0f}" if by >= _SHOWN else f"{value:,.0f}"


def _money(figures: Figures, spread: Spread) -> str:
    value, by = figures.cost_nano / _NANO, spread.cost_nano / _NANO
    return f"{value:,.4f} ± {by:,.4f}" if by >= _LEAST else f"{value:,.4f}"


def _change(before: float, after: float, *, unsure: bool = False) -> str:
    by = f"{round(after) - round(before):+,}" if round(after) != round(before) else ""
    return f"{by}{_DOUBT}" if by and unsure else by


def _cost_change(one: Group) -> str:
    by = (one.after.cost_nano - one.before.cost_nano) / _NANO
    return f"{by:+,.4f}{_mark('cost_nano', one)}"


def _mark(name: str, one: Group) -> str:
    return _DOUBT if name in one.unsure else ""
