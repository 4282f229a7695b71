"""The most room, in the scarcest dimension."""

from random import Random

from tests.policy.pick.pools import CHARGE, drain, pool, serve
from tidegate.policy.pick.headroom import SAMPLED, Headroom
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota


def test_the_one_with_the_most_left() -> None:
    """Of as many as are looked at, always."""
    strategy, random = Headroom(), Random(4)
    outlets = pool(strategy, *[1_000] * SAMPLED, tpm=60_000)
    for number, outlet in enumerate(outlets):
        outlet.quota.take(Charge(10_000 * ((number * 3) % SAMPLED)), 0)
    assert serve(strategy, outlets, random) is outlets[0]


def test_requests_count_as_tokens_do() -> None:
    """Plenty of tokens help nobody who has hardly a request left."""
    rich = Outlet("rich", Quota((Bucket(10, 0),), (Bucket(1_000_000, 0),)))
    even = Outlet("even", Quota((Bucket(10, 0),), (Bucket(10_000, 0),)))
    for _ in range(8):
        rich.take(Charge(1), 0)
    strategy = Headroom()
    strategy.arrange([rich, even], Tally())
    assert strategy.choose([rich, even], CHARGE, 0, 0, 0, Random(1).random) is even


def test_few_are_looked_at() -> None:
    """Whatever the size of the pool: one that can serve may be missed, which the pool makes good."""
    strategy = Headroom()
    outlets = pool(strategy, *[1_000] * 100)
    for outlet in outlets[:-1]:
        drain(outlet)
    assert strategy.choose(outlets, CHARGE, 0, 0, 0, lambda: 0.0) is None
    assert strategy.choose(outlets, CHARGE, 0, 0, 0, lambda: 0.99) is outlets[-1]
