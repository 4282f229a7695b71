"""Newcomers beside those who were told a time: whose turn it is, and that nobody gains by being refused."""

from collections.abc import Iterable
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.model.cluster import BUCKET
from tidegate.model.tenant import PAID, Tenant
from tidegate.policy.lease.purse import SOON_US, QuotaLease
from tidegate.policy.pick import make as pick
from tidegate.policy.queue.appointments import GRACE_US
from tidegate.policy.queue.dispatcher import Dispatcher, Grant, Rules, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.queue.records import Ahead
from tidegate.policy.queue.welcome import CLOSE_US
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.schedule.make import make as scheduler
from tidegate.simulate.fairness import Gaps, fair_shares, jain

SECOND = 1_000_000
LARGEST = 3_000
ACME, GLOBEX = Tenant("acme", PAID), Tenant("globex", PAID)


def desk_of(rate: int) -> Dispatcher:
    """One outlet of so many tokens a second, from which everything was taken."""
    bucket = Bucket(10 * rate, 0, window_us=10 * SECOND)
    bucket.take(bucket.left(0), 0)
    outlets = Outlets([Outlet("one", Quota((), (bucket,)))], pick("headroom"))
    return Dispatcher(outlets, scheduler("dynamic"), lambda: 0.0, Rules(10_000), 0)


class Door:
    """Clients before a dispatcher in virtual time. Who would wait for more than `patience` is refused with a time."""

    def __init__(self, dispatcher: Dispatcher, names: Iterable[str], patience: int) -> None:
        self.dispatcher = dispatcher
        self.patience = patience
        self.tenants = {name: Tenant(name, PAID) for name in names}
        self.served: dict[str, int] = dict.fromkeys(self.tenants, 0)
        self.numbers = {name: number for number, name in enumerate(self.tenants)}
        self.gaps = Gaps([0] * len(self.tenants), [1.0] * len(self.tenants))
        self.waits: dict[str, int] = dict.fromkeys(self.tenants, 0)
        self.now = 0

    def arrive(self, name: str, cost: int, now: int) -> int:
        """0, or the time that it was told."""
        self.until(now)
        dispatcher, tenant, charge = self.dispatcher, self.tenants[name], Charge(cost)
        outlet = dispatcher.pass_now(tenant, charge, 0, now)
        if outlet is not None:
            self._send(name, cost, outlet)
            return 0
        wait = dispatcher.predict(tenant, charge, now).wait_us
        if wait > self.patience:
            return now + dispatcher.promise(tenant, charge, wait, now)
        dispatcher.enter(Waiting(tenant, charge, now, NEVER), now)
        self.waits[name] += 1
        if self.waits[name] == 1:
            self.gaps.waits(self.numbers[name])
        return 0

    def until(self, end: int) -> None:
        """Let time pass."""
        while True:
            step = self.dispatcher.dispatch(self.now)
            if isinstance(step, Grant):
                assert step.outlet is not None
                name = step.ticket.owner.name
                self._send(name, step.ticket.cost, step.outlet)
                self.waits[name] -= 1
                if not self.waits[name]:
                    self.gaps.rests(self.numbers[name])
            elif step == UNTOLD or self.now + step > end:
                break
            else:
                self.now += step
        self.now = end

    def _send(self, name: str, cost: int, outlet: Outlet) -> None:
        outlet.take(Charge(cost), self.now)
        outlet.keep(cost)
        self.served[name] += cost
        self.gaps.served(self.numbers[name], cost)


# ── whose turn it is ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_place_that_has_come_due_is_behind_nobodys() -> None:
    """Its owner waits for its own cost only, whoever else was told a time."""
    dispatcher = desk_of(1_000)
    for tenant in (GLOBEX, ACME):
        assert dispatcher.book(tenant, Charge(1_000), SECOND, 0)
    for _ in range(5):
        assert dispatcher.book(GLOBEX, Charge(9_000), 3 * SECOND, 0)
    assert dispatcher.promise(Tenant("new", PAID), Charge(1_000), 0, SECOND) > SECOND
    assert dispatcher.promise(ACME, Charge(1_000), 0, SECOND) <= SECOND


def test_the_gap_before_its_first_place_is_its_own() -> None:
    """Where turns are close, a tenant whose places begin later than a turn from now need not go behind the last one."""
    told = {}
    for first in (1, 20):
        dispatcher = desk_of(1_000)
        for number in range(3):
            dispatcher.book(ACME, Charge(1_000), (first + number) * SECOND, 0)
        told[first] = dispatcher.promise(ACME, Charge(1_000), 0, 0)
    assert told[1] >= 3 * SECOND
    assert told[20] <= 2 * SECOND


def test_where_turns_are_far_apart_places_go_in_their_order() -> None:
    """Then a turn before somebody's time would be more than who comes back can wait for."""
    dispatcher = desk_of(1_000)
    for number in range(CLOSE_US // SECOND + 1):
        dispatcher.book(Tenant(f"t{number}", PAID), Charge(1_000), (number + 1) * SECOND, 0)
    assert dispatcher.promise(ACME, Charge(1_000), 0, 0) > CLOSE_US


def test_part_of_a_call_lets_it_wait_for_its_turn() -> None:
    """What has come due is half of its cost: it may queue, but where turns are far apart it is told a later time."""
    for rate, soon in ((1_000, True), (100, False)):
        dispatcher = desk_of(rate)
        dispatcher.book(ACME, Charge(1_000), 0, 0)
        dispatcher.book(GLOBEX, Charge(1_000), 0, 0)
        dispatcher.book(ACME, Charge(2_000), 100 * SECOND, 0)
        assert (dispatcher.promise(ACME, Charge(2_000), 0, 0) < 50 * SECOND) == soon
        assert dispatcher.predict(ACME, Charge(1_000), 0).wait_us == 1_000 * SECOND // rate


# ── nobody gains by being refused ────────────────────────────────────────────────────────────────────────────────────


def test_a_flood_that_always_has_a_next_call_has_no_more_than_others() -> None:
    """Refused calls do not come back: Jain's index of it and ten steady tenants is 0.999, and the quota is used."""
    rate, end, warm, chance = 10_000, 400 * SECOND, 60 * SECOND, Random(5)
    steady = [f"steady{number}" for number in range(10)]
    door = Door(desk_of(rate), ["flood", *steady], 15 * SECOND)
    coming = [(at, "flood") for at in range(0, end, SECOND // 20)]
    for name in steady:
        at = 0.0
        while (at := at + chance.expovariate(0.75)) < end // SECOND:
            coming.append((int(at * SECOND), name))
    before: dict[str, int] | None = None
    asked = dict.fromkeys(door.tenants, 0)
    for at, name in sorted(coming):
        if at >= warm and before is None:
            before = dict(door.served)
        cost = chance.randint(1_000, LARGEST)
        asked[name] += cost if at >= warm else 0
        door.arrive(name, cost, at)
    assert before is not None
    had = [amount - before[name] for name, amount in door.served.items()]
    fair = fair_shares(list(asked.values()), [1.0] * len(had), sum(had))
    assert jain([mine / due for mine, due in zip(had, fair, strict=True)]) >= 0.999
    assert max(had) == pytest.approx(sum(had) / len(had), rel=0.08)
    assert sum(had) >= 0.99 * rate * (end - warm) / SECOND
    assert door.gaps.widest <= 3 * LARGEST


_who = st.sampled_from([0, 0, 0, 0, 1, 1, 2, 3, 4])  # one of them floods
_calls = st.tuples(_who, st.integers(LARGEST // 2, LARGEST), st.integers(0, SECOND // 4))


@settings(deadline=None, max_examples=30)
@given(st.lists(_calls, min_size=80, max_size=120), st.integers(1, 20), st.booleans())
def test_the_gap_of_who_waits_is_bounded_with_places(
    calls: list[tuple[int, int, int]], patience: int, returns: bool
) -> None:
    """Of any two, over all intervals, at most three largest calls, whoever redeems places, and whether they return."""
    door = Door(desk_of(5_000), "abcde", patience * SECOND // 2)
    at, back = 0, list[tuple[int, str, int]]()
    for who, cost, pause in calls * 3:
        at += pause
        while back and back[0][0] <= at:
            due, name, size = back.pop(0)
            door.arrive(name, size, due)
        name = "abcde"[who]
        told = door.arrive(name, cost, at)
        if told and returns:
            back = sorted([*back, (told, name, cost)])
    door.until(at + GRACE_US)
    assert door.gaps.widest <= 3 * LARGEST


class Nobody:
    """Other workers, at which nobody waits. Fulfils `forecast.Elsewhere`."""

    def before(self, tenant: Tenant, charge: Charge, ahead: Ahead, now: int) -> Ahead:
        """Nothing more than here."""
        return ahead


@pytest.mark.parametrize(("left", "due", "at_hand"), [(5_000, 60, True), (900, 60, False), (5_000, 0, False)])
def test_an_exchange_with_a_fund_that_has_it_is_no_wait(left: int, due: int, at_hand: bool) -> None:
    """However much was promised for later, what nobody is to have now goes to who comes; else quota would lie idle.

    As it does at once where the quota is one worker's alone.
    """
    purse = QuotaLease(BUCKET, 10_000, window_us=100 * SECOND)
    purse.told(0, left, 0, 0, 0)
    outlets = Outlets([Outlet("one", Quota((), (purse,)))], pick("headroom"))
    desk = Dispatcher(outlets, scheduler("dynamic"), lambda: 0.0, Rules(10_000), 0)
    desk.share(Nobody())
    desk.scheduler.push(first := Waiting(ACME, Charge(1_000), 0, NEVER), 0)
    desk.scheduler.remove(first, 0)
    desk.scheduler.spent(ACME, 100 * LARGEST, 0)
    assert not desk.scheduler.honours(ACME, 0)
    assert desk.book(ACME, Charge(1_000), 60 * SECOND, 0)
    for _ in range(80):
        assert desk.book(GLOBEX, Charge(1_000), due * SECOND, 0)
    assert desk.pass_now(ACME, Charge(1_000), 0, 0) is None
    wait = desk.predict(ACME, Charge(1_000), 0).wait_us
    assert wait == SOON_US if at_hand else wait > 60 * SECOND
    assert desk.promise(ACME, Charge(1_000), 0, 0) > 60 * SECOND
