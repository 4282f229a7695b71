"""Places of a scope and a strategy's own limits, at several workers."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from harness.servers.redis import Server
from tests.cluster.tenants import Team
from tidegate.line.lanes import Lanes
from tidegate.line.pool import Pool
from tidegate.model.snapshot import RateLimitPolicy
from tidegate.policy.lease.places import Places
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Charge


@pytest.fixture
async def team(valkey: Server) -> AsyncIterator[Team]:
    made = await Team(valkey).join()
    yield made
    await made.leave()


async def take(cap: Places, seconds: float = 2.0) -> bool:
    """A call's place, as soon as there is one."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while cap.busy >= cap.limit:
        room = asyncio.Event()
        cap.listen(room.set)
        try:
            await asyncio.wait_for(room.wait(), max(0.0, end - loop.time()))
        except TimeoutError:
            return False
    cap.busy += 1
    return True


async def test_places_are_those_of_all_workers(team: Team) -> None:
    """Five are five; one that becomes free is anybody's."""
    caps = [Places("test:{s}:places", member.keeper, 5, team.clock.now()) for member in team.members]
    found = await asyncio.gather(*[take(cap) for cap in caps for _ in range(4)])
    assert sum(found) == 5
    busy = next(cap for cap in caps if cap.busy)
    other = next(cap for cap in caps if cap is not busy)
    waiting = asyncio.create_task(take(other))
    busy.leave()
    assert await waiting
    assert sum(cap.busy for cap in caps) == 5


async def test_a_limit_that_is_taken_away(team: Team) -> None:
    """Then as many as come."""
    cap = Places("test:{s}:places", team.members[0].keeper, 1, team.clock.now())
    assert await take(cap)
    cap.allow(0)
    assert await take(cap)
    assert await take(cap)


async def test_a_strategys_own_limits_are_those_of_all_workers(team: Team) -> None:
    """Thirty calls a minute in a burst are thirty, whichever worker they come to."""
    policy = RateLimitPolicy(max_rpm=30)
    pools: list[Pool[Outlet]] = []
    for member in team.members:
        pool = Lanes(member.clock, 1_000, lambda: 0.5, None, member.keeper).bound("s", policy, tiered=False)
        assert pool is not None
        pools.append(pool)
    outlets = [pool.lanes[0] for pool in pools]
    charge, passed = Charge(0, 0, 0, 0, 0), 0
    end = asyncio.get_running_loop().time() + 1.5
    while asyncio.get_running_loop().time() < end:
        for outlet in outlets:
            now = team.clock.now()
            if outlet.fits(charge, now):
                outlet.take(charge, now)
                passed += 1
            elif outlet.wallet is not None:
                outlet.wallet.want_units([1, 0, 0])
        await asyncio.sleep(0.005)
    assert 29 <= passed <= 31
