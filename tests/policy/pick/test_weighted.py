"""Parts are as the weights are."""

from random import Random

from tests.policy.pick.pools import drain, pool, serve
from tidegate.policy.pick.weighted import Weighted


def test_in_proportion() -> None:
    """Ten thousand calls, weights 1 : 2 : 5: within two percent of all calls."""
    strategy, random = Weighted(), Random(2)
    outlets = pool(strategy, 1_000, 2_000, 5_000)
    for _ in range(10_000):
        serve(strategy, outlets, random)
    for outlet, part in zip(outlets, (1 / 8, 2 / 8, 5 / 8), strict=True):
        assert abs(outlet.calls / 10_000 - part) < 0.02


def test_who_cannot_serve_leaves_its_part_to_the_others() -> None:
    """The heaviest has no quota left."""
    strategy, random = Weighted(), Random(2)
    outlets = pool(strategy, 1_000, 2_000, 100_000)
    drain(outlets[2])
    served = [serve(strategy, outlets, random) for _ in range(300)]
    assert served.count(None) < 5
    assert outlets[2].calls == 0
    assert outlets[0].calls > 50
