"""Two choices keep the loads together."""

from random import Random

from tests.policy.pick.pools import drain, pool, serve
from tidegate.policy.pick.least_loaded import LeastLoaded
from tidegate.policy.quota.quota import Charge


def test_the_less_loaded_of_two() -> None:
    """Of a pair it is always the one with fewer tokens in flight, however many calls those are."""
    strategy, random = LeastLoaded(), Random(1)
    outlets = pool(strategy, 1_000, 1_000)
    for _ in range(10):
        outlets[0].take(Charge(10), 0)
    outlets[1].take(Charge(50_000), 0)
    for _ in range(20):
        assert serve(strategy, outlets, random) is outlets[0]


def test_the_other_when_the_first_cannot() -> None:
    """The less loaded one has no quota left."""
    strategy, random = LeastLoaded(), Random(1)
    outlets = pool(strategy, 1_000, 1_000)
    drain(outlets[0])
    outlets[1].take(Charge(50_000), 0)
    assert serve(strategy, outlets, random) is outlets[1]


def test_loads_stay_together() -> None:
    """Ten thousand calls over a hundred outlets: nobody more than ten from the mean (one random choice: some 30)."""
    strategy, random = LeastLoaded(), Random(3)
    outlets = pool(strategy, *[1_000] * 100)
    for _ in range(10_000):
        serve(strategy, outlets, random)
    calls = [outlet.calls for outlet in outlets]
    assert sum(calls) == 10_000
    assert max(calls) <= 110
    assert min(calls) >= 85


def test_load_is_relative_to_the_limit() -> None:
    """An outlet with ten times the limit carries ten times as much."""
    strategy, random = LeastLoaded(), Random(3)
    small, large = pool(strategy, 1_000, tpm=100_000_000)[0], pool(strategy, 1_000, tpm=1_000_000_000)[0]
    for _ in range(1_100):
        serve(strategy, [small, large], random)
    assert abs(large.calls - 10 * small.calls) <= 11
