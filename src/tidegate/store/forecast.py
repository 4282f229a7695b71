"""What the month will have cost when it ends.

Seasonal mean (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd ed., 5.2 and 5.5): each hour that
is left of the month costs what that hour of the week cost on average in the last four weeks; with less than two weeks
of history, what that hour of the day did. The interval holds the month in four of five cases when days differ from
that pattern by chance and independently: ± 1.28 standard deviations of a day's error, times the root of the days left.
It knows no trend: who doubles every week is underestimated.
"""

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import sqrt
from typing import Final, NamedTuple

from sqlalchemy import Connection

from tidegate.store.reports import costs
from tidegate.units import HOUR_US

HISTORY_HOURS: Final = 28 * 24
_TWO_WEEKS: Final = 14 * 24
_DAY: Final = 24
_DAYS_OF_WEEK: Final = 7
_HOUR_S: Final = 3_600
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FOUR_OF_FIVE: Final = 1.2816  # quantile of the normal distribution at 90 %


class Forecast(NamedTuple):
    """Money in billionths. `history_hours`: from how much it is known; 0 = nothing is, and the rest is taken for 0."""

    month: str
    spent_nano: int
    expected_nano: int
    low_nano: int
    high_nano: int
    history_hours: int


def forecast(connection: Connection, wall: int, zone: tzinfo, filters: Mapping[str, str]) -> Forecast:
    """Of the month that it is at `wall` (microseconds since 1970) in this zone. O(sums of the last weeks)."""
    at = (_EPOCH + timedelta(microseconds=wall)).astimezone(zone)
    first, end = _hour(at.year, at.month, zone), _hour(at.year + at.month // 12, at.month % 12 + 1, zone)
    now = wall // HOUR_US
    known = costs(connection, min(first, now - HISTORY_HOURS) * HOUR_US, end * HOUR_US, filters)
    spent = sum(cost for hour, cost in known.items() if hour >= first)
    lately = {hour: cost for hour, cost in known.items() if now - HISTORY_HOURS <= hour < now}
    history = now - min(lately) if lately else 0
    rest, deviation = ahead(lately, now, history, end, (wall % HOUR_US) / HOUR_US, zone)
    expected, width = spent + round(rest), round(_FOUR_OF_FIVE * deviation)
    low, high = max(spent, expected - width), expected + width
    return Forecast(f"{at:%Y-%m}", spent, expected, low, high, history)


def ahead(
    costs: Mapping[int, int], now: int, history: int, end: int, passed: float, zone: tzinfo
) -> tuple[float, float]:
    """What the hours from `now` to before `end` will cost, and the standard deviation of that. Pure; O(history).

    `costs` by hour since 1970 over the last `history` hours; `passed` is the part of the first hour that is over.
    """
    if history <= 0:
        return 0.0, 0.0
    weekly = history >= _TWO_WEEKS
    past = range(now - history, now)
    sums: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    for hour in past:
        season = _season(hour, zone, weekly=weekly)
        sums[season] += costs.get(hour, 0)
        counts[season] += 1
    usual = {season: sums[season] / counts[season] for season in counts}
    overall = sum(sums.values()) / history
    left = [usual.get(_season(hour, zone, weekly=weekly), overall) for hour in range(now, end)]
    rest = sum(left) - (left[0] * passed if left else 0.0)
    errors: dict[date, float] = defaultdict(float)
    for hour in past:
        errors[_local(hour, zone).date()] += costs.get(hour, 0) - usual[_season(hour, zone, weekly=weekly)]
    free = max(1, len(errors) - (_DAYS_OF_WEEK if weekly else 1))  # less what the pattern took from them
    daily = sqrt(sum(error * error for error in errors.values()) / free)
    return rest, daily * sqrt(len(left) / _DAY)


def _season(hour: int, zone: tzinfo, *, weekly: bool) -> int:
    at = _local(hour, zone)
    return at.weekday() * _DAY + at.hour if weekly else at.hour


def _local(hour: int, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(hour * _HOUR_S, UTC).astimezone(zone)


def _hour(year: int, month: int, zone: tzinfo) -> int:
    """The first hour since 1970 that begins in this month."""
    return -(-int(datetime(year, month, 1, tzinfo=zone).timestamp()) // _HOUR_S)
