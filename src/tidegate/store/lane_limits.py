"""The limits that were in force, by lane: noted when they change, so that a quiet lane has one row."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, and_, func, select

from tidegate.store.lane_tables import LANE, LANE_LIMITS
from tidegate.store.rows import name
from tidegate.store.statements import insertion
from tidegate.store.utilisation import QuotaKey

BEFORE: Final = 60  # minutes for which the first limit that was noted is taken to have held before


class LaneLimit(NamedTuple):
    """Tokens and requests a minute, 0 = no limit is known; `source`: configured, headers, refusals."""

    tpm: int = 0
    rpm: int = 0
    source: str = ""


class Change(NamedTuple):
    """From this minute since 1970 on."""

    minute: int
    limit: LaneLimit


def bounded(lane: QuotaKey) -> QuotaKey:
    """The lane as columns hold it."""
    return QuotaKey(*map(name, lane))


def latest(connection: Connection) -> dict[QuotaKey, LaneLimit]:
    """The last that was noted of each lane. O(rows of the table), which is small."""
    table = LANE_LIMITS.c
    lanes = [table[part] for part in LANE]
    newest = select(*lanes, func.max(table.minute).label("minute")).group_by(*lanes).subquery()
    same = and_(table.minute == newest.c.minute, *(table[part] == newest.c[part] for part in LANE))
    query = select(*lanes, table.tpm, table.rpm, table.source).join(newest, same)
    return {QuotaKey(*row[:3]): LaneLimit(*row[3:6]) for row in connection.execute(query)}


def note(connection: Connection, minute: int, limits: Mapping[QuotaKey, LaneLimit]) -> int:
    """Those that differ from what was noted last hold from this minute on; how many. O(lanes)."""
    known = latest(connection)
    rows = [
        (minute, *lane, *limit)
        for lane, limit in sorted({bounded(lane): limit for lane, limit in limits.items()}.items())
        if known.get(lane) != limit
    ]
    if rows:
        keys = ", ".join(column.name for column in LANE_LIMITS.primary_key.columns)
        news = ", ".join(f"{column} = excluded.{column}" for column in LaneLimit._fields)
        said = f"{insertion(LANE_LIMITS, connection.dialect.name)} ON CONFLICT ({keys}) DO UPDATE SET {news}"
        connection.exec_driver_sql(said, rows)
    return len(rows)


def changes(connection: Connection, to_minute: int, filters: Mapping[str, str]) -> dict[QuotaKey, list[Change]]:
    """Each lane's before this minute, in order; `filters` by the names of columns."""
    table = LANE_LIMITS.c
    query = select(table.minute, *(table[part] for part in LANE), table.tpm, table.rpm, table.source)
    query = query.where(table.minute < to_minute)
    for part, value in filters.items():
        query = query.where(table[part] == value)
    found: dict[QuotaKey, list[Change]] = defaultdict(list)
    for row in connection.execute(query.order_by(table.minute)):
        found[QuotaKey(*row[1:4])].append(Change(row[0], LaneLimit(*row[4:7])))
    return dict(found)


class History:
    """One lane's limits over time. Pure."""

    __slots__ = ("_changes", "_minutes")

    def __init__(self, changes: Sequence[Change]) -> None:
        """In order of time. What was noted first is taken to have held for an hour before."""
        self._changes = [
            change if at else change._replace(minute=change.minute - BEFORE) for at, change in enumerate(changes)
        ]
        self._minutes = [change.minute for change in self._changes]

    def at(self, minute: int) -> LaneLimit:
        """In force in this minute. O(log changes)."""
        place = bisect_right(self._minutes, minute)
        return self._changes[place - 1].limit if place else LaneLimit()

    def allowed(self, from_minute: int, to_minute: int) -> tuple[int, int] | None:
        """Tokens and requests that the limits allowed in these minutes; None: not known for all of them.

        0 = there was no limit in a part of the time. O(changes within).
        """
        if not self._minutes or from_minute < self._minutes[0] or to_minute <= from_minute:
            return None
        tokens = requests = 0
        bound = [True, True]
        at = from_minute
        while at < to_minute:
            place = bisect_right(self._minutes, at)
            until = min(to_minute, self._minutes[place] if place < len(self._minutes) else to_minute)
            limit = self._changes[place - 1].limit
            tokens += limit.tpm * (until - at)
            requests += limit.rpm * (until - at)
            bound = [bound[0] and limit.tpm > 0, bound[1] and limit.rpm > 0]
            at = until
        return tokens if bound[0] else 0, requests if bound[1] else 0
