"""When will a quota be exhausted? By the pattern of the last weeks, and by the line of the last five minutes.

The method is that of `season.py`: a season, a damped trend, and the 90 % quantile of minutes. Tokens are those that the
provider's limiter charged, requests are attempts. Exhausted means that a minute needs 95 % of its quota: the gate lets
nobody over a limit, so that use hardly shows more, however many wait. A lane whose limit nobody knows has no outlook.
It knows no calendar and no plans: who starts a campaign tomorrow is underestimated.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, select

from tidegate.model.measures import Sample
from tidegate.store.lane_limits import LaneLimit, bounded
from tidegate.store.lane_sums import MINUTES
from tidegate.store.lane_tables import LANE, LANE_HOURS, LANE_MINUTES
from tidegate.store.season import (
    HORIZON_HOURS,
    SHORT_MINUTES,
    Pattern,
    dispersion,
    highest,
    pattern,
    reached,
    soon,
)
from tidegate.store.utilisation import QuotaKey
from tidegate.units import HOUR_US, MINUTE_US

METRIC: Final = "quota_exhausted_in_seconds"
HORIZON_S: Final = HORIZON_HOURS * 3_600
FULL: Final = 0.95  # of a quota
HISTORY_HOURS: Final = 28 * 24
_DISPERSION_HOURS: Final = 24
UNITS: Final = ("tokens", "requests")


class LaneHistory(NamedTuple):
    """What one lane used of one unit: whole hours and whole minutes, the last one last."""

    hours: Sequence[float]
    minutes: Sequence[float]


class Outlook(NamedTuple):
    """One lane and unit; rates are a minute, times are seconds from now, None = not within the horizon."""

    lane: QuotaKey
    unit: str  # of UNITS
    limit: int
    source: str  # of the limit
    method: str  # "" = no hour is over yet
    history_hours: int
    rate: float  # of the last five minutes
    soon_s: float | None  # by the line of the last five minutes; within an hour
    expected_s: float | None  # the first minute that is expected to need the quota
    likely_s: float | None  # the first that one of ten such minutes exceeds
    peak: float  # the highest minute that is expected
    peak_s: float

    @property
    def exhausted_s(self) -> float | None:
        """The sooner of what the last minutes and what the pattern say."""
        known = [one for one in (self.soon_s, self.expected_s) if one is not None]
        return min(known) if known else None


class Known(NamedTuple):
    """What an hour's look at the past of one lane and unit came to."""

    pattern: Pattern | None
    factor: float  # the 90 % quantile of minutes beside their hour's mean
    hours: int


class Ahead(NamedTuple):
    """What a pattern says of a limit, in microseconds since 1970; None = not within the horizon."""

    limit: int
    expected_us: int | None
    likely_us: int | None
    peak: float
    peak_us: int


_NOTHING: Final = Known(None, 1.0, 0)


class OutlookKeeper:
    """Looks at the past once an hour, and at the last minutes whenever it is asked. Memory: the lanes with a limit."""

    __slots__ = ("_ahead", "_hour", "_known")

    def __init__(self) -> None:
        self._hour = -1
        self._known: dict[tuple[QuotaKey, str], Known] = {}
        self._ahead: dict[tuple[QuotaKey, str], Ahead] = {}

    def samples(self, connection: Connection, wall: int, limits: Mapping[QuotaKey, LaneLimit]) -> list[Sample]:
        """`quota_exhausted_in_seconds` of each lane with a limit; the horizon, where that is not within it."""
        soonest: dict[QuotaKey, float] = {}
        for one in self.outlooks(connection, wall, limits):
            seconds = HORIZON_S if one.exhausted_s is None else one.exhausted_s
            soonest[one.lane] = min(seconds, soonest.get(one.lane, HORIZON_S))
        return [
            Sample(METRIC, tuple(sorted(lane._asdict().items())), seconds) for lane, seconds in sorted(soonest.items())
        ]

    def outlooks(self, connection: Connection, wall: int, limits: Mapping[QuotaKey, LaneLimit]) -> list[Outlook]:
        """Of each lane and unit that has a limit, at `wall` (microseconds since 1970).

        O(hours and minutes kept) once an hour, else O(lanes).
        """
        wanted = {bounded(lane): limit for lane, limit in limits.items() if limit.tpm or limit.rpm}
        if not wanted:
            return []
        if wall // HOUR_US != self._hour:
            self._known, self._ahead = dict(_past(connection, wall)), {}
            self._hour = wall // HOUR_US
        recent = _read(connection, "minute", wall // MINUTE_US - SHORT_MINUTES, wall // MINUTE_US)
        found = []
        for lane, limit in sorted(wanted.items()):
            for at, (unit, per_minute) in enumerate(zip(UNITS, (limit.tpm, limit.rpm), strict=True)):
                if per_minute:
                    minutes = _lately(recent.get(lane, {}), wall, at)
                    known = self._known.get((lane, unit), _NOTHING)
                    ahead = self._of(lane, unit, per_minute, known, wall)
                    found.append(_told(lane, unit, per_minute, limit.source, known, ahead, minutes, wall))
        return found

    def _of(self, lane: QuotaKey, unit: str, limit: int, known: Known, wall: int) -> Ahead:
        """Anew where the limit is another one."""
        found = self._ahead.get((lane, unit))
        if found is None or found.limit != limit:
            found = self._ahead[lane, unit] = ahead_of(known, limit, wall)
        return found


def outlook(lane: QuotaKey, unit: str, limit: int, source: str, history: LaneHistory, wall: int) -> Outlook:
    """Of one lane and unit. Pure."""
    known = known_of(history, wall)
    recent = ([0.0] * SHORT_MINUTES + list(history.minutes))[-SHORT_MINUTES:]
    return _told(lane, unit, limit, source, known, ahead_of(known, limit, wall), recent, wall)


def known_of(history: LaneHistory, wall: int) -> Known:
    """What the past says. Pure; O(history)."""
    known = pattern(history.hours)
    if known is None:
        return _NOTHING
    over = wall % HOUR_US // MINUTE_US  # minutes of this hour that are over
    past = history.minutes[: max(0, len(history.minutes) - over)]
    placed = ((-1 - at // MINUTES, value) for at, value in enumerate(reversed(past)))
    return Known(known, dispersion(known, placed), len(history.hours))


def ahead_of(known: Known, limit: int, wall: int) -> Ahead:
    """When a limit will be exhausted by what is known of the past. Pure; O(hours ahead)."""
    if known.pattern is None:
        return Ahead(limit, None, None, 0.0, wall)
    passed, full = (wall % HOUR_US) / HOUR_US, limit * FULL
    top = highest(known.pattern, passed)
    return Ahead(
        limit,
        _moment(wall, reached(known.pattern, passed, full)),
        _moment(wall, reached(known.pattern, passed, full, known.factor)),
        top.a_minute,
        wall + round(top.hours * HOUR_US),
    )


def _told(
    lane: QuotaKey,
    unit: str,
    limit: int,
    source: str,
    known: Known,
    ahead: Ahead,
    recent: Sequence[float],
    wall: int,
) -> Outlook:
    return Outlook(
        lane,
        unit,
        limit,
        source,
        "" if known.pattern is None else known.pattern.method,
        known.hours,
        sum(recent) / SHORT_MINUTES,
        soon(recent, (wall % MINUTE_US) / 1e6, limit * FULL),
        _seconds(ahead.expected_us, wall),
        _seconds(ahead.likely_us, wall),
        ahead.peak,
        max(0.0, (ahead.peak_us - wall) / 1e6),
    )


def _moment(wall: int, hours: float | None) -> int | None:
    return None if hours is None else wall + round(hours * HOUR_US)


def _seconds(moment: int | None, wall: int) -> float | None:
    return None if moment is None else max(0.0, (moment - wall) / 1e6)


def _past(connection: Connection, wall: int) -> Iterator[tuple[tuple[QuotaKey, str], Known]]:
    hour = wall // HOUR_US
    hours = _read(connection, "hour", hour - HISTORY_HOURS, hour)
    minutes = _read(connection, "minute", (hour - _DISPERSION_HOURS) * MINUTES, hour * MINUTES)
    for lane, by_hour in hours.items():
        by_minute = minutes.get(lane, {})
        for at, unit in enumerate(UNITS):
            history = LaneHistory(list(_filled(by_hour, hour, at)), list(_filled(by_minute, hour * MINUTES, at)))
            yield (lane, unit), known_of(history, hour * HOUR_US)


def _lately(known: Mapping[int, tuple[int, int]], wall: int, unit: int) -> list[float]:
    """The last whole minutes."""
    now = wall // MINUTE_US
    return [float(known[at][unit]) if at in known else 0.0 for at in range(now - SHORT_MINUTES, now)]


def _filled(known: Mapping[int, tuple[int, int]], end: int, unit: int) -> Iterator[float]:
    """From the first that is known to before `end`; 0 where nothing was used."""
    for at in range(min(known, default=end), end):
        yield float(known[at][unit]) if at in known else 0.0


def _read(connection: Connection, unit: str, first: int, end: int) -> dict[QuotaKey, dict[int, tuple[int, int]]]:
    """Charged tokens and attempts by lane and number."""
    table = LANE_MINUTES if unit == "minute" else LANE_HOURS
    number = table.c[unit]
    query = select(number, *(table.c[part] for part in LANE), table.c.charged_tokens, table.c.attempts)
    query = query.where(number >= first, number < end, table.c.provider != "")
    found: dict[QuotaKey, dict[int, tuple[int, int]]] = defaultdict(dict)
    for row in connection.execute(query):
        found[QuotaKey(*row[1:4])][int(row[0])] = int(row[4]), int(row[5])
    return dict(found)
