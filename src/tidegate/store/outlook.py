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
from tidegate.store.lane_sums import MINUTE_US, MINUTES
from tidegate.store.lane_tables import LANE, LANE_HOURS, LANE_MINUTES
from tidegate.store.metadata import HOUR_US
from tidegate.store.season import HORIZON_HOURS, SHORT_MINUTES, dispersion, highest, pattern, reached, soon
from tidegate.store.utilisation import QuotaKey

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


def samples(connection: Connection, wall: int, limits: Mapping[QuotaKey, LaneLimit]) -> list[Sample]:
    """`quota_exhausted_in_seconds` of each lane with a limit; the horizon, where it is not exhausted within that."""
    soonest: dict[QuotaKey, float] = {}
    for one in outlooks(connection, wall, limits):
        seconds = HORIZON_S if one.exhausted_s is None else one.exhausted_s
        soonest[one.lane] = min(seconds, soonest.get(one.lane, HORIZON_S))
    return [Sample(METRIC, tuple(sorted(lane._asdict().items())), seconds) for lane, seconds in sorted(soonest.items())]


def outlooks(connection: Connection, wall: int, limits: Mapping[QuotaKey, LaneLimit]) -> list[Outlook]:
    """Of each lane and unit that has a limit, at `wall` (microseconds since 1970). O(hours and minutes kept)."""
    wanted = {bounded(lane): limit for lane, limit in limits.items() if limit.tpm or limit.rpm}
    if not wanted:
        return []
    known = _histories(connection, wall)
    nothing = (LaneHistory((), ()), LaneHistory((), ()))
    return [
        outlook(lane, unit, per_minute, limit.source, history, wall)
        for lane, limit in sorted(wanted.items())
        for unit, per_minute, history in zip(UNITS, (limit.tpm, limit.rpm), known.get(lane, nothing), strict=True)
        if per_minute
    ]


def outlook(lane: QuotaKey, unit: str, limit: int, source: str, history: LaneHistory, wall: int) -> Outlook:
    """Of one lane and unit. Pure."""
    recent = [0.0] * SHORT_MINUTES + list(history.minutes)
    recent, full = recent[-SHORT_MINUTES:], limit * FULL
    passed, elapsed_s = (wall % HOUR_US) / HOUR_US, (wall % MINUTE_US) / 1e6
    found = Outlook(
        lane, unit, limit, source, "", len(history.hours), sum(recent) / SHORT_MINUTES,
        soon(recent, elapsed_s, full), None, None, 0.0, 0.0,
    )  # fmt: skip
    known = pattern(history.hours)
    if known is None:
        return found
    over = wall % HOUR_US // MINUTE_US  # minutes of this hour that are over
    past = history.minutes[: len(history.minutes) - over]
    placed = ((-1 - at // MINUTES, value) for at, value in enumerate(reversed(past)))
    factor = dispersion(known, placed)
    expected = reached(known, passed, full)
    likely = reached(known, passed, full, factor)
    top = highest(known, passed)
    return found._replace(
        method=known.method, expected_s=_seconds(expected), likely_s=_seconds(likely), peak=top.a_minute,
        peak_s=top.hours * 3_600,
    )  # fmt: skip


def _seconds(hours: float | None) -> float | None:
    return None if hours is None else hours * 3_600


def _histories(connection: Connection, wall: int) -> dict[QuotaKey, tuple[LaneHistory, LaneHistory]]:
    """Of tokens and of requests."""
    hour, minute = wall // HOUR_US, wall // MINUTE_US
    hours = _read(connection, "hour", hour - HISTORY_HOURS, hour)
    minutes = _read(connection, "minute", (hour - _DISPERSION_HOURS) * MINUTES, minute)
    nothing: dict[int, tuple[int, int]] = {}
    found = {}
    for lane in hours.keys() | minutes.keys():
        by_hour, by_minute = hours.get(lane, nothing), minutes.get(lane, nothing)
        found[lane] = (
            LaneHistory(list(_filled(by_hour, hour, 0)), list(_filled(by_minute, minute, 0))),
            LaneHistory(list(_filled(by_hour, hour, 1)), list(_filled(by_minute, minute, 1))),
        )
    return found


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
