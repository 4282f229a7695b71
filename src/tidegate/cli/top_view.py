"""How `tidegate top` looks. Widths are the terminal's cells, so that names in any script keep their columns."""

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.cli.top_state import Process, Queue, Quota, State

_MOST = 40  # rows of quotas: those that are used most


def page(state: State) -> RenderableType:
    """Everything, from the gate as a whole to the queues."""
    parts: list[RenderableType] = [_summary(state), _processes(state.processes)]
    if state.quotas:
        parts.append(_quotas(state.quotas))
    if any(queue.waiting for queue in state.queues):
        parts.append(_queues(state.queues))
    return Group(*parts)


def _summary(state: State) -> Text:
    standing = "draining" if state.draining else "ready" if state.ready else "not ready"
    words = [
        f"{standing}, configuration {state.version}",
        f"{state.calls:,.1f} calls/s",
        f"{state.tokens:,.0f} tokens/s",
        f"{state.throttled:,.1f} provider 429/s",
        f"{state.refused:,.1f} refused/s",
        f"{state.failed:,.1f} failed/s",
        f"{state.restarts} restarts",
    ]
    if state.ledger_up is not None:
        words.append(f"ledger {'up' if state.ledger_up else 'DOWN'}, {_bytes(state.ledger_lag_bytes)} behind")
    urgent = not state.ready or state.ledger_up is False or state.ledger_alarm
    return Text("  ".join(words), style="bold red" if urgent else "bold")


def _table(*columns: str) -> Table:
    """What begins with a space is a number and is never cut short; names give way (`_name`)."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for column in columns:
        number = column.startswith(" ")
        fixed = number or column in {"process", "unit"}
        table.add_column(column.strip(), justify="right" if number else "left", no_wrap=fixed, overflow="ellipsis")
    return table


def _name(text: str, style: str = "") -> Text:
    """On one line, cut where the terminal ends."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _processes(processes: list[Process]) -> Table:
    table = _table("process", "namespace", " port", " cpu", " limit", " held", " memory", "")
    for one in processes:
        note = "" if one.ready else "not ready"
        if one.not_enforced:
            note = f"limit not enforced: {one.not_enforced}"
        table.add_row(
            _name(one.name),
            _name(one.namespace),
            str(one.port or ""),
            f"{one.cpu_percent:.0f}%",
            f"{100 * one.limit:.0f}%" if one.limit else "",
            f"{one.held_percent:.0f}%" if one.limit and not one.not_enforced else "",
            _bytes(one.resident_bytes),
            _name(note, style="yellow"),
        )
    return table


def _quotas(quotas: list[Quota]) -> Table:
    table = _table("scope", "model", " worker", "unit", " used", " limit", " %", "")
    fullest = sorted(quotas, key=lambda one: one.used / one.limit if one.limit else 0.0, reverse=True)
    for one in fullest[:_MOST]:
        share = 100 * one.used / one.limit if one.limit else 0.0
        table.add_row(
            _name(f"{one.provider}/{one.scope}"),
            _name(one.model),
            one.worker,
            one.unit,
            f"{one.used:,.0f}",
            f"{one.limit:,.0f}",
            f"{share:.0f}",
            _name("" if one.open else "refused lately", style="yellow"),
        )
    if len(quotas) > _MOST:
        table.add_row(_name(f"… and {len(quotas) - _MOST} that are used less", style="dim"))
    return table


def _queues(queues: list[Queue]) -> Table:
    table = _table("pool", "model", " worker", "waiting", " longest")
    for one in queues:
        if one.waiting:
            told = ", ".join(f"{count} {tier}" for tier, count in one.waiting.items())
            table.add_row(_name(one.pool), _name(one.model), one.worker, _name(told), f"{one.oldest_seconds:.1f} s")
    return table


def _bytes(count: float) -> str:
    for unit in ("B", "kB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.0f} MB" if count < 10_000 else f"{count / 1_000:.1f} GB"
