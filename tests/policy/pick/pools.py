"""Pools for the tests of strategies."""

from random import Random

from tidegate.policy.pick.face import Strategy
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota

CHARGE = Charge(1_000)


def pool(strategy: Strategy, *weights: int, tpm: int = 600_000_000) -> list[Outlet]:
    """An arranged pool with one outlet of each weight, nobody of them busy."""
    outlets = [
        Outlet(f"o{number}", Quota((), (Bucket(tpm, 0),)), weight_milli=weight) for number, weight in enumerate(weights)
    ]
    tally = Tally()
    for outlet in outlets:
        outlet.join(tally)
    strategy.arrange(outlets, tally)
    return outlets


def serve(strategy: Strategy, outlets: list[Outlet], random: Random, affinity: int = 0) -> Outlet | None:
    """One call, as the pool would."""
    chosen = strategy.choose(outlets, CHARGE, 0, affinity, 0, random.random)
    if chosen is not None:
        chosen.take(CHARGE, 0)
    return chosen


def drain(outlet: Outlet) -> None:
    """Use up its quota without carrying anything."""
    outlet.quota.take(Charge(outlet.left(0)), 0)
