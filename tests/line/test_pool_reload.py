"""A pool under another configuration: who waits stays."""

import asyncio

import pytest

from tests.line.pools import LATE, Queue, at_once, drain, held, lane_of, pool_by
from tests.line.scenes import MINUTE, close, lane_alone, pass_through, pool_over
from tidegate.line.pool import Pool
from tidegate.model.snapshot import Limits
from tidegate.model.tenant import NOBODY
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.queue.dispatcher import Rules, Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.make import DISCIPLINES
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle


def renewed(pool: Pool[Outlet], lanes: list[Outlet], how: str = "dynamic", **rules: object) -> None:
    pool.renew(lanes, Rules(100, **rules), make_scheduler(how), make_strategy("least_loaded"))  # type: ignore[arg-type]


@pytest.mark.parametrize("how", DISCIPLINES)
async def test_a_reload_keeps_who_waits(clock: ManualClock, how: str) -> None:
    """Other schedulers, scopes and rules, again and again: nobody is lost, and none is served twice."""
    lanes = [lane_of(clock, name, tpm=600) for name in "abcd"]
    pool = pool_by(clock, Rules(100), "dynamic", *lanes[:2])
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(30):
        queue.join(str(place), 10)
    await clock.advance(2 * SECOND)
    assert len(queue.turns) == 4
    renewed(pool, lanes[1:3], how, shares=(("v", 200),), tiered=True)  # c is new, and full
    await settle()
    assert len(queue.turns) == 30
    assert sorted(queue.order) == sorted(queue.tasks)
    for task in queue.tasks.values():
        held(task.result()).keep()  # those of lanes that are gone, too
    assert [lane.calls for lane in lanes] == [0] * 4
    assert clock.pending == []


async def test_a_reload_that_takes_the_last_free_scope_away(clock: ManualClock) -> None:
    """Who waits goes on waiting for those that stay; permits of the scope that left are settled alone."""
    stays, goes = lane_of(clock, "stays", tpm=60), lane_of(clock, "goes", tpm=6_000)
    pool = pool_over(clock, stays, goes)
    drain(pool, clock)
    queue = Queue(clock, pool)
    for name in "abc":
        queue.join(name, 100 if name == "c" else 30)
    await clock.advance(SECOND)
    assert queue.order == ["a", "b"]
    renewed(pool, [stays])
    await clock.advance(59 * SECOND)
    assert queue.turns[2:] == [("c", MINUTE)]  # a full bucket, as always for what is above a limit
    for name in "abc":
        queue.permit(name).settle(0, clock.now())
    assert (goes.calls, goes.reserved, stays.calls, pool.dispatcher.outlets.tally.calls) == (0, 0, 0, 0)


async def test_a_reload_that_halves_the_time(clock: ManualClock) -> None:
    """Who cannot be served in time by what is left is told at once."""
    lanes = [lane_of(clock, name, tpm=60) for name in "ab"]
    pool = pool_over(clock, *lanes)
    drain(pool, clock)
    queue = Queue(clock, pool)
    queue.join("first", 10, patience=15 * SECOND)
    queue.join("second", 10, patience=15 * SECOND)
    await settle()
    renewed(pool, lanes[:1])
    await clock.advance(MINUTE)
    assert queue.turns == [("second gave up", 0), ("first", 10 * SECOND)]


async def test_a_pool_that_is_dropped_listens_no_more(clock: ManualClock) -> None:
    """What it shared with others keeps no trace of it; who holds an old plan is served all the same."""
    shared = Health()
    lane = lane_of(clock, "a", tpm=600, breaker=Breaker(shared))
    pool = pool_over(clock, lane)
    pool.close()
    assert lane.tallies == ()
    assert not lane.breaker.refresh()
    held(at_once(pool, clock, 600)).settle(600, clock.now())
    queue = Queue(clock, pool)
    queue.join("late", 10)
    await clock.advance(MINUTE)
    assert queue.turns == [("late", SECOND)]
    assert lane.tallies == ()


async def test_a_lane_tells_its_pool(clock: ManualClock) -> None:
    """A limit that grew lets the next go; a lane that closed and opened does."""
    lane = lane_alone(clock, Limits(tpm=60))
    assert lane.pool is not None
    assert pass_through(lane, clock, 60)
    task = asyncio.get_running_loop().create_task(
        lane.pool.take(Waiting(NOBODY, Charge(60), clock.now(), clock.now() + LATE))
    )
    await clock.advance(SECOND)
    close(lane, clock.now() + SECOND)
    lane.reconfigure(lane.service, Limits(tpm=6_000))
    await clock.advance(SECOND - 1)
    assert not task.done()
    await clock.advance(SECOND)
    assert task.done()
