"""A pool, whatever happens in any order."""

import asyncio

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.line.pools import lane_of
from tests.line.scenes import MINUTE, pool_over
from tidegate.line.pool import Permit
from tidegate.model.outcome import Reason
from tidegate.model.tenant import NOBODY
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.queue.dispatcher import Rules, Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.make import DISCIPLINES
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle


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
            permit.settle(permit.tokens // 2, self.clock.now())
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
        assert self.pool.waiting == len(self.pool.dispatcher.scheduler) == len(self.waiting)
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
