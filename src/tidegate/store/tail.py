"""New calls as they end: what was taken from each journal since somebody looked last.

Journals are taken at their own pace, so a moment alone would miss the calls of one that is behind: a mark says of each
how far it was seen. It is the reader's to keep, so that no restart of the gate is a gap. A clock that was set back
hides the calls that end before it has caught up. What the cache answers is gathered for a moment before it is written,
so calls and hits of a journal are each told in their own order.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, Table, and_, func, or_, select

from tidegate.store import hit_calls
from tidegate.store.calls import CallsQuery, Found, page
from tidegate.store.hit_tables import HITS
from tidegate.store.search import looking, newest
from tidegate.store.tables import CALLS, JOURNALS
from tidegate.units import DAY_US

MOST_JOURNALS: Final = 256  # that a cursor tells apart: those that were taken from last
_HIT: Final = r"(?:\.([0-9]{1,18})\.([0-9]{1,19}))?"  # older cursors have none
_CALL: Final = r"([0-9]{1,9})\.([0-9]{1,18})\.([0-9]{1,18})\.([0-9]{1,19})"
_MARK: Final = re.compile(_CALL + _HIT, re.ASCII).fullmatch
_SINCE: Final = re.compile(r"[0-9]{1,18}", re.ASCII).fullmatch
_LAST_ID: Final = (1 << 63) - 1
_SEGMENT: Final = 1 << 32  # more bytes than one has
_TAKEN: Final = 10**18


class Mark(NamedTuple):
    """How far a journal was seen: its place then, and the end and id of the last call, and of the last hit."""

    taken: int
    at_us: int
    call_id: int
    hit_us: int = 0
    hit_id: int = 0


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
    marks = sorted(cursor.marks.items(), key=lambda one: -max(one[1].at_us, one[1].hit_us))[:MOST_JOURNALS]
    return "_".join([str(cursor.since_us), *(f"{number}.{'.'.join(map(str, mark))}" for number, mark in marks)])


def read(text: str) -> Cursor:
    """Raises `ValueError`."""
    since, *marks = text.split("_")
    found = [_MARK(mark) for mark in marks]
    if not _SINCE(since) or len(marks) > MOST_JOURNALS or not all(found):
        raise ValueError("not a cursor")
    return Cursor(int(since), dict(_mark(one.groups()) for one in found if one is not None))


def _mark(parts: Sequence[str | None]) -> tuple[int, Mark]:
    number, taken, at_us, call_id, *hit = (None if part is None else int(part) for part in parts)
    hit_us, hit_id = (at_us, _LAST_ID) if None in hit else hit
    return number or 0, Mark(taken or 0, at_us or 0, call_id or 0, hit_us or 0, hit_id or 0)


def begin(connection: Connection, wanted: CallsQuery) -> News:
    """The last few, and where to go on: behind what has been taken until now."""
    taken = _taken(connection)
    call, hit = (connection.scalar(select(func.max(table.c.at_us))) or 0 for table in (CALLS, HITS))
    since = max(call, hit) or wanted.from_us
    behind = call or wanted.from_us, _LAST_ID, hit or wanted.from_us, _LAST_ID
    marks = {number: Mark(place, *behind) for number, place in taken.items()}
    asked, found = looking(wanted), []
    if asked.calls is not None:
        found += page(connection, asked.calls.where(*_begun(CALLS, wanted, since)), wanted.limit)
    if asked.hits is not None:
        found += hit_calls.rows(connection, asked.hits.where(*_begun(HITS, wanted, since)), wanted.limit)
    return News(newest(found)[: wanted.limit][::-1], Cursor(since, marks), missed=False)


def after(connection: Connection, cursor: Cursor, wanted: CallsQuery) -> News:
    """What was taken since. Journals from which nothing was are not looked at. O(new calls)."""
    marks, found, missed = dict(cursor.marks), [], False
    asked, most = looking(wanted), wanted.limit + 1
    for number, place in _taken(connection).items():
        mark = marks.get(number, Mark(-1, cursor.since_us, _LAST_ID, cursor.since_us, _LAST_ID))
        if mark.taken == place:
            continue
        call, hit = _Place(CALLS, number, *mark[1:3]), _Place(HITS, number, *mark[3:])
        last, answered = _newest(connection, call), _newest(connection, hit)
        marks[number] = Mark(place, last.at_us, last.call_id, answered.at_us, answered.call_id)
        new = [] if asked.calls is None else page(connection, _between(asked.calls, call, last), most)
        kept = [] if asked.hits is None else hit_calls.rows(connection, _between(asked.hits, hit, answered), most)
        missed = missed or len(new) > wanted.limit or len(kept) > wanted.limit
        found += [*new, *kept]
    missed = missed or len(found) > wanted.limit
    return News(newest(found)[: wanted.limit][::-1], Cursor(cursor.since_us, marks), missed)


class _Place(NamedTuple):
    """Up to where a journal was seen, in one of the tables."""

    table: Table
    journal: int
    at_us: int
    call_id: int


def _taken(connection: Connection) -> dict[int, int]:
    """How far each journal was taken, as a number that changes with it."""
    table = JOURNALS.c
    found = connection.execute(select(table.id, table.segment, table.position))
    return {int(row.id): (int(row.segment) * _SEGMENT + int(row.position)) % _TAKEN for row in found}


def _begun(table: Table, wanted: CallsQuery, to_us: int) -> list[Any]:
    at_us = table.c.at_us
    return [at_us >= wanted.from_us, at_us <= to_us, table.c.day >= wanted.from_us // DAY_US]


def _newest(connection: Connection, old: _Place) -> _Place:
    table = old.table.c
    query = select(table.at_us, table.call_id).where(*_behind(old))
    row = connection.execute(query.order_by(table.at_us.desc(), table.call_id.desc()).limit(1)).one_or_none()
    return old if row is None else old._replace(at_us=int(row.at_us), call_id=int(row.call_id))


def _between(query: "Select[Any]", old: _Place, new: _Place) -> "Select[Any]":
    """Those of a journal that ended after the one place, and not after the other."""
    return query.where(*_behind(old), old.table.c.at_us <= new.at_us)


def _behind(old: _Place) -> list[Any]:
    table = old.table.c
    newer = or_(table.at_us > old.at_us, and_(table.at_us == old.at_us, table.call_id > old.call_id))
    return [table.journal == old.journal, table.day >= old.at_us // DAY_US, table.at_us >= old.at_us, newer]
