"""The report as a person reads it in a terminal."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.load.ledger import FullReport, LedgerReport
from tidegate.load.report import Percentiles, Refusal, Report

_SHOWN_REFUSALS = 5


def render(report: FullReport) -> Group:
    """Counts, times, failures, the first refusals, and the provider's own ledger where it was read."""
    replay = report.replay
    parts: list[RenderableType] = [_counts(replay), _times(replay)]
    if replay.failures:
        parts.append(_failures(replay))
    if replay.refusals:
        parts.append(_refusals(replay.refusals))
    if report.ledger is not None:
        parts.append(_ledger(report.ledger))
    return Group(*parts)


def _counts(report: Report) -> Table:
    table = Table(title="Calls", title_justify="left")
    for column in ("sent", "answered", "refused", "failed", "no end seen", "streamed", "seconds"):
        table.add_column(column, justify="right")
    counts = (report.sent, report.answered, report.refused, report.failed, report.unanswered, report.streamed)
    table.add_row(*(f"{count:,}" for count in counts), f"{report.seconds:.1f}")
    return table


def _times(report: Report) -> Table:
    table = Table(title="Milliseconds since the call was due", title_justify="left")
    table.add_column("", no_wrap=True)
    for column in ("calls", "mean", "p50", "p90", "p99", "p99.9", "max"):
        table.add_column(column, justify="right")
    _add_times(table, "answer complete", report.latency)
    _add_times(table, "first byte, streams", report.first_byte)
    _add_times(table, "waited in the gate", report.waited)
    _add_times(table, "refused", report.refused_after)
    _add_times(table, "sent late by", report.lateness)
    return table


def _add_times(table: Table, name: str, times: Percentiles) -> None:
    values = (times.mean, times.p50, times.p90, times.p99, times.p999, times.max)
    if times.count:
        table.add_row(
            name, f"{times.count:,}", *(f"{value:,.1f}" if value < 1_000 else f"{value:,.0f}" for value in values)
        )


def _failures(report: Report) -> Table:
    table = Table("failure", "calls", "first message", title="Failures", title_justify="left")
    for kind, failures in sorted(report.failures.items(), key=lambda item: -item[1].count):
        table.add_row(kind, f"{failures.count:,}", Text(failures.example))
    return table


def _refusals(refusals: list[Refusal]) -> Table:
    silent = sum(not (refusal.retry_after or refusal.retry_after_ms) for refusal in refusals)
    title = f"Refusals: the first {min(len(refusals), _SHOWN_REFUSALS)} of {len(refusals):,}; {silent:,} without a time"
    columns = ("call", "at second", "status", "code", "retry-after", "retry-after-ms", "x-should-retry")
    table = Table(*columns, title=title, title_justify="left")
    for refusal in refusals[:_SHOWN_REFUSALS]:
        told = (refusal.code, refusal.retry_after, refusal.retry_after_ms, refusal.should_retry)
        table.add_row(str(refusal.index), f"{refusal.at_s:.2f}", str(refusal.status), *(value or "–" for value in told))
    return table


def _ledger(ledger: LedgerReport) -> Group:
    table = Table(title=f"The provider's ledger: {ledger.model}", title_justify="left")
    for column in ("calls", "served", "429s", "avoidable 429s", "charged tokens", "billed tokens"):
        table.add_column(column, justify="right")
    counts = (ledger.calls, ledger.served, ledger.throttled, ledger.avoidable)
    tokens = (ledger.charged_tokens, ledger.billed_tokens)
    table.add_row(*(f"{count:,}" for count in (*counts, *tokens)), style="red" if ledger.avoidable else "")
    return Group(table, Text(_say_utilisation(ledger)), Text(_say_avoidable(ledger)))


def _say_utilisation(ledger: LedgerReport) -> str:
    used = ledger.utilisation
    if not used.windows:
        return f"Utilisation: no 60 s in which calls had to wait throughout (a queue in {used.full_seconds} s)."
    return (
        f"Utilisation of {used.quota_tpm:,} tokens a minute in the {len(used.windows)} windows of 60 s whose queue "
        f"never emptied: lowest {used.minimum:.1%}, mean {used.mean:.1%}."
    )


def _say_avoidable(ledger: LedgerReport) -> str:
    if ledger.avoidable:
        return f"{ledger.avoidable:,} of {ledger.throttled:,} refusals by the provider were avoidable."
    return "No avoidable 429 at the provider."
