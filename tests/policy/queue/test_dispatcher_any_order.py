"""A dispatcher under another configuration, and whatever happens in any order."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.policy.queue.dispatchers import (
    ACME,
    GLOBEX,
    LATE,
    MINUTE,
    ONE_BATCH,
    ONE_FREE,
    ONE_VIP,
    SECOND,
    desk_of,
    drain,
    join,
    names,
    outlet,
    run,
)
from tidegate.model.tenant import Tenant
from tidegate.policy.queue.dispatcher import Grant, Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.make import DISCIPLINES

# ── another configuration ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("how", DISCIPLINES)
def test_who_waits_is_inherited(how: str) -> None:
    """By another discipline: nobody is lost, the order within a tenant stays, and so do places."""
    old, new = desk_of(how="dynamic", shares=(("acme", 100),)), desk_of(how=how)
    drain(old)
    drain(new)
    for place in range(5):
        join(old, 1_000, ACME, name=f"a{place}")
        join(old, 1_000, GLOBEX, name=f"g{place}")
    assert old.book(ACME, Charge(1_000), SECOND, 0)
    new.inherit(old, 0)
    assert (old.waiting, len(old.scheduler), new.waiting) == (0, 0, 10)
    assert len(new.appointments) == 1
    served = [str(name) for name in names(run(new))]
    assert sorted(served) == sorted({*served})
    assert [name for name in served if name[0] == "a"] == [f"a{place}" for place in range(5)]
    assert [name for name in served if name[0] == "g"] == [f"g{place}" for place in range(5)]


def test_what_a_share_no_longer_promises_is_no_claim() -> None:
    """The new rules know no share: who waits by one waits like any other; what they still promise stays claimed."""
    for shares, first in (((), "v"), ((("f", 100),), "f")):
        old = desk_of(how="dynamic", tiered=True, shares=(("f", 100),))
        new = desk_of(how="dynamic", tiered=True, shares=shares)
        drain(old)
        drain(new)
        join(old, 1_000, ONE_FREE)
        join(old, 1_000, ONE_VIP)
        new.inherit(old, 0)
        assert names(run(new))[0] == first


def test_what_tiers_need_is_inherited() -> None:
    """A reload opens no gap in what is kept for vip."""
    old, new = desk_of(tiered=True), desk_of(tiered=True)
    assert old.pass_now(ONE_VIP, Charge(1_000), 0, 0)
    new.inherit(old, 0)
    new.outlets.all[0].take(Charge(1_000), 0)
    assert new.pass_now(ONE_FREE, Charge(57_001), 0, 0) is None
    assert new.pass_now(ONE_FREE, Charge(57_000), 0, 0)


# ── anything in any order ────────────────────────────────────────────────────────────────────────────────────────────


TENANTS = st.sampled_from([ACME, GLOBEX, ONE_VIP, ONE_FREE, ONE_BATCH])


class Machine(RuleBasedStateMachine):
    """Calls come, pass, leave and end in any order: each is served at most once, and none is lost."""

    @initialize(
        how=st.sampled_from([*DISCIPLINES]),
        lanes=st.integers(1, 4),
        tiered=st.booleans(),
        most=st.sampled_from([3, 1_000]),
        shares=st.sampled_from([(), (("acme", 300), ("free", 200))]),
    )
    def build(self, how: str, lanes: int, tiered: bool, most: int, shares: tuple[tuple[str, int], ...]) -> None:
        self.now = 0
        self.outlets = [outlet(str(number), 6_000, 60, cap=3) for number in range(lanes)]
        self.dispatcher = desk_of(*self.outlets, how=how, most=most, tiered=tiered, shares=shares)
        self.here: list[Waiting] = []
        self.ended: list[Waiting] = []
        self.flying: list[tuple[Outlet, Tenant, int, int]] = []

    @rule(tenant=TENANTS, tokens=st.integers(0, 3_000), front=st.booleans())
    def come(self, tenant: Tenant, tokens: int, front: bool) -> None:
        charge = Charge(tokens)
        told = self.dispatcher.predict(tenant, charge, self.now)
        one = self.dispatcher.pass_now(tenant, charge, 0, self.now)
        if one is not None:
            assert not self.here
            one.take(charge, self.now)
            self.flying.append((one, tenant, tokens, self.now))
            return
        ticket = Waiting(tenant, charge, self.now, LATE)
        pushed = self.dispatcher.enter(ticket, self.now, front=front)
        assert told.full == (pushed is ticket)
        if pushed is not ticket:
            self.here.append(ticket)
        if pushed is not None and pushed is not ticket:
            assert pushed.owner.tier.rank > tenant.tier.rank
            self._ends(pushed)
        self.serve()

    def serve(self) -> None:
        while isinstance(step := self.dispatcher.dispatch(self.now), Grant):
            assert step.outlet is not None
            assert step.outlet.cap.busy < step.outlet.cap.limit
            self._ends(step.ticket)
            step.outlet.take(step.ticket.charge, self.now)
            self.flying.append((step.outlet, step.ticket.owner, step.ticket.charge.tokens, self.now))
        assert step > 0

    def _ends(self, ticket: Waiting) -> None:
        assert ticket not in self.ended
        self.here.remove(ticket)
        self.ended.append(ticket)

    @rule(step=st.integers(0, MINUTE))
    def time_passes(self, step: int) -> None:
        self.now += step
        self.serve()

    @rule(which=st.integers(0, 99))
    def leave(self, which: int) -> None:
        if self.here:
            ticket = self.here[which % len(self.here)]
            assert self.dispatcher.leave(ticket, self.now)
            self._ends(ticket)
            self.serve()

    @rule(which=st.integers(0, 99), share=st.floats(0, 1))
    def end(self, which: int, share: float) -> None:
        if self.flying:
            one, tenant, tokens, at = self.flying.pop(which % len(self.flying))
            one.settle(tokens, int(tokens * share), at, self.now)
            self.dispatcher.settled(tenant, tokens, int(tokens * share), self.now)
            self.serve()

    @rule(how=st.sampled_from([*DISCIPLINES]))
    def reload(self, how: str) -> None:
        new = desk_of(*self.outlets, how=how, tiered=True)
        self.dispatcher.outlets.arrange(())
        new.inherit(self.dispatcher, self.now)
        self.dispatcher = new
        self.serve()

    @invariant()
    def nobody_is_lost(self) -> None:
        if hasattr(self, "dispatcher"):
            assert self.dispatcher.waiting == len(self.dispatcher.scheduler) == len(self.here)
            tiers = [ticket.owner.tier.name for ticket in self.here]
            assert {tier: tiers.count(tier) for tier in self.dispatcher.by_tier} == self.dispatcher.by_tier
            assert sum(self.dispatcher.by_tier.values()) == self.dispatcher.waiting
            assert {*self.dispatcher.scheduler} == {*self.here}
            assert sum(one.calls for one in self.outlets) == len(self.flying)

    def teardown(self) -> None:
        """In the end everybody is served."""
        while getattr(self, "here", None):
            self.now += MINUTE
            while self.flying:
                self.end(0, 1.0)
            self.serve()


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
