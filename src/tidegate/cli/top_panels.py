"""The panels of `tidegate top`, as tables. What a narrow terminal has no room for is left out, the least told first."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from tidegate.cli.spark import span
from tidegate.cli.top_state import Alarm, Process, Queue, Quota, State, Tenant, share

_BAR: Final = 10
_LEVELS: Final = ((0.95, "bold red"), (0.8, "yellow"))


class Column(NamedTuple):
    """A heading; `number` = to the right, and never cut short; shown in terminals of at least `width` cells."""

    title: str
    number: bool = False
    width: int = 0


def _table(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, most: int) -> Table:
    kept = [at for at, column in enumerate(columns) if width >= column.width]
    table = Table(box=None, pad_edge=False, header_style="dim")
    for at in kept:
        number = columns[at].number
        table.add_column(columns[at].title, justify="right" if number else "left", no_wrap=number, overflow="ellipsis")
    for row in rows[:most]:
        table.add_row(*(row[at] for at in kept))
    if len(rows) > most:
        table.add_row(name(f"… {len(rows) - most} more", "dim"))
    return table


def name(text: str, style: str = "") -> Text:
    """On one line, cut where the terminal ends; nothing that a terminal would act on."""
    shown = "".join(sign if sign.isprintable() else "?" for sign in text)
    return Text(shown, style=style, no_wrap=True, overflow="ellipsis")


def _cell(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True)


def _level(part: float) -> str:
    return next((style for least, style in _LEVELS if part >= least), "")


def _bar(part: float) -> Text:
    full = min(_BAR, round(part * _BAR))
    return _cell("█" * full + "░" * (_BAR - full), _level(part))


_QUOTAS: Final = (
    Column("scope"), Column("model"), Column("unit", width=60), Column("", width=90), Column("%", number=True),
    Column("used", number=True, width=60), Column("held", number=True, width=80),
    Column("limit", number=True, width=50), Column("learnt", number=True, width=110),
    Column("429/s", number=True, width=70), Column(""),
)  # fmt: skip


def quotas(found: Sequence[Quota], width: int, most: int) -> RenderableType:
    """Scopes against quota: what was used in the last minute, what is held now, and what was learnt."""
    if not found:
        return name("no quota is limited, or no worker has told of one yet", "dim")
    return _table(_QUOTAS, [_quota(one) for one in found], width, most)


def _quota(one: Quota) -> list[Text]:
    part = share(max(one.used, one.held), one.limit)
    return [
        name(f"{one.provider}/{one.scope}"),
        name(one.model),
        _cell(one.unit),
        _bar(part),
        _cell(f"{100 * part:.0f}", _level(part)),
        _cell(f"{one.used:,.0f}"),
        _cell(f"{one.held:,.0f}"),
        _cell(f"{one.limit:,.0f}"),
        _cell(f"{one.learnt:,.0f}" if one.learnt else ""),
        _cell(f"{one.throttled:,.1f}" if one.throttled else "", "yellow"),
        name("" if one.open else "closed", "bold red"),
    ]


_QUEUES: Final = (
    Column("pool"), Column("model"), Column("worker", number=True, width=70), Column("waiting"),
    Column("longest", number=True), Column("mean", number=True, width=60),
)  # fmt: skip


def queues(found: Sequence[Queue], width: int, most: int) -> RenderableType:
    """Who waits, by tier; the mean is of those that left in the last minute."""
    rows = [_queue(one) for one in found if one.waiting]
    return _table(_QUEUES, rows, width, most) if rows else name("nobody waits", "dim")


def _queue(one: Queue) -> list[Text]:
    told = ", ".join(f"{count} {tier}" for tier, count in one.waiting.items())
    mean = "" if one.wait_ms < 0 else f"{one.wait_ms / 1_000:.1f} s"
    return [
        name(one.pool), name(one.model), _cell(one.worker), name(told), _cell(f"{one.oldest_seconds:.1f} s"),
        _cell(mean),
    ]  # fmt: skip


_TENANTS: Final = (
    Column("namespace"), Column("model", width=70), Column("limit"), Column("", width=90), Column("%", number=True),
    Column("used", number=True, width=50), Column("in flight", number=True, width=80),
    Column("allowed", number=True, width=60),
)  # fmt: skip


def tenants(found: Sequence[Tenant], width: int, most: int) -> RenderableType:
    """Limits and budgets of namespaces, the fullest first."""
    if not found:
        return name("no namespace has a limit or budget that was used", "dim")
    return _table(_TENANTS, [_tenant(one) for one in found], width, most)


def _tenant(one: Tenant) -> list[Text]:
    part = share(one.used + one.reserved, one.allowed)
    form = ",.2f" if one.limit.startswith("money") else ",.0f"
    return [
        name(one.namespace), name(one.model), name(one.limit.replace("_", " a ")), _bar(part),
        _cell(f"{100 * part:.0f}", _level(part)), _cell(format(one.used, form)),
        _cell(format(one.reserved, form) if one.reserved else ""), _cell(format(one.allowed, form)),
    ]  # fmt: skip


def trouble(state: State, width: int, most: int) -> RenderableType:
    """Alerts, lanes that are closed, keys that are dead."""
    parts: list[RenderableType] = []
    if state.alarms_from:
        parts.append(name(state.alarms_from, "dim"))
    columns = (
        Column("severity"), Column("alert"), Column("of"), Column("value", number=True),
        Column("for", number=True, width=80), Column("", width=80),
    )  # fmt: skip
    rows = [
        [
            _cell(one.severity, "bold red" if one.severity == "critical" else "yellow"), name(one.rule),
            name(one.what), _cell(f"{one.value:,.1f}"), _cell(span(one.lasts_s) if one.lasts_s >= 0 else ""),
            name(_care(one), "dim"),
        ]
        for one in state.alarms
    ]  # fmt: skip
    parts.append(_table(columns, rows, width, most) if rows else name("no alert", "dim"))
    for closed in state.closed[:most]:
        lasts = f" for {span(closed.seconds)}" if closed.seconds >= 1 else ""
        parts.append(name(f"closed{lasts}: {closed.provider}/{closed.scope} {closed.model}", "bold red"))
    for dead in state.dead_keys[:most]:
        keys = f"{dead.count} dead key{'s' if dead.count > 1 else ''}"
        parts.append(name(f"{keys}: {dead.provider}/{dead.scope}", "bold red"))
    return Group(*parts)


def _care(one: Alarm) -> str:
    """Who sees to it."""
    if one.silenced:
        return "silenced"
    return f"taken by {one.taken_by}" if one.taken_by else ""


_PROCESSES: Final = (
    Column("process"), Column("namespace", width=60), Column("port", number=True, width=50),
    Column("cpu", number=True), Column("limit", number=True, width=70), Column("held", number=True, width=80),
    Column("memory", number=True), Column(""),
)  # fmt: skip


def processes(found: Sequence[Process], width: int, most: int) -> RenderableType:
    """CPU, its limit, memory."""
    return _table(_PROCESSES, [_process(one) for one in found], width, most)


def _process(one: Process) -> list[Text]:
    note = "" if one.ready else "not ready"
    if one.not_enforced:
        note = f"limit not enforced: {one.not_enforced}"
    return [
        _cell(one.name),
        name(one.namespace),
        _cell(str(one.port or "")),
        _cell(f"{one.cpu_percent:.0f}%"),
        _cell(f"{100 * one.limit:.0f}%" if one.limit else ""),
        _cell(f"{one.held_percent:.0f}%" if one.limit and not one.not_enforced else ""),
        _cell(size(one.resident_bytes)),
        name(note, "yellow"),
    ]


def size(count: float) -> str:
    """Bytes in words."""
    for unit in ("B", "kB"):
        if count < 1_000:
            return f"{count:.0f} {unit}"
        count /= 1_000
    return f"{count:.0f} MB" if count < 10_000 else f"{count / 1_000:.1f} GB"
