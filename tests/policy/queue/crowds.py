"""Crowds of clients before a dispatcher, in virtual time: asked as the line asks it, and counted."""

from collections import Counter
from collections.abc import Callable, Container
from dataclasses import dataclass, field
from heapq import heappop, heappush
from itertools import count
from random import Random

from tests.policy.queue.dispatchers import ACME, SECOND, desk_of
from tidegate.model.tenant import Tenant
from tidegate.policy.queue.dispatcher import Grant, Waiting
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota

ANSWER_US = 60_000
LATE_US = SECOND  # who comes back does so within this after the named time


@dataclass(eq=False)
class Wish:
    """What a client wants, however often it asks."""

    tenant: Tenant
    cost: int
    body: bytes
    over: Callable[[], None]
    faithful: bool = True  # it comes back
    told: list[int] = field(default_factory=list)  # at every refusal


class Crowd:
    """Who is refused comes back once, at the named time or up to `LATE_US` later.

    It does so with a chance of `faithful`, and never where its tenant is one of `leavers`; `same`: it says the same
    again. `rpm` and `tpm` are the one outlet's; who cannot be served within `patience` is refused.
    """

    def __init__(
        self,
        rpm: int,
        tpm: int,
        seed: int,
        *,
        how: str = "dynamic",
        patience: int = 28 * SECOND,
        faithful: float = 1.0,
        same: bool = True,
        leavers: Container[str] = (),
    ) -> None:
        self.random = Random(seed)
        requests = (Bucket(rpm, 0),) if rpm else ()
        self.desk = desk_of(Outlet("one", Quota(requests, (Bucket(tpm, 0),))), how=how, most=10_000)
        self.now = self.sent = self.came = self.served = 0
        self.named: list[int] = []
        self.of: Counter[str] = Counter()  # calls served, by tenant
        self._patience, self._faithful, self._same, self._leavers = patience, faithful, same, leavers
        self._agenda: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._look_at = -1

    def play(self, seconds: int) -> float:
        """The part of those who came back in time that were served."""
        while self._agenda and self._agenda[0][0] <= seconds * SECOND:
            self.now, _, event = heappop(self._agenda)
            event()
        return self.served / self.came

    def clients(self, many: int, pause_s: float, cost: Callable[[Random], int], tenant: Tenant = ACME) -> None:
        """So many, each with one call at a time, and a pause between an end and the next."""
        for _ in range(many):
            self._pause(1 / pause_s, cost, tenant)

    def strangers(self, rate: float, until_s: int, cost: Callable[[Random], int], tenant: Tenant = ACME) -> None:
        """Clients with one call each, so many a second."""
        at = self.random.expovariate(rate)
        while at < until_s:
            self._at(int(at * SECOND), lambda: self._begin(cost, tenant, lambda: None))
            at += self.random.expovariate(rate)

    def _pause(self, rate: float, cost: Callable[[Random], int], tenant: Tenant) -> None:
        def over() -> None:
            self._pause(rate, cost, tenant)

        pause = int(self.random.expovariate(rate) * SECOND)
        self._at(self.now + pause, lambda: self._begin(cost, tenant, over))

    def _begin(self, cost: Callable[[Random], int], tenant: Tenant, over: Callable[[], None]) -> None:
        faithful = tenant.name not in self._leavers and self.random.random() < self._faithful
        self._ask(Wish(tenant, cost(self.random), b"%d" % next(self._numbers), over, faithful))

    def _ask(self, wish: Wish) -> None:
        desk, tenant, charge, now = self.desk, wish.tenant, Charge(wish.cost), self.now
        outlet = desk.pass_now(tenant, charge, 0, now, wish.body)
        if outlet is not None:
            self._send(wish, outlet)
            return
        wait = desk.predict(tenant, charge, now, wish.body).wait_us
        if wait > self._patience:
            self._refuse(wish, desk.promise(tenant, charge, wait, now, wish.body))
            return
        ticket = Waiting(tenant, charge, now, now + self._patience, ctx=wish, body=wish.body)
        assert desk.enter(ticket, now) is None
        self._at(ticket.give_up_at, lambda: self._give_up(ticket))
        self._pump()

    def _refuse(self, wish: Wish, told: int) -> None:
        if wish.told:
            self.came += 1
            wish.over()
            return
        wish.told.append(told)
        self.named.append(told)
        if not wish.faithful:
            wish.over()
            return
        if not self._same:
            wish.body = b"%d" % next(self._numbers)
        self._at(self.now + told + int(self.random.random() * LATE_US), lambda: self._ask(wish))

    def _give_up(self, ticket: Waiting) -> None:
        self._pump()
        if self.desk.leave(ticket, self.now):
            assert isinstance(ticket.ctx, Wish)
            self.came += bool(ticket.ctx.told)
            ticket.ctx.over()
            self._pump()

    def _send(self, wish: Wish, outlet: Outlet) -> None:
        outlet.take(Charge(wish.cost), self.now)
        self.sent += 1
        self.of[wish.tenant.name] += 1
        self.came += bool(wish.told)
        self.served += bool(wish.told)
        self._at(self.now + ANSWER_US, lambda: self._end(wish, outlet))

    def _end(self, wish: Wish, outlet: Outlet) -> None:
        outlet.keep(wish.cost)
        self.desk.settled(wish.tenant, wish.cost, wish.cost, self.now)
        self._pump()
        wish.over()

    def _pump(self) -> None:
        step = self.desk.dispatch(self.now)
        while isinstance(step, Grant):
            assert step.outlet is not None
            assert isinstance(step.ticket.ctx, Wish)
            self._send(step.ticket.ctx, step.outlet)
            step = self.desk.dispatch(self.now)
        if step not in {UNTOLD, NEVER} and not self.now < self._look_at <= self.now + step:
            at = self._look_at = self.now + max(1, step)
            self._at(at, lambda: self._look(at))

    def _look(self, at: int) -> None:
        if at == self._look_at:
            self._look_at = -1
            self._pump()

    def _at(self, when: int, event: Callable[[], None]) -> None:
        heappush(self._agenda, (when, next(self._numbers), event))
