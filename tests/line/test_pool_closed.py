"""A pool whose lanes are closed: probes, and who still waits."""

import pytest

from tests.line.pools import Queue, at_once, drain, lane_of, refuse
from tests.line.scenes import MINUTE, pool_of, pool_over
from tidegate.model.outcome import Reason
from tidegate.model.tenant import NOBODY
from tidegate.policy.queue.dispatcher import Waiting
from tidegate.policy.quota.quota import Charge
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle


async def test_closed_until_the_named_time_then_one_probe(clock: ManualClock) -> None:
    """Nobody passes before, one at the time, all with its success."""
    pool = pool_of(clock, rpm=6_000)
    lane = pool.lanes[0]
    refuse(lane, clock, 15)
    assert at_once(pool, clock) is None
    assert pool.predict(NOBODY, Charge(0), clock.now()).wait_us == 15 * SECOND
    queue = Queue(clock, pool)
    for name in "abc":
        queue.join(name)
    await clock.advance(30 * SECOND)
    assert queue.turns == [("a", 15 * SECOND)]
    assert lane.breaker.succeed(queue.permit("a").epochs)
    await settle()
    assert queue.turns == [("a", 15 * SECOND), ("b", 30 * SECOND), ("c", 30 * SECOND)]


async def test_a_failed_probe_closes_for_those_behind(clock: ManualClock) -> None:
    """The next probes at the new time."""
    pool = pool_of(clock, rpm=6_000)
    refuse(pool.lanes[0], clock, 1)
    queue = Queue(clock, pool)
    for name in "ab":
        queue.join(name)
    await clock.advance(2 * SECOND)
    probe = queue.permit("a")
    probe.lane.breaker.fail(Reason.RATE, probe.epochs, probe.probe, clock.now(), 10 * SECOND)
    await clock.advance(MINUTE)
    assert queue.turns == [("a", SECOND), ("b", 12 * SECOND)]


async def test_who_cannot_wait_that_long_any_more_is_sent_away(clock: ManualClock) -> None:
    """At once, not at the end of its patience: it may still be served elsewhere."""
    pool = pool_of(clock, rpm=60)
    drain(pool, clock)
    queue = Queue(clock, pool)
    queue.join("hurried", patience=10 * SECOND)
    queue.join("patient", patience=MINUTE, elsewhere=True)
    await settle()
    refuse(pool.lanes[0], clock, 20)
    await clock.advance(MINUTE)
    assert queue.turns == [("hurried gave up", 0), ("patient", 20 * SECOND)]


async def test_who_can_just_wait_that_long_stays(clock: ManualClock) -> None:
    """A review sends nobody away who would be served in the last moment of its patience."""
    pool = pool_of(clock, rpm=60, tpm=6_000)
    for _ in range(60):
        at_once(pool, clock, 100)
    queue = Queue(clock, pool)
    for place in range(1, 4):
        queue.join(str(place), 100, patience=place * SECOND)
    await settle()
    pool.changed()
    await clock.advance(MINUTE)
    assert queue.turns == [("1", SECOND), ("2", 2 * SECOND), ("3", 3 * SECOND)]


async def test_a_long_queue_is_gone_through_in_slices(clock: ManualClock) -> None:
    """The loop is others' between two of them, also when more changes meanwhile; in the end nobody is left out."""
    pool = pool_of(clock, rpm=60)
    drain(pool, clock)
    queue = Queue(clock, pool)
    for number in range(200):
        queue.join(str(number), patience=1_000 * SECOND)
    await settle()
    tickets = [ticket for ticket in pool.dispatcher.scheduler if isinstance(ticket, Waiting)]
    for ticket in tickets:
        ticket.give_up_at = 100 * SECOND
    for _ in range(10):
        pool.changed()
    assert sum(ticket.reviewed > 0 for ticket in tickets) == 64
    await clock.advance(200_000)
    assert 99 <= pool.waiting <= 100
    assert not pool.dispatcher.reviewing


@pytest.mark.parametrize("lanes", [1, 2])
async def test_when_all_lanes_trip_those_with_another_target_go_there(clock: ManualClock, lanes: int) -> None:
    """Who has nowhere else to go stays. As long as one lane is sound, all stay."""
    pool = pool_over(clock, *(lane_of(clock, str(number), rpm=6_000) for number in range(lanes)))
    drain(pool, clock)
    queue = Queue(clock, pool)
    queue.join("mobile", elsewhere=True)
    queue.join("bound")
    await settle()
    for place, lane in enumerate(pool.lanes):
        assert queue.turns == [], place
        refuse(lane, clock, 1, times=3)
        await settle()
    assert pool.tripped
    await clock.advance(5 * SECOND)
    assert queue.turns == [("mobile gave up", 0), ("bound", SECOND)]


async def test_who_may_probe_is_not_kept_from_it(clock: ManualClock) -> None:
    """When the pause of a lane that refuses on end is over, calls with other targets may ask it again."""
    pool = pool_over(clock, lane_of(clock, "a", rpm=6_000))
    (lane,) = pool.lanes
    refuse(lane, clock, 1, times=3)
    assert pool.tripped
    await clock.advance(1 * SECOND)
    assert lane.breaker.tripped
    assert not pool.tripped
    lane.breaker.enter()
    assert pool.tripped
