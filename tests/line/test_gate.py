"""Turns at a quota: first come, first served, exactly on time, and nothing is lost when somebody leaves."""

import asyncio

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.line.scenes import MINUTE, gate_of
from tidegate.line.gate import Gate, Permit
from tidegate.policy.allowance import NEVER
from tidegate.policy.quota import Charge
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle

LATE = 10**12


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


class Queue:
    """Calls that wait at a gate, and the order and time in which their turns come."""

    def __init__(self, clock: ManualClock, gate: Gate) -> None:
        self.clock = clock
        self.gate = gate
        self.began = clock.now()
        self.turns: list[tuple[str, int]] = []
        self.tasks: dict[str, asyncio.Task[Permit | None]] = {}

    def join(self, name: str, tokens: int = 0, patience: int = LATE, **how: bool) -> "asyncio.Task[Permit | None]":
        task = asyncio.get_running_loop().create_task(self._wait(name, Charge(tokens), patience, how))
        self.tasks[name] = task
        return task

    async def _wait(self, name: str, charge: Charge, patience: int, how: dict[str, bool]) -> Permit | None:
        permit = await self.gate.take(charge, self.clock.now() + patience, **how)
        self.turns.append(
            (name, self.clock.now() - self.began) if permit else (f"{name} gave up", self.clock.now() - self.began)
        )
        return permit


async def test_who_can_pass_does_not_wait(clock: ManualClock) -> None:
    """No future, no timer: a permit at once, until the quota is spent."""
    gate = gate_of(clock, rpm=2)
    assert gate.take_nowait(0, clock.now())
    assert gate.take_nowait(0, clock.now())
    assert gate.take_nowait(0, clock.now()) is None
    assert clock.pending == []
    assert gate.waiting == 0


async def test_first_come_first_served_exactly_on_time(clock: ManualClock) -> None:
    """One a second: the n-th goes after n seconds, as predicted when it joined."""
    gate = gate_of(clock, rpm=60)
    for _ in range(60):
        gate.take_nowait(0, clock.now())
    queue, told = Queue(clock, gate), []
    for name in "abcde":
        told.append(gate.wait(Charge(0), clock.now()))
        queue.join(name)
        await settle()
    await clock.advance(MINUTE)
    assert queue.turns == [(name, (place + 1) * SECOND) for place, name in enumerate("abcde")]
    assert told == [at for _, at in queue.turns]


async def test_a_small_call_does_not_overtake_a_large_one(clock: ManualClock) -> None:
    """What would fit waits behind what does not, whoever asks and however."""
    gate = gate_of(clock, tpm=60)
    gate.take_nowait(50, clock.now())
    queue = Queue(clock, gate)
    queue.join("large", 40)
    await settle()
    assert gate.take_nowait(1, clock.now()) is None
    queue.join("small", 1)
    await clock.advance(MINUTE)
    assert queue.turns == [("large", 30 * SECOND), ("small", 31 * SECOND)]


async def test_who_had_its_turn_before_goes_first(clock: ManualClock) -> None:
    """A retry stands in front of those who have not been served yet."""
    gate = gate_of(clock, rpm=60)
    for _ in range(60):
        gate.take_nowait(0, clock.now())
    queue = Queue(clock, gate)
    queue.join("new")
    await settle()
    queue.join("retry", first=True)
    await clock.advance(MINUTE)
    assert [name for name, _ in queue.turns] == ["retry", "new"]


async def test_patience_ends_on_time_and_lets_the_next_move_up(clock: ManualClock) -> None:
    """The head that gives up no longer stands in the way."""
    gate = gate_of(clock, tpm=60)
    gate.take_nowait(60, clock.now())
    queue = Queue(clock, gate)
    queue.join("hurried", 50, patience=10 * SECOND)
    queue.join("patient", 12)
    await clock.advance(MINUTE)
    assert queue.turns == [("hurried gave up", 10 * SECOND), ("patient", 12 * SECOND)]
    assert gate.waiting == 0


async def test_a_call_that_is_too_large_is_told_at_once(clock: ManualClock) -> None:
    """It stands in nobody's way."""
    gate = gate_of(clock, tpm=60)
    assert gate.wait(Charge(61, least=61), clock.now()) == NEVER
    queue = Queue(clock, gate)
    task = asyncio.get_running_loop().create_task(gate.take(Charge(61, least=61), LATE))
    queue.join("next", 60)
    await settle()
    assert await task is None
    assert queue.turns == [("next", 0)]


async def test_one_timer_stands_for_the_head(clock: ManualClock) -> None:
    """And one for each waiting call's patience."""
    gate = gate_of(clock, rpm=60)
    for _ in range(60):
        gate.take_nowait(0, clock.now())
    queue = Queue(clock, gate)
    for place in range(100):
        queue.join(str(place))
    await settle()
    assert len(clock.pending) == 101
    await clock.advance(200 * SECOND)
    assert clock.pending == []


async def test_full_is_bounded(clock: ManualClock) -> None:
    """So many may wait."""
    gate = gate_of(clock, rpm=1, max_waiting=2)
    gate.take_nowait(0, clock.now())
    queue = Queue(clock, gate)
    queue.join("a")
    queue.join("b")
    assert not gate.full()
    await settle()
    assert gate.full()
    queue.tasks["a"].cancel()
    await settle()
    assert not gate.full()


# ── leaving ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("leaver", ["a", "b", "c"])
async def test_who_leaves_the_queue_leaves_no_trace(clock: ManualClock, leaver: str) -> None:
    """The others go as if it had never stood there."""
    gate = gate_of(clock, tpm=60)
    gate.take_nowait(60, clock.now())
    queue = Queue(clock, gate)
    for name in "abc":
        queue.join(name, 10)
    await clock.advance(5 * SECOND)
    queue.tasks[leaver].cancel()
    await clock.advance(MINUTE)
    rest = [name for name in "abc" if name != leaver]
    assert queue.turns == [(rest[0], 10 * SECOND), (rest[1], 20 * SECOND)]
    assert clock.pending == []


async def test_who_leaves_in_the_moment_of_its_turn_gives_it_to_the_next(clock: ManualClock) -> None:
    """The permit had been granted, the call never saw it: it returns whole, and the next goes at once."""
    gate = gate_of(clock, tpm=60)
    gate.take_nowait(60, clock.now())
    queue = Queue(clock, gate)
    first = queue.join("first", 60)
    queue.join("next", 60)
    await settle()
    clock._now += MINUTE
    gate.changed(worse=False)  # the turn is granted, the task has not run yet
    first.cancel()
    await settle()
    assert queue.turns == [("next", MINUTE)]
    assert gate.quota.tokens[0].left(clock.now()) == 0


async def test_a_cancelled_probe_passes_the_probe_on(clock: ManualClock) -> None:
    """The lane is closed; its one probe leaves before it was used; the next in the queue probes."""
    gate = gate_of(clock, rpm=600)
    gate.health.fail(0, clock.now() + SECOND)
    queue = Queue(clock, gate)
    first = queue.join("first")
    queue.join("next")
    await settle()
    clock._now += SECOND
    gate.changed(worse=False)
    first.cancel()
    await settle()
    assert [name for name, _ in queue.turns] == ["next"]
    permit = queue.tasks["next"].result()
    assert permit is not None
    assert permit.probe


async def test_all_may_leave_in_one_moment(clock: ManualClock) -> None:
    """A hundred clients gone at once: their turns are cancelled before they run, and nobody is served in vain."""
    gate = gate_of(clock, tpm=600)
    gate.take_nowait(600, clock.now())
    queue = Queue(clock, gate)
    for place in range(100):
        queue.join(str(place), 1)
    queue.join("last", 1)
    await settle()
    clock._now += SECOND
    for name, task in queue.tasks.items():
        if name != "last":
            task.cancel()
    gate.changed(worse=False)
    await settle()
    assert queue.turns == [("last", SECOND)]
    assert gate.waiting == 0
    assert gate.quota.tokens[0].left(clock.now()) == 9


async def test_a_turn_in_the_last_moment_is_a_turn(clock: ManualClock) -> None:
    """Predicted for exactly when patience ends: it is served, not sent away."""
    gate = gate_of(clock, tpm=60)
    gate.take_nowait(60, clock.now())
    queue = Queue(clock, gate)
    queue.join("a", 10, patience=10 * SECOND)
    await clock.advance(MINUTE)
    assert queue.turns == [("a", 10 * SECOND)]


# ── settling ─────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_permit_is_settled_once(clock: ManualClock) -> None:
    """Whatever comes second changes nothing."""
    gate = gate_of(clock, rpm=60, tpm=1_000)
    requests, tokens = gate.quota.requests[0], gate.quota.tokens[0]
    now = clock.now()
    for first in (Permit.keep, Permit.give_back, lambda permit: permit.settle(40)):
        permit = gate.take_nowait(100, now)
        assert permit is not None
        first(permit)
        state = requests.left(now), tokens.left(now)
        permit.settle(1)
        permit.give_back()
        permit.keep()
        assert (requests.left(now), tokens.left(now)) == state
    assert (requests.left(now), tokens.left(now)) == (58, 1_000 - 100 - 40)


async def test_what_turns_out_cheaper_lets_the_queue_go(clock: ManualClock) -> None:
    """The correction serves the next at once; a dearer one makes it wait longer."""
    gate = gate_of(clock, tpm=60)
    permit = gate.take_nowait(60, clock.now())
    queue = Queue(clock, gate)
    queue.join("a", 20)
    queue.join("b", 20)
    await clock.advance(SECOND)
    assert permit is not None
    permit.settle(40)
    await settle()
    assert queue.turns == [("a", SECOND)]
    gate.correct(19, clock.now())
    await clock.advance(MINUTE)
    assert queue.turns == [("a", SECOND), ("b", 39 * SECOND)]


async def test_what_was_not_sent_lets_the_queue_go(clock: ManualClock) -> None:
    """A permit given back is another's turn."""
    gate = gate_of(clock, rpm=1)
    permit = gate.take_nowait(0, clock.now())
    queue = Queue(clock, gate)
    queue.join("a")
    await settle()
    assert permit is not None
    permit.give_back()
    await settle()
    assert queue.turns == [("a", 0)]


async def test_the_prediction_learns_what_reservations_really_cost(clock: ManualClock) -> None:
    """Those ahead reserve twice what they come to cost: what is told a newcomer is nearer to the truth."""
    gate = gate_of(clock, tpm=6_000)
    for _ in range(20):
        permit = gate.take_nowait(200, clock.now())
        assert permit is not None
        permit.settle(100)
    gate.quota.tokens[0].take(gate.quota.tokens[0].left(clock.now()), clock.now())
    queue = Queue(clock, gate)
    for place in range(10):
        queue.join(str(place), 200)
    await settle()
    told = gate.wait(Charge(200), clock.now())
    assert 12 * SECOND <= told < 13 * SECOND  # 10 × 100 and its own 200, at 100 a second; reserved it would be 22 s
    for task in queue.tasks.values():
        task.cancel()
    await settle()


async def test_the_share_is_of_late(clock: ManualClock) -> None:
    """What was a million tokens ago weighs little against what is now."""
    gate = gate_of(clock, tpm=10**9)
    for share in (1, 1, 1, 2, 2, 2):
        for _ in range(10):
            permit = gate.take_nowait(100_000, clock.now())
            assert permit is not None
            permit.settle(100_000 // share)
    assert 0.4 < gate._really(1_000) / 1_000 < 0.65


# ── a closed lane ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_closed_until_the_named_time_then_one_probe(clock: ManualClock) -> None:
    """Nobody passes before, one at the time, all with its success."""
    gate = gate_of(clock, rpm=6_000)
    gate.health.fail(0, clock.now() + 15 * SECOND)
    assert gate.take_nowait(0, clock.now()) is None
    assert gate.wait(Charge(0), clock.now()) == 15 * SECOND
    queue = Queue(clock, gate)
    for name in "abc":
        queue.join(name)
    await clock.advance(30 * SECOND)
    assert queue.turns == [("a", 15 * SECOND)]
    probe = queue.tasks["a"].result()
    assert probe is not None
    assert gate.health.succeed(probe.epoch)
    gate.changed(worse=False)
    await settle()
    assert queue.turns == [("a", 15 * SECOND), ("b", 30 * SECOND), ("c", 30 * SECOND)]


async def test_a_failed_probe_closes_for_those_behind(clock: ManualClock) -> None:
    """The next probes at the new time."""
    gate = gate_of(clock, rpm=6_000)
    gate.health.fail(0, clock.now() + SECOND)
    queue = Queue(clock, gate)
    for name in "ab":
        queue.join(name)
    await clock.advance(2 * SECOND)
    probe = queue.tasks["a"].result()
    assert probe is not None
    gate.health.fail(probe.epoch, clock.now() + 10 * SECOND)
    gate.changed(worse=True)
    await clock.advance(MINUTE)
    assert queue.turns == [("a", SECOND), ("b", 12 * SECOND)]


async def test_who_cannot_wait_that_long_any_more_is_sent_away(clock: ManualClock) -> None:
    """At once, not at the end of its patience: it may still be served elsewhere."""
    gate = gate_of(clock, rpm=60)
    for _ in range(60):
        gate.take_nowait(0, clock.now())
    queue = Queue(clock, gate)
    queue.join("hurried", patience=10 * SECOND)
    queue.join("patient", patience=MINUTE, elsewhere=True)
    await settle()
    gate.health.fail(0, clock.now() + 20 * SECOND)
    gate.changed(worse=True)
    await clock.advance(MINUTE)
    assert queue.turns == [("hurried gave up", 0), ("patient", 20 * SECOND)]


async def test_who_can_just_wait_that_long_stays(clock: ManualClock) -> None:
    """A review sends nobody away who would be served in the last moment of its patience."""
    gate = gate_of(clock, rpm=60, tpm=6_000)
    for _ in range(60):
        gate.take_nowait(100, clock.now())
    queue = Queue(clock, gate)
    for place in range(1, 4):
        queue.join(str(place), 100, patience=place * SECOND)
    await settle()
    gate.changed(worse=True)
    await clock.advance(MINUTE)
    assert queue.turns == [("1", SECOND), ("2", 2 * SECOND), ("3", 3 * SECOND)]


async def test_when_a_lane_trips_those_with_another_target_go_there(clock: ManualClock) -> None:
    """Who has nowhere else to go stays."""
    gate = gate_of(clock, rpm=6_000)
    gate.health.fail(0, clock.now() + SECOND)
    queue = Queue(clock, gate)
    queue.join("mobile", elsewhere=True)
    queue.join("bound")
    await settle()
    gate.changed(worse=True, tripped=True)
    await clock.advance(2 * SECOND)
    assert queue.turns == [("mobile gave up", 0), ("bound", SECOND)]


# ── cost ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_turn_costs_the_same_whoever_waits(clock: ManualClock) -> None:
    """Ten thousand waiting: a turn asks the quota a few times, not ten thousand."""
    gate = gate_of(clock, rpm=60)
    for _ in range(60):
        gate.take_nowait(0, clock.now())
    queue = Queue(clock, gate)
    for place in range(10_000):
        queue.join(str(place))
    await settle()
    asked = 0
    real = gate.quota.wait

    def counting(charge: Charge, now: int, ahead_requests: int = 0, ahead_tokens: int = 0) -> int:
        nonlocal asked
        asked += 1
        return real(charge, now, ahead_requests, ahead_tokens)

    class Counting:
        requests, tokens = gate.quota.requests, gate.quota.tokens
        wait = staticmethod(counting)
        take, correct = gate.quota.take, gate.quota.correct

    gate.quota = Counting()  # type: ignore[assignment]
    await clock.advance(10 * SECOND)
    assert len(queue.turns) == 10
    assert asked <= 40
    for task in queue.tasks.values():
        task.cancel()
    await settle()
    assert gate.waiting == 0
    assert gate._ahead_tokens == 0


# ── anything in any order ────────────────────────────────────────────────────────────────────────────────────────────


class Turns(RuleBasedStateMachine):
    """Calls come, leave, are settled and refused in any order; every token is accounted for.

    At most a quarter of the quota is in flight: what a correction is exact for.
    """

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.clock = ManualClock()
        self.waiting: list[tuple[int, asyncio.Task[Permit | None]]] = []
        self.held: list[Permit] = []
        self.number = 0
        self.spent: list[tuple[int, int]] = []  # when, how much: as it finally stands

    @initialize(rpm=st.integers(1, 600), tpm=st.integers(10, 10_000))
    def open(self, rpm: int, tpm: int) -> None:
        self.tpm = tpm
        self.gate = gate_of(self.clock, rpm, tpm)

    def run(self, duration: int = 0) -> None:
        self.loop.run_until_complete(self.clock.advance(duration))
        order = []
        for number, task in list(self.waiting):
            if task.done():
                self.waiting.remove((number, task))
                if not task.cancelled() and (permit := task.result()) is not None:
                    order.append((permit.taken_at, number))
                    self.held.append(permit)
        assert order == sorted(order), "turns came in the order of the queue"

    @rule(share=st.floats(0, 1 / 16), patience=st.integers(0, 3 * MINUTE))
    def join(self, share: float, patience: int) -> None:
        if len(self.held) == 3:
            self.finish(0, "keep")
        charge = Charge(int(share * self.tpm))
        permit = self.gate.take_nowait(charge.tokens, self.clock.now())
        if permit is not None:
            assert not self.waiting, "nobody overtakes"
            self.held.append(permit)
            return
        self.number += 1
        take = self.gate.take(charge, self.clock.now() + patience)
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
    @rule(which=st.integers(0, 99), end=st.sampled_from(["keep", "give back", "cheaper", "fails", "succeeds"]))
    def finish(self, which: int, end: str) -> None:
        permit = self.held.pop(which % len(self.held))
        health, now = self.gate.health, self.clock.now()
        if end == "give back":
            permit.give_back()
        elif end == "cheaper":
            permit.settle(permit.tokens // 2)
            self.spent.append((permit.taken_at, permit.tokens // 2))
        else:
            permit.keep()
            self.spent.append((permit.taken_at, permit.tokens))
        if end == "fails":
            health.fail(permit.epoch, now + SECOND)
            self.gate.changed(worse=True)
        elif end == "succeeds":
            health.succeed(permit.epoch)
            self.gate.changed(worse=False)
        elif permit.probe:
            health.abandon(probe=True)
            self.gate.changed(worse=False)
        self.run()

    @invariant()
    def the_queue_is_what_waits(self) -> None:
        if not hasattr(self, "gate"):
            return
        assert self.gate.waiting == len(self.waiting)
        assert self.gate._ahead_tokens == sum(waiter.charge.tokens for waiter in self.gate._queue)
        assert len(self.clock.pending) <= len(self.waiting) + 1
        if self.waiting and not self.gate.health.blocked():
            assert len(self.clock.pending) == len(self.waiting) + 1, "the head has its timer"

    @invariant()
    def the_quota_is_never_overrun(self) -> None:
        if not hasattr(self, "gate"):
            return
        spent = sorted(self.spent + [(permit.taken_at, permit.tokens) for permit in self.held])
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
