"""A dry run's report for a terminal: tables of before and after, then sentences."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tidegate.dryrun.report import Figures, Finding, Group, Report
from tidegate.dryrun.tally import GROUPS

_WIDTH: Final = 120
_NANO: Final = 1_000_000_000
_DAY_US: Final = 86_400_000_000
_Cell = Callable[[Figures], float]


def show(report: Report, rows: int) -> None:
    """Print it; `rows` of each table at most."""
    console = Console()
    out = console if console.is_terminal else Console(width=_WIDTH)
    days = report.to_us - report.from_us > _DAY_US
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
    before, after = report.all.before, report.all.after
    for name, of in _LINES:
        table.add_row(name, _number(of(before)), _number(of(after)), _change(of(before), of(after)))
    for why in sorted({**before.refusals, **after.refusals}):
        was, is_ = before.refusals.get(why, 0), after.refusals.get(why, 0)
        table.add_row(f"  refused: {escape(why)}", _number(was), _number(is_), _change(was, is_))
    was_cost, is_cost = before.cost_nano / _NANO, after.cost_nano / _NANO
    table.add_row(f"cost, {report.currency}", f"{was_cost:,.4f}", f"{is_cost:,.4f}", f"{is_cost - was_cost:+,.4f}")
    return table


_LINES: Final[tuple[tuple[str, _Cell], ...]] = (
    ("calls", lambda one: one.calls),
    ("answered", lambda one: one.answered),
    ("  by the cache", lambda one: one.hits),
    ("refused by the gate", lambda one: one.refused),
    ("failed at a provider", lambda one: one.failed),
    ("client left", lambda one: one.left),
    ("queued", lambda one: one.queued),
    ("  wait, mean ms", lambda one: round(one.wait_mean_ms)),
    ("  wait, p95 ms", lambda one: round(one.wait_p95_ms)),
    ("  wait, p99 ms", lambda one: round(one.wait_p99_ms)),
    ("held by smoothing or back-off", lambda one: one.paused),
    ("degraded", lambda one: one.degraded),
    ("answered by another model than it was", lambda one: one.moved),
    ("429s of providers", lambda one: one.throttled),
    ("prompt tokens", lambda one: one.prompt_tokens),
    ("completion tokens", lambda one: one.completion_tokens),
)


def _by(by: str, groups: list[Group], rows: int, before: str) -> Table:
    table = _table(f"by {by}", "calls", f"refused, {before}", "refused", f"queued, {before}", "queued", "p95 ms",
                   "moved", "cost, change")  # fmt: skip
    for group in groups[:rows]:
        was, now = group.before, group.after
        cost = (now.cost_nano - was.cost_nano) / _NANO
        table.add_row(
            escape(group.name or "–"), _number(was.calls), _number(was.refused), _number(now.refused),
            _number(was.queued), _number(now.queued), f"{now.wait_p95_ms:,.0f}", _number(now.moved), f"{cost:+,.4f}",
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


def _number(value: float) -> str:
    return f"{value:,}"


def _change(before: float, after: float) -> str:
    return f"{after - before:+,}" if after != before else ""
