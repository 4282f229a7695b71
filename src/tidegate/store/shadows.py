"""What candidates answered beside strategies: sums by day, written with the batch of the journal that tells of them."""

from collections.abc import Sequence
from functools import cache
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, select

from tidegate.model.facts import Fact
from tidegate.model.shadow import ANSWERED, FAILED, UNASKED, Compared
from tidegate.store.rows import name
from tidegate.store.shadow_tables import COUNTS, SHADOWS
from tidegate.store.statements import addition, execute
from tidegate.units import DAY_US

KEEP_DAYS: Final = 400
_MODEL: Final = 256


class ShadowDay(NamedTuple):
    """A row: one candidate of one strategy on one day (UTC, days since 1970)."""

    day: int
    strategy: str
    candidate: str
    calls: int
    answered: int
    failed: int
    unasked: int
    agreed: int
    permille: int
    primary_us: int
    candidate_us: int
    primary_nano: int
    candidate_nano: int
    primary_chars: int
    candidate_chars: int


def write(connection: Connection, facts: Sequence[Fact]) -> None:
    """Add what the facts say of candidates. It counts once, as the journal's position moves with it. O(facts)."""
    found: dict[tuple[int, str, str], list[int]] = {}
    for fact in facts:
        if isinstance(fact, Compared):
            key = fact.at_us // DAY_US, name(fact.strategy), fact.candidate.replace("\0", "")[:_MODEL]
            sums = found.setdefault(key, [0] * len(COUNTS))
            for place, value in enumerate(_counts(fact)):
                sums[place] += value
    if found:
        rows = [(*key, *sums) for key, sums in sorted(found.items())]
        execute(connection, _statement(connection.dialect.name), rows)


def _counts(of: Compared) -> tuple[int, ...]:
    """In the order of `COUNTS`."""
    if of.state != ANSWERED:
        return (1, 0, of.state == FAILED, of.state == UNASKED, 0, 0, 0, 0, 0, of.candidate_nano, 0, 0)
    times, cost = (of.primary_us, of.candidate_us), (of.primary_nano, of.candidate_nano)
    return (1, 1, 0, 0, int(of.agreed), of.permille, *times, *cost, of.primary_chars, of.candidate_chars)


def days(connection: Connection, since: int) -> list[ShadowDay]:
    """From that day on, the newest first. O(rows of these days)."""
    table = SHADOWS.c
    rows = connection.execute(
        select(SHADOWS).where(table.day >= since).order_by(table.day.desc(), table.strategy, table.candidate)
    )
    return [ShadowDay(*row) for row in rows]


def forget(connection: Connection, today: int) -> int:
    """Rows that are too old."""
    return connection.execute(delete(SHADOWS).where(SHADOWS.c.day < today - KEEP_DAYS)).rowcount


@cache
def _statement(dialect: str) -> str:
    return addition(SHADOWS, dialect, COUNTS)
