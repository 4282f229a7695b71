"""Turns at the quota of a pool: who goes when and through which lane; nothing is lost when somebody leaves."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.line.scenes import MINUTE, close, lane_alone, pass_through, pool_of, pool_over
from tidegate.line.pool import Permit, Pool
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Limits
from tidegate.model.tenant import FREE, NOBODY, VIP, Tenant
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.queue.desk import Rules, Waiting
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.schedule.make import DISCIPLINES
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle

LATE = 10**12
ONE_VIP, ONE_FREE, ACME = Tenant("v", VIP), Tenant("f", FREE), Tenant("acme", VIP)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def lane_of(
    clock: ManualClock, name: str, tpm: int = 0, rpm: int = 0, *, breaker: Breaker | None = None, cap: Cap | None = None
) -> Outlet:
    now = clock.now()
    quota = Quota((Bucket(rpm, now),) if rpm else (), (Bucket(tpm, now),) if tpm else ())
    return Outlet(name, quota, breaker, cap)


def pool_by(clock: ManualClock, rules: Rules, how: str, *lanes: Outlet) -> Pool[Outlet]:
    return Pool("p", clock, lanes, rules, make_scheduler(how), make_strategy("headroom"), lambda: 0.0)


def drain(pool: Pool[Outlet], clock: ManualClock) -> None:
    """The tokens and requests of all lanes are spent."""
    now = clock.now()
    for lane in pool.lanes:
        for allowed in (*lane.quota.requests, *lane.quota.tokens):
            allowed.take(allowed.left(now), now)


def at_once(pool: Pool[Outlet], clock: ManualClock, tokens: int = 0, tenant: Tenant = NOBODY) -> Permit[Outlet] | None:
    return pool.take_nowait(tenant, Charge(tokens), 0, clock.now())


def held(permit: Permit[Outlet] | None) -> Permit[Outlet]:
    assert permit is not None
    return permit


def refuse(lane: Outlet, clock: ManualClock, seconds: int, times: int = 1) -> None:
    """The provider refuses the lane, for so long."""
    for _ in range(times):
        lane.breaker.fail(Reason.RATE, lane.breaker.epochs, 0, clock.now(), seconds * SECOND)


class Queue:
    """Calls that wait at a pool, and the order and time in which their turns come."""

    def __init__(self, clock: ManualClock, pool: Pool[Outlet]) -> None:
        self.clock = clock
        self.pool = pool
        self.began = clock.now()
        self.turns: list[tuple[str, int]] = []
        self.tasks: dict[str, asyncio.Task[Permit[Outlet] | None]] = {}

    def join(
        self, name: str, tokens: int = 0, patience: int = LATE, tenant: Tenant = NOBODY, *, least: int = 0,
        elsewhere: bool = False, first: bool = False,
    ) -> "asyncio.Task[Permit[Outlet] | None]":  # fmt: skip
        now = self.clock.now()
        ticket = Waiting(tenant, Charge(tokens, least), now, now + patience, elsewhere=elsewhere)
        task = asyncio.get_running_loop().create_task(self._wait(name, ticket, first=first))
        self.tasks[name] = task
        return task

    async def _wait(self, name: str, ticket: Waiting, *, first: bool) -> Permit[Outlet] | None:
        permit = await self.pool.take(ticket, first=first)
        self.turns.append((name if permit else f"{name} gave up", self.clock.now() - self.began))
        return permit

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.turns]

    def permit(self, name: str) -> Permit[Outlet]:
        return held(self.tasks[name].result())

    def lane(self, name: str) -> str:
        return self.permit(name).lane.name

    async def leave(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await settle()


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
    freed.settle(0)
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
    second.settle(0)
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


# ── tiers, shares, places ────────────────────────────────────────────────────────────────────────────────────────────


async def test_vip_before_free(clock: ManualClock) -> None:
    """Whoever came first."""
    pool = pool_by(clock, Rules(100, tiered=True), "dynamic", lane_of(clock, "a", tpm=60))
    drain(pool, clock)
    queue = Queue(clock, pool)
    for name in ("f1", "f2", "f3"):
        queue.join(name, 1, tenant=ONE_FREE)
    queue.join("v1", 1, tenant=ONE_VIP)
    await clock.advance(MINUTE)
    assert queue.order == ["v1", "f1", "f2", "f3"]


async def test_a_vip_finds_tokens_while_free_waits(clock: ManualClock) -> None:
    """What is kept for it no waiting call of a lower tier takes; alone, free uses all of it."""
    for seen, turns in ((True, [("f", 20 * SECOND)]), (False, [("f", 0)])):
        pool = pool_by(clock, Rules(100, tiered=True), "dynamic", lane_of(clock, "a", tpm=60))
        if seen:
            held(at_once(pool, clock, 10, ONE_VIP))
        held(at_once(pool, clock, 10 if seen else 20, ONE_FREE))  # 40 left
        queue = Queue(clock, pool)
        queue.join("f", 40, tenant=ONE_FREE)
        await settle()
        if seen:
            assert at_once(pool, clock, 10, ONE_VIP) is None  # a queue: it has to stand in it, at the first place
            vip = queue.join("v", 10, tenant=ONE_VIP)
            await settle()
            assert held(vip.result()).taken_at == clock.now()
            queue.permit("v").give_back()
        await clock.advance(MINUTE)
        assert [turn for turn in queue.turns if turn[0] == "f"] == turns


async def test_a_full_queue_sends_the_newest_free_call_away(clock: ManualClock) -> None:
    """For a vip; its turn ends with nothing, and its patience with it."""
    pool = pool_by(clock, Rules(2, tiered=True), "dynamic", lane_of(clock, "a", tpm=60))
    drain(pool, clock)
    queue = Queue(clock, pool)
    queue.join("f1", 1, tenant=ONE_FREE)
    queue.join("f2", 1, tenant=ONE_FREE)
    await settle()
    queue.join("v", 1, tenant=ONE_VIP)
    await settle()
    assert queue.turns == [("f2 gave up", 0)]
    assert len(clock.pending) == 3
    await clock.advance(MINUTE)
    assert queue.order == ["f2 gave up", "v", "f1"]


async def test_only_some_may_draw_on_it(clock: ManualClock) -> None:
    """Named tenants and tiers, even when it is idle; nobody named is everybody."""
    lane = lane_of(clock, "a")
    everybody = pool_by(clock, Rules(1), "dynamic", lane)
    some = pool_by(clock, Rules(1, only=("f", "vip")), "dynamic", lane)
    tenants = ONE_VIP, ONE_FREE, ACME, Tenant("other", FREE), NOBODY
    assert [everybody.serves(tenant) for tenant in tenants] == [True] * 5
    assert [some.serves(tenant) for tenant in tenants] == [True, True, True, False, False]


async def test_a_share_is_lent_and_taken_back(clock: ManualClock) -> None:
    """Free uses the whole pool until acme claims its half: from the next refill on it has it."""
    pool = pool_by(clock, Rules(100, shares=(("acme", 500),)), "dynamic", lane_of(clock, "a", tpm=600))
    acme = Tenant("acme", FREE)
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(20):
        queue.join(f"f{place}", 10, tenant=ONE_FREE)
    await clock.advance(5 * SECOND)
    assert queue.order == [f"f{place}" for place in range(5)]
    for place in range(5):
        queue.join(f"a{place}", 10, tenant=acme)
    await clock.advance(5 * SECOND)
    assert queue.order[5:] == [f"a{place}" for place in range(5)]
    await queue.leave()


async def test_a_told_time_is_kept(clock: ManualClock) -> None:
    """Who was refused and returns exactly then is served then, before its tenant's newcomers; the place is used up."""
    pool = pool_by(clock, Rules(100), "dynamic", lane_of(clock, "a", tpm=600))
    drain(pool, clock)
    queue, charge = Queue(clock, pool), Charge(10)
    for place in range(5):
        queue.join(str(place), 10, tenant=ONE_FREE)
    await settle()
    told = pool.predict(ONE_FREE, charge, clock.now())
    pool.promise(ONE_FREE, charge, told.wait_us)
    await clock.advance(2 * SECOND)
    for place in range(5):
        queue.join(f"new {place}", 10, tenant=ONE_FREE)
    await clock.advance(told.wait_us - 2 * SECOND - 1)
    queue.join("back", 10, tenant=ONE_FREE)
    queue.join("again", 10, tenant=ONE_FREE)
    await clock.advance(MINUTE)
    assert ("back", told.wait_us) in queue.turns
    assert queue.order[-1] == "again"
    assert len(pool.desk.appointments) == 0


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
    assert (pool.waiting, len(pool.desk.scheduler)) == (0, 0)


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
    for first in (Permit.keep, Permit.give_back, lambda permit: permit.settle(40)):
        permit = held(at_once(pool, clock, 100))
        first(permit)
        state = requests.left(now), tokens.left(now), lane.calls, lane.reserved, lane.cap.busy
        permit.settle(1)
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
    permit.settle(40)
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
        held(at_once(pool, clock, 200)).settle(100)
    drain(pool, clock)
    queue = Queue(clock, pool)
    for place in range(10):
        queue.join(str(place), 200)
    await settle()
    told = pool.predict(NOBODY, Charge(200), clock.now()).wait_us
    assert 12 * SECOND <= told < 13 * SECOND  # 10 × 100 and its own 200, at 100 a second; reserved it would be 22 s
    await queue.leave()


# ── a closed lane ────────────────────────────────────────────────────────────────────────────────────────────────────


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
    tickets = [ticket for ticket in pool.desk.scheduler if isinstance(ticket, Waiting)]
    for ticket in tickets:
        ticket.give_up_at = 100 * SECOND
    for _ in range(10):
        pool.changed()
    assert sum(ticket.reviewed > 0 for ticket in tickets) == 64
    await clock.advance(200_000)
    assert 99 <= pool.waiting <= 100
    assert not pool.desk.reviewing


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


# ── another configuration ────────────────────────────────────────────────────────────────────────────────────────────


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
        queue.permit(name).settle(0)
    assert (goes.calls, goes.reserved, stays.calls, pool.desk.outlets.tally.calls) == (0, 0, 0, 0)


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
    held(at_once(pool, clock, 600)).settle(600)
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
    assert len(pool.desk.scheduler) == 0


# ── anything in any order ────────────────────────────────────────────────────────────────────────────────────────────


class Turns(RuleBasedStateMachine):
    """Calls come, leave, are settled and refused in any order, and pools are renewed; every token is accounted for.

    At most a quarter of a lane's quota is in flight: what a correction is exact for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.waiting: list[tuple[int, asyncio.Task[Permit[Outlet] | None]]] = []
        self.held: list[Permit[Outlet]] = []
        self.number = 0
        self.fifo = True
        self.spent: dict[Outlet, list[tuple[int, int]]] = {}  # when, how much: as it finally stands

    @initialize(rpm=st.integers(1, 600), tpm=st.integers(10, 10_000), lanes=st.integers(1, 4))
    def open(self, rpm: int, tpm: int, lanes: int) -> None:
        self.tpm = tpm
        self.lanes = [lane_of(self.clock, str(number), tpm, rpm) for number in range(lanes)]
        self.spent = {lane: [] for lane in self.lanes}
        self.pool = pool_over(self.clock, *self.lanes)

    def run(self, duration: int = 0) -> None:
        self.loop.run_until_complete(self.clock.advance(duration))
        order = []
        for number, task in list(self.waiting):
            if task.done():
                self.waiting.remove((number, task))
                if not task.cancelled() and (permit := task.result()) is not None:
                    order.append((permit.taken_at, number))
                    self.held.append(permit)
        if self.fifo:
            assert order == sorted(order), "turns came in the order of the queue"

    @rule(share=st.floats(0, 1 / 16), patience=st.integers(0, 3 * MINUTE))
    def join(self, share: float, patience: int) -> None:
        if len(self.held) == 3:
            self.finish(0, "keep")
        charge, now = Charge(int(share * self.tpm)), self.clock.now()
        permit = self.pool.take_nowait(NOBODY, charge, 0, now)
        if permit is not None:
            assert not self.waiting, "nobody overtakes"
            self.held.append(permit)
            return
        self.number += 1
        take = self.pool.take(Waiting(NOBODY, charge, now, now + patience))
        self.waiting.append((self.number, self.loop.create_task(take)))
        self.run()

    @rule(duration=st.integers(0, MINUTE))
    def time_passes(self, duration: int) -> None:
        self.run(duration)

    @precondition(lambda self: self.waiting)
    @rule(which=st.integers(0, 99))
    def leave(self, which: int) -> None:
        self.waiting[which % len(self.waiting)][1].cancel()
        self.run()

    @precondition(lambda self: self.held)
    @rule(which=st.integers(0, 99), end=st.sampled_from(["keep", "give back", "tried", "cheaper", "fails", "succeeds"]))
    def finish(self, which: int, end: str) -> None:
        permit = self.held.pop(which % len(self.held))
        breaker, now, spent = permit.lane.breaker, self.clock.now(), self.spent[permit.lane]
        if end == "give back":
            permit.give_back()
        elif end == "tried":
            breaker.fail(Reason.TRANSIENT, permit.epochs, permit.probe, now)
            permit.give_back(judged=True)
        elif end == "cheaper":
            permit.settle(permit.tokens // 2)
            spent.append((permit.taken_at, permit.tokens // 2))
        else:
            permit.keep()
            spent.append((permit.taken_at, permit.tokens))
        if end == "fails":
            breaker.fail(Reason.RATE, permit.epochs, permit.probe, now, SECOND)
        elif end == "succeeds":
            breaker.succeed(permit.epochs)
        elif end in ("keep", "cheaper"):
            breaker.abandon(permit.probe)
        self.run()

    @rule(how=st.sampled_from([*DISCIPLINES]), kept=st.integers(1, 15))
    def renew(self, how: str, kept: int) -> None:
        lanes = [lane for place, lane in enumerate(self.lanes) if kept >> place & 1] or self.lanes
        self.fifo = False
        self.pool.renew(lanes, Rules(100), make_scheduler(how), make_strategy("least_loaded"))
        self.run()

    @invariant()
    def the_queue_is_what_waits(self) -> None:
        if not hasattr(self, "pool"):
            return
        assert self.pool.waiting == len(self.pool.desk.scheduler) == len(self.waiting)
        assert len(self.clock.pending) <= len(self.waiting) + 1
        if self.waiting and not any(lane.breaker.blocked() for lane in self.pool.lanes):
            assert len(self.clock.pending) == len(self.waiting) + 1, "the head has its timer"

    @invariant()
    def what_is_carried_is_what_is_held(self) -> None:
        for lane in self.spent:
            mine = [permit for permit in self.held if permit.lane is lane]
            assert (lane.calls, lane.cap.busy) == (len(mine), len(mine))
            assert lane.reserved == sum(permit.tokens for permit in mine)

    @invariant()
    def the_quota_is_never_overrun(self) -> None:
        for lane, final in self.spent.items():
            mine = [(permit.taken_at, permit.tokens) for permit in self.held if permit.lane is lane]
            spent = sorted(final + mine)
            for first in range(len(spent)):
                total = 0
                for at, tokens in spent[first:]:
                    total += tokens
                    assert total * MINUTE <= self.tpm * (MINUTE + at - spent[first][0])

    def teardown(self) -> None:
        for _, task in self.waiting:
            task.cancel()
        self.loop.run_until_complete(settle())
        self.loop.close()


Turns.TestCase.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
TestTurns = Turns.TestCase
