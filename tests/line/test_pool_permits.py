"""Permits of a pool: nothing is lost when somebody leaves, and each is settled once."""

import pytest

from tests.line.pools import Queue, at_once, drain, held, lane_of, pool_by, refuse
from tests.line.scenes import MINUTE, pool_of, pool_over
from tidegate.line.pool import Permit
from tidegate.model.outcome import Reason
from tidegate.model.tenant import NOBODY
from tidegate.policy.queue.dispatcher import Rules
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.make import DISCIPLINES
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle

# ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("leaver", ["a", "b", "c"])
@pytest.mark.parametrize("how", DISCIPLINES)
async def test_who_leaves_the_queue_leaves_no_trace(clock: ManualClock, leaver: str, how: str) -> None:
    """The others go as if it had never stood there."""
    pool = pool_by(clock, Rules(100), how, lane_of(clock, "one", tpm=60))
    at_once(pool, clock, 60)
    queue = Queue(clock, pool)
    for name in "abc":
        queue.join(name, 10)
    await clock.advance(5 * SECOND)
    queue.tasks[leaver].cancel()
    await clock.advance(MINUTE)
    rest = [name for name in "abc" if name != leaver]
    assert queue.turns == [(rest[0], 10 * SECOND), (rest[1], 20 * SECOND)]
    assert clock.pending == []
    assert (pool.waiting, len(pool.dispatcher.scheduler)) == (0, 0)


@pytest.mark.parametrize("lanes", [1, 3])
async def test_who_leaves_in_the_moment_of_its_turn_gives_it_to_the_next(clock: ManualClock, lanes: int) -> None:
    """The permit had been granted, the call never saw it: it returns whole, and the next goes at once."""
    pool = pool_over(clock, *(lane_of(clock, str(number), tpm=60) for number in range(lanes)))
    drain(pool, clock)
    queue = Queue(clock, pool)
    first = queue.join("first", 60)
    for number in range(lanes):
        queue.join(f"next {number}", 60)
    await settle()
    clock._now += MINUTE
    pool.changed()  # the turns are granted, the tasks have not run yet
    first.cancel()
    await settle()
    assert sorted(queue.turns) == [(f"next {number}", MINUTE) for number in range(lanes)]
    assert [lane.quota.tokens[0].left(clock.now()) for lane in pool.lanes] == [0] * lanes
    assert sum(lane.calls for lane in pool.lanes) == lanes


async def test_a_cancelled_probe_passes_the_probe_on(clock: ManualClock) -> None:
    """The lane is closed; its one probe leaves before it was used; the next in the queue probes."""
    pool = pool_of(clock, rpm=600)
    refuse(pool.lanes[0], clock, 1)
    queue = Queue(clock, pool)
    first = queue.join("first")
    queue.join("next")
    await settle()
    clock._now += SECOND
    pool.changed()
    first.cancel()
    await settle()
    assert queue.order == ["next"]
    assert queue.permit("next").probe


async def test_all_may_leave_in_one_moment(clock: ManualClock) -> None:
    """A hundred clients gone at once: their turns are cancelled before they run, and nobody is served in vain."""
    pool = pool_of(clock, tpm=600)
    at_once(pool, clock, 600)
    queue = Queue(clock, pool)
    for place in range(100):
        queue.join(str(place), 1)
    queue.join("last", 1)
    await settle()
    clock._now += SECOND
    for name, task in queue.tasks.items():
        if name != "last":
            task.cancel()
    pool.changed()
    await settle()
    assert queue.turns == [("last", SECOND)]
    assert pool.waiting == 0
    assert pool.lanes[0].quota.tokens[0].left(clock.now()) == 9


# ── settling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_permit_is_settled_once(clock: ManualClock) -> None:
    """Whatever comes second changes nothing."""
    pool = pool_of(clock, rpm=60, tpm=1_000)
    lane, now = pool.lanes[0], clock.now()
    requests, tokens = lane.quota.requests[0], lane.quota.tokens[0]
    for first in (Permit.keep, Permit.give_back, lambda permit: permit.settle(40, clock.now())):
        permit = held(at_once(pool, clock, 100))
        first(permit)
        state = requests.left(now), tokens.left(now), lane.calls, lane.reserved, lane.cap.busy
        permit.settle(1, clock.now())
        permit.give_back()
        permit.keep()
        assert (requests.left(now), tokens.left(now), lane.calls, lane.reserved, lane.cap.busy) == state
    assert (requests.left(now), tokens.left(now)) == (58, 1_000 - 100 - 40)
    assert (lane.calls, lane.reserved, lane.cap.busy) == (0, 0, 0)


async def test_what_turns_out_cheaper_lets_the_queue_go(clock: ManualClock) -> None:
    """The correction serves the next at once; a dearer one makes it wait longer."""
    pool = pool_of(clock, tpm=60)
    permit = held(at_once(pool, clock, 60))
    queue = Queue(clock, pool)
    queue.join("a", 20)
    queue.join("b", 20)
    await clock.advance(SECOND)
    permit.settle(40, clock.now())
    await settle()
    assert queue.turns == [("a", SECOND)]
    pool.lanes[0].quota.correct(19, clock.now(), clock.now())
    pool.changed()
    await clock.advance(MINUTE)
    assert queue.turns == [("a", SECOND), ("b", 39 * SECOND)]


async def test_what_was_not_sent_lets_the_queue_go(clock: ManualClock) -> None:
    """A permit given back is another's turn."""
    pool = pool_of(clock, rpm=1)
    permit = held(at_once(pool, clock))
    queue = Queue(clock, pool)
    queue.join("a")
    await settle()
    permit.give_back()
    await settle()
    assert queue.turns == [("a", 0)]


async def test_what_was_tried_in_vain_lets_the_queue_go(clock: ManualClock) -> None:
    """After its verdict: one that closes the lane lets nobody pass, one that closes nothing holds nobody up."""
    pool = pool_of(clock, rpm=1)
    permit = held(at_once(pool, clock))
    queue = Queue(clock, pool)
    queue.join("a")
    await settle()
    pool.lanes[0].breaker.fail(Reason.TRANSIENT, permit.epochs, permit.probe, clock.now())
    permit.give_back(judged=True)
    await settle()
    assert queue.turns == [("a", 0)]
    queue.join("b")
    await settle()
    permit = queue.permit("a")
    pool.lanes[0].breaker.fail(Reason.RATE, permit.epochs, permit.probe, clock.now(), SECOND)
    permit.give_back(judged=True)
    await clock.advance(MINUTE)
    assert queue.turns[1:] == [("b", SECOND)]


async def test_the_prediction_learns_what_reservations_really_cost(clock: ManualClock) -> None:
    """Those ahead reserve twice what they come to cost: what is told a newcomer is nearer to the truth."""
    pool = pool_of(clock, tpm=6_000)
    for _ in range(20):
        held(at_once(pool, clock, 200)).settle(100, clock.now())
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(10):
        queue.join(str(place), 200)
    await settle()
    told = pool.predict(NOBODY, Charge(200), clock.now()).wait_us
    assert 12 * SECOND <= told < 13 * SECOND  # 10 × 100 and its own 200, at 100 a second; reserved it would be 22 s
    await queue.leave()
