"""Sums over sliding windows, held against a list of everything that ever happened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.observe.sliding import WINDOWS, Buckets, SlidingSums

EVENTS = st.lists(st.tuples(st.integers(0, 400), st.integers(-5, 50)), max_size=60)
STEPS = {"1s": 1, "10s": 1, "1m": 1, "5m": 10, "1h": 60}


@given(EVENTS, st.integers(0, 4_000))
def test_windows_are_what_happened_in_them(events: list[tuple[int, int]], later: int) -> None:
    """Never less than the window's name says, and at most one bucket more."""
    sums, now, happened = SlidingSums(1), 1_000, []
    for after, amount in events:
        now += after
        sums.add([amount], now)
        happened.append((now, amount))
    now += later
    sums.advance(now)
    for name, seconds in WINDOWS.items():
        step = STEPS[name]
        oldest = (now // step - seconds // step + (step == 1)) * step
        assert sums.over(name) == [sum(amount for at, amount in happened if at >= oldest)], name


def test_the_clock_may_stand_still() -> None:
    """What happens before the newest second counts as the newest; several sums are kept apart."""
    sums = SlidingSums(2)
    sums.add([1, 10], 100)
    sums.add([2, 20], 90)
    assert sums.over("1s") == [3, 30]
    sums.advance(101)
    assert (sums.over("1s"), sums.over("10s")) == ([0, 0], [3, 30])


@pytest.mark.parametrize(("step", "count"), [(1, 60), (10, 31), (60, 61)])
def test_nothing_is_kept_of_what_is_over(step: int, count: int) -> None:
    """After a pause longer than all buckets, nothing is left and no bucket takes memory."""
    buckets = Buckets(step, count, 1)
    for second in range(0, step * count, step):
        buckets.add([1], second)
    assert buckets.totals == [count]
    assert not buckets.empty
    buckets.advance(step * count * 3)
    assert (buckets.totals, buckets.empty, buckets.last(count)) == ([0], True, [0])


def test_who_is_idle() -> None:
    """A series of which an hour and a minute have passed."""
    sums = SlidingSums(1)
    assert sums.idle
    sums.add([0], 10)
    assert not sums.idle
    sums.advance(10 + 3_600)
    assert not sums.idle
    sums.advance(10 + 3_720)
    assert sums.idle
