"""The mean and the spread of what came lately."""

from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.average import Average

SAMPLES = st.floats(-1e9, 1e9)


def of(*samples: float) -> Average:
    average = Average()
    for sample in samples:
        average.learn(sample)
    return average


@given(st.lists(SAMPLES, min_size=1, max_size=20))
def test_the_first_ones_weigh_alike(samples: list[float]) -> None:
    """Up to twenty it is the plain mean."""
    assert of(*samples).mean == pytest.approx(fmean(samples), abs=1)


@given(st.lists(SAMPLES, max_size=100))
def test_it_stays_within_what_was_seen(samples: list[float]) -> None:
    """So does the deviation, which is never negative."""
    average = of(*samples)
    assert average.samples == len(samples)
    low, high = min(samples, default=0.0), max(samples, default=0.0)
    assert low - 1 <= average.mean <= high + 1
    assert 0 <= average.deviation <= high - low + 1


def test_it_follows() -> None:
    """After a few dozen of another size little is left of the old ones."""
    average = of(*[1.0] * 1_000, *[2.0] * 100)
    assert 1.99 < average.mean < 2.0
    assert average.deviation < 0.05


def test_one_tells_no_spread() -> None:
    """Two tell the half of it, as the first of them was all there was to expect."""
    assert of(5.0).deviation == 0.0
    assert of(5.0, 9.0).deviation == 2.0


def test_a_start_counts_as_much_as_many() -> None:
    """The next one moves it by a twentieth of the difference."""
    average = Average()
    average.start(100.0, 10.0)
    average.learn(200.0)
    assert average.mean == pytest.approx(105.0)
    assert average.deviation == pytest.approx(14.5)
