"""How use goes on: a season, and a trend that dies away. Pure.

Ratio-to-mean seasonal indices over whole cycles (Hyndman and Athanasopoulos, Forecasting: Principles and Practice, 3rd
ed., 3.4, multiplicative), of which the level of each cycle follows a least-squares line that is damped ahead (Gardner
and McKenzie 1985; ibid. 8.2, φ = 0.9 a cycle). A cycle is a week where two are known, else a day where two are, else an
hour: then there is no season. Cycles are counted back from now, so that each is whole, and growth within a cycle is
part of its pattern. What one minute may be above its hour's mean is the 90 % quantile of what minutes were beside what
was expected of them (ibid. 5.5: errors of the past, no distribution is assumed).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, sqrt
from typing import Final, NamedTuple

HORIZON_HOURS: Final = 7 * 24
DAMPING: Final = 0.9  # of the trend, a cycle
QUANTILE: Final = 0.9
SHORT_MINUTES: Final = 5
SHORT_HORIZON_S: Final = 3_600.0  # a line through five minutes says nothing of later
_NO_CHANCE: Final = 2.353  # standard errors: t of 3 degrees of freedom at 95 %, one-sided
_MINUTES: Final = 60
_FEWEST: Final = 30  # minutes that make a quantile
_ABOUT: Final = 0.999  # sums of the same number are not quite the same


class _Cycle(NamedTuple):
    """A cycle of so many hours, of which at most so many are looked at."""

    hours: int
    most: int
    name: str


_CYCLES: Final = (_Cycle(168, 4, "hour of the week"), _Cycle(24, 7, "hour of the day"), _Cycle(1, 24, "trend"))


@dataclass(frozen=True, slots=True)
class Pattern:
    """What is expected of each hour: hour 0 is the one that it is now, -1 the last that is over."""

    method: str
    index: tuple[float, ...]  # of the hours of a cycle; their mean is 1
    level: float  # of the last cycle, an hour
    slope: float  # of the level, a cycle

    def at(self, hour: int) -> float:
        """Never below 0. O(cycles ahead)."""
        cycle, place = divmod(hour, len(self.index))
        if cycle < 0:
            level = self.level + self.slope * (cycle + 1)
        else:
            level = self.level + self.slope * DAMPING * (1 - DAMPING ** (cycle + 1)) / (1 - DAMPING)
        return max(0.0, level) * self.index[place]


def pattern(hours: Sequence[float]) -> Pattern | None:
    """Of the hours that are over, the last one last; None: there is not even one. O(hours)."""
    for cycle in _CYCLES:
        if len(hours) >= 2 * cycle.hours or (cycle.hours == 1 and hours):
            count = min(len(hours) // cycle.hours, cycle.most)
            used = hours[-count * cycle.hours :]
            levels = [sum(used[at : at + cycle.hours]) / cycle.hours for at in range(0, len(used), cycle.hours)]
            total = sum(levels)
            index = tuple(sum(used[place :: cycle.hours]) / total if total else 1.0 for place in range(cycle.hours))
            level, slope, _ = _line(levels)
            return Pattern(cycle.name, index, level, slope)
    return None


def dispersion(known: Pattern, minutes: Iterable[tuple[int, float]]) -> float:
    """The 90 % quantile of a minute beside its hour's mean, at least 1. O(minutes log minutes).

    `minutes`: the hour of each (-1 = the last that is over) and what it was. Only hours count that are as busy as these
    hours are on average: an idle hour's minutes are many times nothing.
    """
    means: dict[int, float] = {}
    placed = []
    for hour, value in minutes:
        if hour not in means:
            means[hour] = known.at(hour)
        placed.append((means[hour], value))
    usual = sum(mean for mean, _ in placed) / max(1, len(placed))
    ratios = sorted(value * _MINUTES / mean for mean, value in placed if mean >= usual * _ABOUT > 0)
    if len(ratios) < _FEWEST:
        return 1.0
    return max(1.0, ratios[ceil(QUANTILE * len(ratios)) - 1])


class Highest(NamedTuple):
    """The highest minute that is expected, and the hours until then."""

    a_minute: float
    hours: float


def highest(known: Pattern, passed: float) -> Highest:
    """Of the days ahead; `passed` is the part of this hour that is over."""
    value, hour = max((known.at(hour), -hour) for hour in range(HORIZON_HOURS))
    return Highest(value / _MINUTES, max(0.0, 0.5 - hour - passed))


def reached(known: Pattern, passed: float, limit: float, factor: float = 1.0) -> float | None:
    """In how many hours a minute is expected to use `limit`; None: not within the horizon. O(hours of it).

    Between the middles of hours what is expected runs straight. `factor`: of the quantile.
    """
    points = ((hour + 0.5 - passed, known.at(hour) * factor / _MINUTES) for hour in range(-1, HORIZON_HOURS))
    for (start, low), (end, high) in pairwise(points):
        slope = (high - low) / (end - start)
        begun = max(start, 0.0)
        if end > 0 and low + slope * (begun - start) >= limit:
            return begun
        if end > 0 and high >= limit:
            return start + (limit - low) / slope
    return None


def soon(minutes: Sequence[float], elapsed_s: float, limit: float) -> float | None:
    """In how many seconds the line through the last minutes reaches the limit; None: not within the hour.

    `minutes` are whole ones, the last one last; `elapsed_s` have passed since it ended. A rise that may be chance (one
    of twenty, by Student's t) is none.
    """
    if not minutes or max(minutes) <= 0:
        return None
    level, slope, error = _line(minutes)  # of the middle of the last minute
    now = level + slope * (0.5 + elapsed_s / 60)
    if now >= limit:
        return 0.0
    if slope <= error * _NO_CHANCE:
        return None
    seconds = (limit - now) / slope * 60
    return seconds if seconds <= SHORT_HORIZON_S else None


def _line(values: Sequence[float]) -> tuple[float, float, float]:
    """By least squares: the line at the last value, its slope, and the standard error of that."""
    count = len(values)
    mean, middle = sum(values) / count, (count - 1) / 2
    spread = sum((at - middle) ** 2 for at in range(count))
    slope = sum((at - middle) * (value - mean) for at, value in enumerate(values)) / spread if spread else 0.0
    left = sum((value - mean - slope * (at - middle)) ** 2 for at, value in enumerate(values))
    error = sqrt(left / (count - 2) / spread) if count > 2 else 0.0
    return mean + slope * middle, slope, error
