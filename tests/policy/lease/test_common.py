"""A pool over quota that all workers share: its queue, what it asks of the fund, and whom it serves by what it gets."""

from functools import partial
from random import Random

from tests.policy.lease.bank import Bank, Hours, Teller
from tidegate.model.cluster import BUCKET
from tidegate.model.tenant import PAID, Tenant
from tidegate.policy.lease.common import Common
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.pick import make as pick
from tidegate.policy.queue.dispatcher import Dispatcher
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.queue.records import Grant, Rules
from tidegate.policy.queue.waiting import Waiting
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.schedule.make import make as scheduler

SECOND = 1_000_000
MINUTE = 60 * SECOND
COST = 2_000
PATIENCE = 5 * SECOND
LARGE, SMALL = 900_000, 50_000  # tokens a minute


class Desk:
    """One worker's pool before a fund that it has for itself, and clients that do not come back."""

    def __init__(self, limit: int) -> None:
        self.clock = Hours()
        self.purse = QuotaLease(BUCKET, limit, window_us=MINUTE)
        wallet = LeaseClient("t:{s}:lane:x", [QuotaLease(BUCKET, 0, of=0), self.purse])
        outlet = Outlet("one", Quota((wallet.purses[0],), (self.purse,)))
        outlet.wallet = wallet
        outlets = Outlets([outlet], pick("headroom"))
        self.dispatcher = Dispatcher(outlets, scheduler("dynamic"), lambda: 0.0, Rules(10_000), 0)
        self.common = Common(self.dispatcher, [outlet], self.pump, self.pump)
        self.tenants = [Tenant(f"tenant-{number}", PAID) for number in range(5)]
        self.served = self.refused = 0
        Teller(Bank(self.clock), "a").open(wallet)

    def offer(self, a_minute: int, seconds: int, chance: Random) -> int:
        """So many tokens a minute arrive, at random; how many were served."""
        before, end = self.served, self.clock.now() + seconds * SECOND
        at = self.clock.now()
        while (at := at + round(chance.expovariate(a_minute / COST / MINUTE))) < end:
            self.clock.call_at(at, partial(self._arrives, chance.choice(self.tenants)))
        self.clock.go(seconds * SECOND)
        return self.served - before

    def _arrives(self, tenant: Tenant) -> None:
        charge, now = Charge(COST), self.clock.now()
        outlet = self.dispatcher.pass_now(tenant, charge, 0, now)
        if outlet is not None:
            self._send(outlet, charge)
        elif (wait := self.dispatcher.predict(tenant, charge, now).wait_us) > PATIENCE:
            self.dispatcher.promise(tenant, charge, wait, now)
            self.refused += 1
        else:
            ticket = Waiting(tenant, charge, now, now + PATIENCE)
            self.dispatcher.enter(ticket, now)
            self.clock.call_at(now + PATIENCE, partial(self._leaves, ticket))
            self.pump()

    def _leaves(self, ticket: Waiting) -> None:
        self.pump()
        self.dispatcher.leave(ticket, self.clock.now())

    def _send(self, outlet: Outlet, charge: Charge) -> None:
        outlet.take(charge, self.clock.now())
        self.served += charge.tokens

    def pump(self) -> None:
        """As the pool does."""
        now = self.clock.now()
        step: Grant | int = UNTOLD
        while self.dispatcher.waiting and isinstance(step := self.dispatcher.dispatch(now), Grant):
            assert step.outlet is not None
            self._send(step.outlet, step.ticket.charge)
        if self.dispatcher.waiting:
            self.common.want(now)


def test_an_overload_leaves_nothing_idle_behind_it() -> None:
    """Clients that were told a time do not come; who comes has what the limit, which became small, allows.

    As in a region whose part went elsewhere: it is asked for more than it has left, and is to use all of that.
    """
    desk, chance = Desk(LARGE), Random(1)
    for limit, seconds in ((LARGE, 20), (SMALL, 10), (LARGE, 10)):
        desk.purse.resize(limit, desk.clock.now())
        desk.offer(2 * LARGE, seconds, chance)
    assert len(desk.dispatcher.appointments) > 100
    desk.purse.resize(SMALL, desk.clock.now())
    desk.offer(2 * SMALL, 20, chance)
    refused = desk.refused
    served = desk.offer(2 * SMALL, 60, chance)
    assert served > SMALL * 97 // 100
    assert desk.refused > refused
