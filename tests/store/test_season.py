"""How use goes on: tables of made-up histories whose future is known, and properties."""

from itertools import pairwise
from math import pi, sin

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.store.season import HORIZON_HOURS, SHORT_HORIZON_S, dispersion, highest, pattern, reached, soon

COUNTS = st.lists(st.integers(0, 10**6).map(float), max_size=800)


def weekly(hour: int, growth: float = 1.0) -> float:
    """A day that swells to its afternoon, weekends at a third; growing by a factor a week."""
    of_day = 1 + 0.8 * sin(2 * pi * (hour % 24 - 8) / 24)
    return 60_000 * of_day * (1.0 if hour // 24 % 7 < 5 else 0.33) * growth ** (hour / 168)


@pytest.mark.parametrize(
    ("hours", "method", "cycle"),
    [(336, "hour of the week", 168), (335, "hour of the day", 24), (48, "hour of the day", 24), (47, "trend", 1),
     (1, "trend", 1)],
)  # fmt: skip
def test_the_season_is_the_longest_of_which_two_are_known(hours: int, method: str, cycle: int) -> None:
    """A week, a day, or none."""
    known = pattern([1.0] * hours)
    assert known is not None
    assert (known.method, len(known.index)) == (method, cycle)


def test_without_an_hour_nothing_is_known() -> None:
    """Nor is it guessed."""
    assert pattern([]) is None


def test_a_season_goes_on() -> None:
    """Each hour of the week as it was, whatever hour it is now."""
    known = pattern([weekly(hour) for hour in range(5, 5 + 4 * 168)])
    assert known is not None
    for ahead in range(HORIZON_HOURS):
        assert known.at(ahead) == pytest.approx(weekly(5 + 4 * 168 + ahead))


@pytest.mark.parametrize(("growth", "within"), [(1.05, 0.01), (1.2, 0.08), (0.8, 0.16)])
def test_what_grows_goes_on_growing(growth: float, within: float) -> None:
    """By a factor a week: the next week is met hour by hour; the line stays a little behind what grows by factors."""
    known = pattern([weekly(hour, growth) for hour in range(4 * 168)])
    assert known is not None
    for ahead in range(HORIZON_HOURS):
        assert known.at(ahead) == pytest.approx(weekly(4 * 168 + ahead, growth), rel=within)


def test_a_trend_dies_away() -> None:
    """Without a season a line goes on for nine of its steps at most, and never below nothing."""
    rising, falling = pattern([float(hour) for hour in range(1, 24)]), pattern([float(24 - hour) for hour in range(24)])
    assert rising is not None
    assert falling is not None
    assert rising.at(0) == pytest.approx(23.9)
    assert rising.at(HORIZON_HOURS) == pytest.approx(32, abs=0.01)
    assert falling.at(HORIZON_HOURS) == 0


@given(COUNTS, st.floats(0.1, 1_000), st.integers(-200, HORIZON_HOURS))
def test_the_pattern_is_in_the_unit_of_its_history(hours: list[float], factor: float, ahead: int) -> None:
    """Twice the history is twice the forecast; nothing is expected to be negative."""
    one, other = pattern(hours), pattern([hour * factor for hour in hours])
    if one is None or other is None:
        assert not hours
        return
    assert one.at(ahead) >= 0
    assert other.at(ahead) == pytest.approx(one.at(ahead) * factor, rel=1e-6, abs=1e-3)


@given(COUNTS, st.floats(0, 0.999), st.floats(1, 10**5), st.floats(1, 3))
def test_a_smaller_quota_is_never_reached_later(hours: list[float], passed: float, limit: float, more: float) -> None:
    """Nor is one by a higher quantile; and what is reached is no more than the highest minute."""
    known = pattern(hours)
    if known is None:
        return
    found = [reached(known, passed, limit * more), reached(known, passed, limit), reached(known, passed, limit, more)]
    moments = [10.0**9 if one is None else one for one in found]
    for later, sooner in pairwise(moments):
        assert sooner <= later + 1e-6
    assert all(0 <= one <= HORIZON_HOURS for one in found if one is not None)
    if highest(known, passed).a_minute < limit and known.at(-1) / 60 < limit:
        assert found[1] is None


@pytest.mark.parametrize("passed", [0.0, 0.3, 0.5, 0.9])
def test_a_quota_is_reached_between_the_middles_of_hours(passed: float) -> None:
    """Where the straight line between them crosses it."""
    known = pattern([float(hour % 24) * 60 for hour in range(72)])
    assert known is not None
    met = reached(known, passed, 12.25)
    assert met == pytest.approx(12.75 - passed)
    assert highest(known, passed) == (pytest.approx(23), pytest.approx(23.5 - passed))
    assert reached(known, passed, 23.5) is None


def test_what_is_over_the_quota_is_over_it_now() -> None:
    """Also in the middle of an hour."""
    known = pattern([6_000.0] * 72)
    assert known is not None
    assert [reached(known, 0.7, limit) for limit in (99.0, 100.0, 100.1)] == [0.0, 0.0, None]


def test_dispersion_is_what_one_minute_of_ten_exceeds() -> None:
    """Of busy hours; too few minutes say nothing; a minute is not expected below its hour's mean."""
    known = pattern([60.0 if hour % 2 else 0.0 for hour in range(72)])
    assert known is not None
    busy = [(-1, 4.0 if at % 5 == 0 else 0.25) for at in range(60)]
    assert dispersion(known, [*busy, *((-2, 50.0) for _ in range(60))]) == 4.0
    assert dispersion(known, busy[:20]) == 1.0
    idle = [(-2, 0.0)] * 60
    assert dispersion(known, idle) == 1.0
    assert dispersion(known, [(-1, 0.1)] * 60) == 1.0


def test_dispersion_of_a_quiet_day_is_known_too() -> None:
    """Busy is what is busy among the minutes that are kept, be it a Sunday."""
    known = pattern([weekly(hour) for hour in range(4 * 168)])
    assert known is not None
    sunday = [(-1 - at // 60, known.at(-1 - at // 60) / 60 * (3 if at % 5 == 0 else 0.5)) for at in range(1_440)]
    assert max(known.index[hour] for hour in range(-24, 0)) < 1
    assert dispersion(known, sunday) == pytest.approx(3)


@pytest.mark.parametrize(
    ("minutes", "elapsed", "limit", "seconds"),
    [
        ([10, 20, 30, 40, 50], 0, 85, 180.0),  # 50 in the middle of the last minute, 55 at its end
        ([10, 20, 30, 40, 50], 30, 85, 150.0),
        ([10, 20, 30, 40, 50], 0, 55, 0.0),
        ([100, 100, 100, 100, 100], 0, 100, 0.0),
        ([100, 100, 100, 100, 100], 0, 101, None),
        ([50, 40, 30, 20, 10], 0, 60, None),
        ([0, 0, 0, 0, 0], 0, 1, None),
        ([0, 0, 0, 0, 1], 0, 10**6, None),
        ([], 0, 10, None),
        ([0, 0, 0, 2, 1], 0, 10, None),
        ([10, 21, 30, 42, 50], 0, 85, 173.2),
    ],
)
def test_the_line_of_the_last_minutes(
    minutes: list[float], elapsed: float, limit: float, seconds: float | None
) -> None:
    """It reaches the limit within the hour, or that is not said."""
    found = soon(minutes, elapsed, limit)
    assert found == (None if seconds is None else pytest.approx(seconds, abs=0.1))
    assert found is None or 0 <= found <= SHORT_HORIZON_S
