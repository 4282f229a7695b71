"""What funds promise, judged by a provider: nothing is overrun, nothing is stranded, and turns are fair."""

import pytest

from tests.policy.lease.world import EPOCH_US, World
from tidegate.model.cluster import BUCKET, LOG, Dim

HARM = {
    "losses": {"loss": 0.1},
    "kills": {"kill": 0.3},
    "pauses": {"pause": 0.3},
    "cuts": {"cut": 0.3},
    "freezes": {"freeze": 0.2},
    "flushes": {"flush": 0.2},
    "all but flushes": {"kill": 0.1, "pause": 0.1, "cut": 0.15, "freeze": 0.1, "loss": 0.05},
    "all but kills": {"pause": 0.1, "cut": 0.15, "freeze": 0.1, "flush": 0.1, "loss": 0.05},
}
LIMIT = 100_000


def world_of(kind: int, seed: int = 1, **settings: float) -> World:
    window_us = 2_000_000
    return World(seed, Dim(kind, LIMIT, window_us, 20_000), 3, loss=settings.get("loss", 0.0))


def harmed(world: World, harm: dict[str, float], moments: int = 15) -> None:
    """At random moments something happens to a worker, a link or the server."""
    chance = world.chance
    for _ in range(moments):
        world.run(chance.randrange(800_000))
        dice, worker = chance.random(), chance.choice(world.workers)
        for name in ("kill", "pause", "cut", "freeze", "flush"):
            dice -= harm.get(name, 0.0)
            if dice >= 0:
                continue
            if name == "kill":
                worker.begin()
            elif name == "pause":
                worker.paused_until = world.now + chance.randrange(3_000_000)
            elif name == "cut":
                worker.cut_until = world.now + chance.randrange(3_500_000)
            elif name == "freeze":
                world.frozen_until = world.now + chance.randrange(2_500_000)
            else:
                world.fund = world.roll = None
            break


@pytest.mark.parametrize("kind", [BUCKET, LOG])
@pytest.mark.parametrize("harm", list(HARM))
@pytest.mark.parametrize("seed", range(2))
def test_nothing_is_overrun(kind: int, harm: str, seed: int) -> None:
    """Whoever dies, stands still or is cut off, and whatever the server loses: the provider refuses nothing.

    But for one: everything is lost while the last one who remembers is cut off, and all others are new.
    """
    world = world_of(kind, seed, **HARM[harm])
    harmed(world, HARM[harm])
    assert world.provider.worst <= 0
    assert world.provider.total > 0


@pytest.mark.parametrize("kind", [BUCKET, LOG])
def test_nothing_is_stranded(kind: int) -> None:
    """In steady overload at least 98 % is used of what a bucket refills, and of a window what its jitter leaves."""
    world = world_of(kind)
    world.run(2_000_000)
    before, since = world.provider.total, world.now
    world.run(6_000_000)
    dim = world.dim
    window_us = dim.window_us + (dim.jitter_us if kind == LOG else 0)
    possible = LIMIT * (world.now - since) // window_us
    assert world.provider.total - before >= possible * (98 if kind == BUCKET else 88) // 100
    assert world.provider.worst <= 0


def test_what_was_lost_is_back_within_seconds() -> None:
    """After everything was lost at once, members are granted the whole rate again."""
    world = world_of(BUCKET)
    world.run(2_000_000)
    world.fund = world.roll = None
    world.run(1_000_000)
    before = world.provider.total
    world.run(2_000_000)
    assert world.provider.total - before >= LIMIT * 98 // 100


def test_two_flows_at_different_workers_get_the_same() -> None:
    """Over any stretch they differ by no more than three of the largest calls, and what is on its way."""
    world = world_of(BUCKET)
    for worker, flow, units in zip(world.workers, (1, 2, 2), (2_000, 700, 700), strict=True):
        worker.wanted = lambda flow=flow, units=units: (flow, units, 20)
    world.run(3_000_000)
    differences = []
    for _ in range(60):
        world.run(50_000)
        fund = world.fund
        assert fund is not None
        granted = {flow.flow: flow.granted for flow in fund.flows}
        differences.append(granted[1] - granted[2])
    assert max(differences) - min(differences) <= 3 * 2_000
    assert world.now > EPOCH_US
