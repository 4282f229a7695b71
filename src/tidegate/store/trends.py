"""Use against quota over time: by minute, hour or day, of each lane; and letting go of what is too old.

An hour belongs to the day of a time zone in which it begins. What was used stands where it left (`lane_sums.py`); the
quota of a period is what the limits that were in force allowed in it, and of one that is not over, until now.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Engine, Select, Table, delete, select, text

from tidegate.store.engine import Begin, writing
from tidegate.store.lane_limits import BEFORE, History, LaneLimit, changes
from tidegate.store.lane_sums import MINUTES, LaneSums
from tidegate.store.lane_tables import LANE, LANE_HOURS, LANE_LIMITS, LANE_MINUTES
from tidegate.store.utilisation import QuotaKey
from tidegate.units import DAY_US, HOUR_US, MINUTE_US

UNITS: Final = ("minute", "hour", "day")
MOST: Final = 20_000  # points of an answer
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_STEP_MINUTES: Final = 360  # of what is deleted in one transaction


class TooMany(ValueError):
    """More than `MOST` points: ask for less at once."""


class Use(NamedTuple):
    """Sums of a period, as `LaneSums.NAMES` names them."""

    calls: int = 0
    errors: int = 0
    attempts: int = 0
    throttled: int = 0  # 429s of the provider
    refused: int = 0  # by the gate, which asked nobody
    queued_us: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    charged_tokens: int = 0  # by the provider's limiter
    reserved_tokens: int = 0  # before attempts left


class Point(NamedTuple):
    """One lane in one period. `limit` is the last that was in force; quotas are of the period, 0 = not known."""

    at_us: int
    lane: QuotaKey
    use: Use
    limit: LaneLimit
    quota_tokens: int
    quota_requests: int


@dataclass(frozen=True, slots=True)
class SeriesQuery:
    """Periods of `unit` (of `UNITS`) that begin from `from_us` to before `to_us`; `wall` is now."""

    from_us: int
    to_us: int
    wall: int
    unit: str = "minute"
    filters: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo = UTC


def series(connection: Connection, wanted: SeriesQuery) -> list[Point]:
    """In order of time and lane; a period in which a lane did nothing is left out. Raises `TooMany`.

    O(rows of the time).
    """
    found: dict[tuple[int, QuotaKey], Use] = {}
    for at_us, lane, use in _rows(connection, wanted):
        known = found.get((at_us, lane))
        found[at_us, lane] = use if known is None else Use(*map(int.__add__, known, use))
        if len(found) > MOST:
            raise TooMany(f"more than {MOST:,} points")
    noted = changes(connection, -(-wanted.to_us // MINUTE_US) + BEFORE, wanted.filters)
    histories = {lane: History(known) for lane, known in noted.items()}
    nothing = History(())
    return [
        _point(at_us, lane, use, histories.get(lane, nothing), wanted) for (at_us, lane), use in sorted(found.items())
    ]


def _point(at_us: int, lane: QuotaKey, use: Use, history: History, wanted: SeriesQuery) -> Point:
    begun = at_us // MINUTE_US
    over = max(begun + 1, min(_after(at_us, wanted), wanted.wall + MINUTE_US - 1) // MINUTE_US)
    tokens, requests = history.allowed(begun, over) or (0, 0)
    return Point(at_us, lane, use, history.at(over - 1), tokens, requests)


def _after(at_us: int, wanted: SeriesQuery) -> int:
    """When a period that begins then ends."""
    if wanted.unit == "day":
        return day_of(at_us + DAY_US + 2 * HOUR_US, wanted.zone)  # a day in which clocks go back has 25 hours
    return at_us + (MINUTE_US if wanted.unit == "minute" else HOUR_US)


def day_of(at_us: int, zone: tzinfo) -> int:
    """When the day of the zone began in which this moment is."""
    local = (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)
    begun = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return int(begun.timestamp()) * 1_000_000


def _rows(connection: Connection, wanted: SeriesQuery) -> Iterator[tuple[int, QuotaKey, Use]]:
    table, unit_us = (LANE_MINUTES, MINUTE_US) if wanted.unit == "minute" else (LANE_HOURS, HOUR_US)
    number = table.c.minute if wanted.unit == "minute" else table.c.hour
    query: Select[Any] = select(number, *(table.c[name] for name in (*LANE, *LaneSums.NAMES)))
    query = query.where(number >= -(-wanted.from_us // unit_us), number < -(-wanted.to_us // unit_us))
    for part, value in wanted.filters.items():
        query = query.where(table.c[part] == value)
    for row in connection.execute(query):
        at_us = int(row[0]) * unit_us
        start = day_of(at_us, wanted.zone) if wanted.unit == "day" else at_us
        yield start, QuotaKey(*row[1:4]), Use(*(int(count) for count in row[4:]))


def drop_before(engine: Engine, minute: int, hour: int, begin: Begin = writing) -> int:
    """Let go of minutes and hours before these; of limits so many stay as say which was in force. How many rows went.

    Raises what `begin` raises.
    """
    gone = _drop(engine, LANE_MINUTES, "minute", minute, _STEP_MINUTES, begin)
    gone += _drop(engine, LANE_HOURS, "hour", hour, _STEP_MINUTES, begin)
    with begin(engine) as connection:
        for said in (_THINNED, _FORGOTTEN):
            gone += connection.execute(text(said), {"minute": minute, "oldest": hour * MINUTES}).rowcount
    return gone


_LATER: Final = " AND ".join(f"later.{part} = {LANE_LIMITS.name}.{part}" for part in LANE)
# Of an hour whose minutes are gone the last limit stays; before the oldest hour, the last one of all.
_THINNED: Final = (
    f"DELETE FROM {LANE_LIMITS.name} WHERE minute < :minute AND EXISTS (SELECT 1 FROM {LANE_LIMITS.name} later "  # noqa: S608 - our words
    f"WHERE {_LATER} AND later.minute > {LANE_LIMITS.name}.minute "
    f"AND later.minute / {MINUTES} = {LANE_LIMITS.name}.minute / {MINUTES})"
)
_FORGOTTEN: Final = (
    f"DELETE FROM {LANE_LIMITS.name} WHERE minute < :oldest AND EXISTS (SELECT 1 FROM {LANE_LIMITS.name} later "  # noqa: S608
    f"WHERE {_LATER} AND later.minute > {LANE_LIMITS.name}.minute AND later.minute <= :oldest)"
)


def _drop(engine: Engine, table: Table, unit: str, before: int, step: int, begin: Begin) -> int:
    """In small steps, so that writers hardly wait."""
    number, gone = table.c[unit], 0
    while True:
        with engine.connect() as connection:
            oldest = connection.scalar(select(number).where(number < before).order_by(number).limit(1))
        if oldest is None:
            return gone
        with begin(engine) as connection:
            gone += connection.execute(delete(table).where(number < min(before, oldest + step))).rowcount
