"""Turns at the quota of a pool: who goes when and through which lane."""

from tests.line.pools import Queue, at_once, drain, held, lane_of, refuse
from tests.line.scenes import MINUTE, pool_of, pool_over
from tidegate.line.pool import Permit
from tidegate.model.outcome import Reason
from tidegate.model.tenant import NOBODY
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle

# ── turns ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_can_pass_does_not_wait(clock: ManualClock) -> None:
    """No future, no timer: a permit at once, until the quota is spent."""
    pool = pool_of(clock, rpm=2)
    assert at_once(pool, clock)
    assert at_once(pool, clock)
    assert at_once(pool, clock) is None
    assert clock.pending == []
    assert pool.waiting == 0


async def test_first_come_first_served_exactly_on_time(clock: ManualClock) -> None:
    """One a second: the n-th goes after n seconds, as predicted when it joined."""
    pool = pool_of(clock, rpm=60)
    drain(pool, clock)
    queue, told = Queue(clock, pool), []
    for name in "abcde":
        told.append(pool.predict(NOBODY, Charge(0), clock.now()).wait_us)
        queue.join(name)
        await settle()
    await clock.advance(MINUTE)
    assert queue.turns == [(name, (place + 1) * SECOND) for place, name in enumerate("abcde")]
    assert told == [at for _, at in queue.turns]


async def test_a_small_call_does_not_overtake_a_large_one(clock: ManualClock) -> None:
    """What would fit waits behind what does not, whoever asks and however."""
    pool = pool_of(clock, tpm=60)
    at_once(pool, clock, 50)
    queue = Queue(clock, pool)
    queue.join("large", 40)
    await settle()
    assert at_once(pool, clock, 1) is None
    queue.join("small", 1)
    await clock.advance(MINUTE)
    assert queue.turns == [("large", 30 * SECOND), ("small", 31 * SECOND)]


async def test_who_had_its_turn_before_goes_first(clock: ManualClock) -> None:
    """A retry stands in front of those who have not been served yet."""
    pool = pool_of(clock, rpm=60)
    drain(pool, clock)
    queue = Queue(clock, pool)
    queue.join("new")
    await settle()
    queue.join("retry", first=True)
    await clock.advance(MINUTE)
    assert queue.order == ["retry", "new"]


async def test_patience_ends_on_time_and_lets_the_next_move_up(clock: ManualClock) -> None:
    """To the microsecond; the head that gives up no longer stands in the way."""
    pool = pool_of(clock, tpm=60)
    at_once(pool, clock, 60)
    queue = Queue(clock, pool)
    queue.join("hurried", 50, patience=10 * SECOND)
    queue.join("patient", 12)
    await clock.advance(10 * SECOND - 1)
    assert queue.turns == []
    await clock.advance(1)
    assert queue.turns == [("hurried gave up", 10 * SECOND)]
    await clock.advance(MINUTE)
    assert queue.turns[1:] == [("patient", 12 * SECOND)]
    assert pool.waiting == 0


async def test_a_turn_in_the_last_moment_is_a_turn(clock: ManualClock) -> None:
    """Predicted for exactly when patience ends: it is served, not sent away."""
    pool = pool_of(clock, tpm=60)
    at_once(pool, clock, 60)
    queue = Queue(clock, pool)
    queue.join("a", 10, patience=10 * SECOND)
    await clock.advance(MINUTE)
    assert queue.turns == [("a", 10 * SECOND)]


async def test_a_turn_that_a_stall_brings_too_late_is_the_next_ones(clock: ManualClock) -> None:
    """The process stood still beyond a call's patience: it is not sent in vain, and costs nothing."""
    pool = pool_of(clock, tpm=60)
    at_once(pool, clock, 60)
    queue = Queue(clock, pool)
    queue.join("late", 10, patience=10 * SECOND)
    queue.join("just so", 12, patience=12 * SECOND)
    queue.join("patient", 8)
    await clock.advance(9 * SECOND)
    clock.stall(3 * SECOND + 10_000)
    await clock.advance(8 * SECOND)
    names, times = zip(*queue.turns, strict=True)
    assert sorted(names) == ["just so", "late gave up", "patient"]
    assert times == (12 * SECOND + 10_000, 12 * SECOND + 10_000, 20 * SECOND)


async def test_a_call_that_is_too_large_is_told_at_once(clock: ManualClock) -> None:
    """It stands in nobody's way."""
    pool = pool_of(clock, tpm=60)
    queue = Queue(clock, pool)
    queue.join("large", 61, least=61)
    queue.join("next", 60)
    await settle()
    assert queue.turns == [("large gave up", 0), ("next", 0)]


async def test_one_timer_stands_for_the_head(clock: ManualClock) -> None:
    """And one for each waiting call's patience."""
    pool = pool_over(clock, lane_of(clock, "a", rpm=30), lane_of(clock, "b", rpm=30))
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(100):
        queue.join(str(place))
    await settle()
    assert len(clock.pending) == 101
    await clock.advance(200 * SECOND)
    assert clock.pending == []
    assert len(queue.turns) == 100


async def test_a_full_queue_is_bounded(clock: ManualClock) -> None:
    """So many may wait; who leaves makes room."""
    pool = pool_of(clock, rpm=1, max_waiting=2)
    at_once(pool, clock)
    queue = Queue(clock, pool)
    for name in "abc":
        queue.join(name)
    await settle()
    assert queue.turns == [("c gave up", 0)]
    assert pool.predict(NOBODY, Charge(0), clock.now()).full
    queue.tasks["a"].cancel()
    await settle()
    assert not pool.predict(NOBODY, Charge(0), clock.now()).full
    await queue.leave()


# ── several lanes ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_late_binding(clock: ManualClock) -> None:
    """Who queued while one lane would have been sooner is served by the one that is."""
    slow, quick = lane_of(clock, "slow", tpm=60), lane_of(clock, "quick", tpm=600)
    pool = pool_over(clock, slow, quick)
    drain(pool, clock)
    quick.quota.tokens[0].take(200, clock.now())  # 20 s of debt
    queue = Queue(clock, pool)
    queue.join("a", 30)
    await settle()
    freed = Permit(pool, quick, NOBODY, Charge(200), clock.now(), quick.breaker.epochs, 0)
    quick.take(Charge(0), clock.now())  # the debt is a call's in flight
    quick.reserved = 200
    await clock.advance(5 * SECOND)
    freed.settle(0, clock.now())
    await settle()
    assert queue.turns == [("a", 5 * SECOND)]
    assert queue.lane("a") == "quick"


async def test_every_lane_serves_the_queue(clock: ManualClock) -> None:
    """Four lanes of one call a second serve four a second."""
    pool = pool_over(clock, *(lane_of(clock, name, tpm=600) for name in "wxyz"))
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(40):
        queue.join(str(place), 10)
    await clock.advance(10 * SECOND)
    assert len(queue.turns) == 40
    assert sorted(queue.lane(str(place)) for place in range(40)) == sorted("wxyz" * 10)


async def test_a_lane_that_closes_is_passed_by(clock: ManualClock) -> None:
    """Calls that wait go through the others; when it opens it takes part again."""
    one, other = lane_of(clock, "one", tpm=600), lane_of(clock, "other", tpm=600)
    pool = pool_over(clock, one, other)
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(6):
        queue.join(str(place), 10)
    await settle()
    refuse(one, clock, 3)
    await clock.advance(2 * SECOND)
    assert [queue.lane(name) for name in queue.order] == ["other", "other"]
    await clock.advance(SECOND)
    assert sorted(queue.lane(name) for name in queue.order) == ["one", "other", "other", "other"]
    assert queue.permit(queue.order[-1]).probe or queue.permit(queue.order[-2]).probe
    await queue.leave()


async def test_when_all_lanes_close_the_queue_waits(clock: ManualClock) -> None:
    """Until the first of them may be probed; nobody is lost, and nobody is sent away who can wait."""
    lanes = [lane_of(clock, name, tpm=6_000) for name in "ab"]
    pool = pool_over(clock, *lanes)
    for lane, seconds in zip(lanes, (20, 10), strict=True):
        refuse(lane, clock, seconds)
    assert at_once(pool, clock, 1) is None
    assert pool.predict(NOBODY, Charge(1), clock.now()).wait_us == 10 * SECOND
    queue = Queue(clock, pool)
    queue.join("first", 1)
    queue.join("second", 1)
    await clock.advance(30 * SECOND)
    assert queue.turns == [("first", 10 * SECOND), ("second", 20 * SECOND)]
    assert (queue.lane("first"), queue.lane("second")) == ("b", "a")


async def test_a_scopes_cap(clock: ManualClock) -> None:
    """It holds over all models of a scope; a call's end anywhere in the scope is a turn."""
    cap = Cap(2)
    mine, other = (pool_over(clock, lane_of(clock, name, cap=cap)) for name in ("mine", "other"))
    first, second = held(at_once(other, clock)), held(at_once(other, clock))
    assert at_once(mine, clock) is None
    queue = Queue(clock, mine)
    queue.join("a")
    queue.join("b")
    await clock.advance(SECOND)
    assert queue.turns == []
    first.keep()
    await settle()
    assert queue.turns == [("a", SECOND)]
    second.settle(0, clock.now())
    await settle()
    assert queue.turns == [("a", SECOND), ("b", SECOND)]
    assert cap.busy == 2


async def test_what_another_pools_call_finds_out(clock: ManualClock) -> None:
    """A breaker that both pools' lanes share: closed by one's call it closes for the other, and opens again alike."""
    shared = Health()
    mine, other = (
        pool_over(clock, lane_of(clock, name, tpm=600, breaker=Breaker(shared))) for name in ("mine", "other")
    )
    drain(mine, clock)
    queue = Queue(clock, mine)
    queue.join("hurried", 10, patience=10 * SECOND)
    queue.join("patient", 10)
    await settle()
    permit = held(at_once(other, clock, 1))
    breaker = permit.lane.breaker
    breaker.fail(Reason.AUTH, permit.epochs, permit.probe, clock.now())
    await settle()
    assert queue.turns == [("hurried gave up", 0)]
    permit.keep()
    await clock.advance(20 * SECOND)
    assert queue.turns == [("hurried gave up", 0)]
    breaker.succeed(breaker.epochs)
    await settle()
    assert queue.turns == [("hurried gave up", 0), ("patient", 20 * SECOND)]


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Counting(Bucket):
    """Counts how often it is asked."""

    asked = 0

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        Counting.asked += 1
        return super().wait(cost, now, ahead)

    def has(self, cost: int, now: int) -> bool:
        Counting.asked += 1
        return super().has(cost, now)


async def test_a_turn_costs_the_same_whoever_waits(clock: ManualClock) -> None:
    """Ten thousand waiting: a turn asks the quota a few times, not ten thousand."""
    pool = pool_over(clock, Outlet("one", Quota((Counting(60, clock.now()),))))
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(10_000):
        queue.join(str(place))
    await settle()
    Counting.asked = 0
    await clock.advance(10 * SECOND)
    assert len(queue.turns) == 10
    assert Counting.asked <= 60
    await queue.leave()
    assert pool.waiting == 0
    assert len(pool.dispatcher.scheduler) == 0
