"""Which calls are a sample."""

import pytest

from tidegate.policy.sampling import sampled

FIRST = 1_790_000_000_000_000  # ids begin with the wall clock


@pytest.mark.parametrize("ppm", [1_000, 10_000, 100_000, 500_000])
def test_so_many_of_a_million(ppm: int) -> None:
    """Of ids that follow each other, within five standard deviations."""
    calls = 50_000
    share = ppm / 1_000_000
    found = sum(sampled(FIRST + number, ppm) for number in range(calls))
    assert abs(found - calls * share) < 5 * (calls * share * (1 - share)) ** 0.5


def test_none_and_all() -> None:
    """Zero keeps nothing, a million everything."""
    ids = range(FIRST, FIRST + 1_000)
    assert not any(sampled(one, 0) for one in ids)
    assert all(sampled(one, 1_000_000) for one in ids)


def test_who_is_in_a_small_sample_is_in_a_larger_one() -> None:
    """And is so again whenever it is asked, in every process."""
    ids = range(FIRST, FIRST + 20_000)
    small, large = ({one for one in ids if sampled(one, ppm)} for ppm in (10_000, 50_000))
    assert small < large

    assert sampled((3 << 53) + FIRST, 1_000_000)
