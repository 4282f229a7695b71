"""New calls as they end: what was taken from each journal since somebody looked last.

Journals are taken at their own pace, so a moment alone would miss the calls of one that is behind: a mark says of each
how far it was seen. It is the reader's to keep, so that no restart of the gate is a gap. A clock that was set back
hides the calls that end before it has caught up.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, and_, func, or_, select

from tidegate.store.calls import CallsQuery, Found, looking, page
from tidegate.store.tables import CALLS, JOURNALS
from tidegate.units import DAY_US

MOST_JOURNALS: Final = 256  # that a cursor tells apart: those that were taken from last
_MARK: Final = re.compile(r"([0-9]{1,9})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,19})", re.ASCII).fullmatch
_SINCE: Final = re.compile(r"[0-9]{1,18}", re.ASCII).fullmatch
_LAST_ID: Final = (1 << 63) - 1


class Mark(NamedTuple):
    """How far a journal was seen: calls that were taken from it, and the end and id of the last of them."""

    taken: int
    at_us: int
    call_id: int


class Cursor(NamedTuple):
    """Where to go on; `since_us`: with journals that were not there."""

    since_us: int
    marks: Mapping[int, Mark]


class News(NamedTuple):
    """The newest calls since then, the oldest first. `missed`: there were more."""

    calls: list[Found]
    cursor: Cursor
    missed: bool


def written(cursor: Cursor) -> str:
    """As text, which the reader hands back."""
    marks = sorted(cursor.marks.items(), key=lambda one: -one[1].at_us)[:MOST_JOURNALS]
    return "_".join([str(cursor.since_us), *(f"{number}.{'.'.join(map(str, mark))}" for number, mark in marks)])


def read(text: str) -> Cursor:
    """Raises `ValueError`."""
    since, *marks = text.split("_")
    found = [_MARK(mark) for mark in marks]
    if not _SINCE(since) or len(marks) > MOST_JOURNALS or not all(found):
        raise ValueError("not a cursor")
    parts = [[int(part) for part in one.groups()] for one in found if one is not None]
    return Cursor(int(since), {number: Mark(taken, at_us, call_id) for number, taken, at_us, call_id in parts})


def begin(connection: Connection, wanted: CallsQuery) -> News:
    """The last few, and where to go on: behind what has been taken until now."""
    taken = _taken(connection)
    since = connection.scalar(select(func.max(CALLS.c.at_us))) or wanted.from_us
    cursor = Cursor(since, {number: Mark(count, since, _LAST_ID) for number, count in taken.items()})
    table = CALLS.c
    query = looking(wanted).where(table.at_us >= wanted.from_us, table.at_us <= since)
    found = page(connection, query.where(table.day >= wanted.from_us // DAY_US), wanted.limit)
    return News(found[::-1], cursor, missed=False)


def after(connection: Connection, cursor: Cursor, wanted: CallsQuery) -> News:
    """What was taken since. Journals from which nothing was are not looked at. O(new calls)."""
    marks, found, missed = dict(cursor.marks), [], False
    for number, count in _taken(connection).items():
        mark = marks.get(number, Mark(-1, cursor.since_us, _LAST_ID))
        if mark.taken == count:
            continue
        seen = marks[number] = _newest(connection, number, mark)._replace(taken=count)
        new = page(connection, looking(wanted).where(*_between(number, mark, seen)), wanted.limit + 1)
        missed = missed or len(new) > wanted.limit
        found += new
    found.sort(key=_ended)
    missed = missed or len(found) > wanted.limit
    return News(found[-wanted.limit :], Cursor(cursor.since_us, marks), missed)


def _taken(connection: Connection) -> dict[int, int]:
    return {
        int(row.id): int(row.taken_calls) for row in connection.execute(select(JOURNALS.c.id, JOURNALS.c.taken_calls))
    }


def _newest(connection: Connection, number: int, mark: Mark) -> Mark:
    table = CALLS.c
    query = select(table.at_us, table.call_id).where(*_between(number, mark, None))
    row = connection.execute(query.order_by(table.at_us.desc(), table.call_id.desc()).limit(1)).one_or_none()
    return mark if row is None else Mark(mark.taken, int(row.at_us), int(row.call_id))


def _between(number: int, old: Mark, new: Mark | None) -> list[Any]:
    """Calls of a journal that ended after the one mark, and not after the other."""
    table = CALLS.c
    newer = or_(table.at_us > old.at_us, and_(table.at_us == old.at_us, table.call_id > old.call_id))
    found = [table.journal == number, table.day >= old.at_us // DAY_US, table.at_us >= old.at_us, newer]
    return found if new is None else [*found, table.at_us <= new.at_us]


def _ended(row: Found) -> tuple[int, int]:
    return row["at_us"], row["call_id"]
