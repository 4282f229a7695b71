"""The minutes that a search has to look into: those whose `postings` have all that is sought.

What is rare is in few of them, however old; what is common is in the newest, and no more of them are asked for.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from tidegate.store.tables import POSTINGS
from tidegate.units import DAY_US, MINUTE_US

_MOST_DAYS: Final = 32  # that are asked for at once


class Term(NamedTuple):
    """A value that a field has, or any of those up to `last`; `part`: or any in which it stands."""

    field: str
    value: str
    last: str = ""
    part: bool = False


def minutes(connection: Connection, terms: Sequence[Term], from_us: int, to_us: int) -> Iterator[list[int]]:
    """Minutes since 1970 of this time that have all of these, the newest first, some days at a time, ever more of them.

    O(days · terms · log rows + minutes that have one of them).
    """
    day = POSTINGS.c.day  # each alone: SQLite finds either by the key, and both at once by looking at every row
    first, last = (connection.scalar(select(bound(day))) for bound in (func.min, func.max))
    if first is None:
        return
    first, last = max(first, from_us // DAY_US), min(last, (to_us - 1) // DAY_US)
    within = max(from_us, first * DAY_US) // MINUTE_US, (min(to_us, (last + 1) * DAY_US) - 1) // MINUTE_US
    many = 1
    while last >= first:
        begin = max(first, last - many + 1)
        yield _common(connection, terms, range(begin, last + 1), within)
        last, many = begin - 1, min(2 * many, _MOST_DAYS)


def _common(connection: Connection, terms: Sequence[Term], days: range, within: tuple[int, int]) -> list[int]:
    found: set[int] | None = None
    for term in terms:
        table = POSTINGS.c
        query = select(table.minute).where(table.day.in_(days), table.field == term.field, _fits(term))
        mine = connection.scalars(query.where(table.minute.between(*within)))
        found = set(mine) if found is None else found.intersection(mine)
        if not found:
            return []
    return sorted(found or (), reverse=True)


def _fits(term: Term) -> ColumnElement[bool]:
    value = POSTINGS.c.value
    if term.part:
        return func.replace(value, term.value, "") != value
    return value.between(term.value, term.last) if term.last else value == term.value
