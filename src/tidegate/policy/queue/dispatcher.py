"""The dispatcher of a pool: who goes next, and through which outlet. Pure: it serves the gate and `simulate` alike.

A call passes at once when nobody waits and an outlet can serve it now; else its ticket waits in the scheduler.
`dispatch` grants tickets while an outlet can serve the head, and then says when to look again. Nobody overtakes the
head: an outlet that could serve a smaller call behind it waits for it, so that no cost is too large to be served.

Over the discipline's order stand the *shares* of the pool that a tenant or tier was promised, as far as they are not
used up. In a tier *appointments* go first, as far as the discipline's promise allows: calls that were refused with a
time and came back at it. Newcomers are told times behind the places that are kept, so that all of them can be.
Everything is O(1) in waiting calls and tenants, O(log n) in outlets; a prediction looks at a few outlets.
"""

from collections.abc import Callable, Iterator

from tidegate.model.tenant import Tenant
from tidegate.model.waits import wait_slot
from tidegate.policy.queue.appointments import Appointments
from tidegate.policy.queue.forecast import Elsewhere, Forecast
from tidegate.policy.queue.outlet import UNTOLD, Outlet
from tidegate.policy.queue.outlets import Outlets
from tidegate.policy.queue.records import Grant as Grant
from tidegate.policy.queue.records import Prediction as Prediction
from tidegate.policy.queue.records import Rules as Rules
from tidegate.policy.queue.review import Review
from tidegate.policy.queue.share import Share
from tidegate.policy.queue.trunk import Trunk
from tidegate.policy.queue.waiting import Waiting as Waiting
from tidegate.policy.queue.welcome import Welcome
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge
from tidegate.policy.schedule.face import Scheduler

ALL = 1 << 62


class Dispatcher:
    """One pool's queue over its outlets, for one model."""

    __slots__ = (
        "_arrivals", "_forecast", "_max_waiting", "_review", "_shares", "_tiered", "_trunk", "_welcome", "appointments",
        "by_tier", "left", "luck", "outlets", "refused", "scheduler", "waited_us", "waiting",
        "waits",
    )  # fmt: skip

    def __init__(
        self, outlets: Outlets, scheduler: Scheduler, luck: Callable[[], float], rules: Rules, now: int
    ) -> None:
        """`luck` gives uniform numbers in [0, 1)."""
        self.outlets = outlets
        self.scheduler = scheduler
        self.appointments = Appointments()
        self.waiting = 0
        self.by_tier: dict[str, int] = {}  # the same by the names of the tiers that have waited here
        self._arrivals = 0  # their moments of arrival, added up
        self.left = 0  # calls ever that were let through, at once or later, or gave up
        self.waited_us = 0  # how long they had waited, together
        self.refused = 0  # calls ever that were told a time
        self.waits: dict[str, dict[int, int]] = {}  # of those who had to wait, by tier and `wait_slot`
        self.luck = luck
        self._max_waiting = rules.max_waiting
        self._tiered = rules.tiered
        self._trunk = Trunk()
        self._forecast = Forecast(outlets, luck, tiered=rules.tiered)
        self._welcome = Welcome(self._forecast, scheduler, self.appointments)
        self._review = Review(self._forecast, scheduler)
        limit = self._forecast.per_minute()
        self._shares = {name: Share(name, permille, limit, now) for name, permille in rules.shares}

    def inherit(self, old: "Dispatcher", now: int) -> None:
        """Take over who waits and what was promised. O(waiting)."""
        self.appointments = self._welcome.places = old.appointments
        self._forecast.inherit(old._forecast)  # noqa: SLF001 - it is a dispatcher like this one
        self._trunk = old._trunk  # noqa: SLF001
        self.left, self.waited_us, self.refused, self.waits = old.left, old.waited_us, old.refused, old.waits
        for ticket in list(old.scheduler):
            old.scheduler.remove(ticket, now)
            if isinstance(ticket, Waiting):
                ticket.tenant = ticket.owner
                ticket.reviewed = 0
                self._claim(ticket, now)
                self._count(ticket, 1)
            self.scheduler.push(ticket, now)
        old.waiting = 0
        old.by_tier.clear()

    def pass_now(self, tenant: Tenant, charge: Charge, affinity: int, now: int, body: object = None) -> Outlet | None:
        """An outlet for a call that says `body`, when nobody waits; None: it has to queue."""
        if self.waiting:
            return None
        if self.appointments.kept and not self._welcome.may_pass(tenant, charge, now, body):
            return None
        floor = self._floor(tenant, now) if self._tiered else 0
        outlet = self.outlets.pick(charge, floor, affinity, now, self.luck)
        if outlet is not None:
            self.left += 1
            self._served(tenant, charge.tokens, now)
            if self.appointments.kept:
                self.scheduler.passed(tenant, charge.tokens, self.appointments.weight)
                self.appointments.redeem(tenant.flow, charge.tokens, now, body)
        return outlet

    def enter(self, ticket: Waiting, now: int, *, front: bool = False) -> Waiting | None:
        """Let it wait. Returns who has to leave for it: itself when there is no room, None usually."""
        pushed = None
        if self.waiting >= self._max_waiting:
            pushed = self._below(ticket.owner)
            if pushed is None:
                return ticket
            self.leave(pushed, now)
        if self._tiered and ticket.owner.tier.reserve:
            self._trunk.note(ticket.owner.tier.rank, ticket.cost, now)
        kept, due = self.appointments, 0
        if kept.kept:
            told = max(kept.weight, 1)
            due = told if kept.redeem(ticket.owner.flow, ticket.charge.tokens, now, ticket.body) else 0
        if not due and self._shares:
            self._claim(ticket, now)
        ticket.reviewed = self._review.round
        self.scheduler.push(ticket, now, front=front, due=due)
        self._count(ticket, 1)
        return pushed

    def leave(self, ticket: Waiting, now: int) -> bool:
        """A waiting call lost patience or its client. False when it is not here any more."""
        if not self.scheduler.remove(ticket, now):
            return False
        self._gone(ticket, now)
        self._unclaim(ticket, now)
        return True

    def dispatch(self, now: int) -> Grant | int:
        """The next grant, or the microseconds after which to look again; UNTOLD: only an event can help.

        The caller takes the outlet's quota (`Outlet.take`) before it asks again.
        """
        head = self.scheduler.head(now)
        if not isinstance(head, Waiting):
            return UNTOLD
        charge = head.charge
        floor = self.floor(head, now)
        outlet = self.outlets.pick(charge, floor, head.affinity, now, self.luck)
        if outlet is None:
            wait = self.outlets.soonest(charge, floor, now)
            if wait != NEVER:
                return wait
            self.leave(head, now)
            return Grant(head, None)
        self.scheduler.pop(now)
        self._gone(head, now)
        owner = head.owner
        if head.tenant is not owner:
            self.scheduler.spent(owner, charge.tokens, now)
        self._forecast.served(owner, charge.tokens, now)
        return Grant(head, outlet)

    def floor(self, ticket: Waiting, now: int) -> int:
        """Tokens that it leaves in a lane for higher tiers."""
        return self._floor(ticket.tenant, now) if self._tiered and not ticket.boosted else 0

    def floor_of(self, tenant: Tenant, now: int) -> int:
        """The same for a call that does not wait."""
        return self._floor(tenant, now) if self._tiered else 0

    def share(self, elsewhere: Elsewhere | None) -> None:
        """Its outlets' quota is other workers' too, at which so much waits."""
        self._forecast.elsewhere = elsewhere
        self.appointments.scattered = elsewhere is not None

    def settled(self, tenant: Tenant, reserved: int, real: int, now: int) -> None:
        """What was reserved turned out to cost `real` tokens."""
        self._forecast.settled(reserved, real)
        if real != reserved:
            self.scheduler.spent(tenant, real - reserved, now)

    def spared(self, tenant: Tenant, tokens: int, now: int) -> None:
        """So many of the tokens that a call was to reserve are cached where it goes: it does not reserve them."""
        self._forecast.spared(tokens)
        self.scheduler.spent(tenant, -tokens, now)

    def promise(self, tenant: Tenant, charge: Charge, wait_us: int, now: int, body: object = None) -> int:
        """What to tell a call that is refused, at least `wait_us`: a time nobody else is told. Its place is kept."""
        told = max(wait_us, self._foretold(tenant, charge, now, body, strict=True))
        self.refused += 1
        self.book(tenant, charge, told, now, body)
        return told

    def predict(self, tenant: Tenant, charge: Charge, now: int, body: object = None) -> Prediction:
        """When a call that says so would be served if it queued now."""
        wait = self._foretold(tenant, charge, now, body)
        return Prediction(wait, self.waiting >= self._max_waiting and self._below(tenant) is None)

    def book(self, tenant: Tenant, charge: Charge, wait_us: int, now: int, body: object = None) -> bool:
        """Keep a place for a call that was refused and told to come back in `wait_us`. False: no more room."""
        return self.appointments.book(
            tenant.flow,
            charge.tokens,
            now + wait_us,
            now,
            tenant.tier.rank,
            tenant.weight_milli,
            self._welcome.rivals(tenant),
            body,
        )

    def worsened(self) -> None:
        """Who waits may not be served in its time any more: `review` is to look at everybody."""
        self._review.begin()

    @property
    def reviewing(self) -> bool:
        """Whether `review` has not looked at everybody since then."""
        return self._review.pending

    def review(self, now: int, *, tripped: bool, most: int = ALL) -> Iterator[Waiting]:
        """Take out who cannot be served in its time any more. O(waiting).

        `most`: of the next so many only, since things `worsened`. `tripped`: the outlets refuse on end; who has other
        targets goes there.
        """
        if most == ALL:
            self._review.begin()
        for ticket in self._review.unfit(now, most, tripped=tripped):
            self.leave(ticket, now)
            yield ticket

    def oldest_us(self, now: int) -> int:
        """For how long the one who waits longest has waited."""
        oldest = self.scheduler.oldest()
        return 0 if oldest is None else now - oldest.arrived

    def waiting_us(self, now: int) -> int:
        """For how long those who wait have waited so far, together."""
        return self.waiting * now - self._arrivals

    def changed(self, now: int) -> None:
        """Limits or health of outlets changed."""
        if self._shares:
            limit = self._forecast.per_minute()
            for share in self._shares.values():
                share.resize(limit, now)

    def _floor(self, tenant: Tenant, now: int) -> int:
        """Tokens that a call leaves in a lane for higher tiers, as long as these call."""
        floor = self._trunk.floor(tenant.tier.rank, now)
        return max(floor, self._forecast.spare()) if floor and not tenant.tier.reserve else floor

    def _foretold(self, tenant: Tenant, charge: Charge, now: int, body: object = None, *, strict: bool = False) -> int:
        """Whoever is behind somebody waits, if only a moment: "at once" is for an empty queue."""
        wait = self._welcome.wait(tenant, charge, now, body, strict=strict)
        return 1 if wait == 0 and self.waiting else wait

    def _count(self, ticket: Waiting, by: int) -> None:
        tier = ticket.owner.tier.name
        self.by_tier[tier] = self.by_tier.get(tier, 0) + by
        self.waiting += by
        self._arrivals += by * ticket.arrived

    def _gone(self, ticket: Waiting, now: int) -> None:
        self._count(ticket, -1)
        self.left += 1
        self.waited_us += now - ticket.arrived
        slots = self.waits.setdefault(ticket.owner.tier.name, {})
        slot = wait_slot((now - ticket.arrived) // 1_000)
        slots[slot] = slots.get(slot, 0) + 1

    def _served(self, tenant: Tenant, tokens: int, now: int) -> None:
        self.scheduler.spent(tenant, tokens, now)
        self._forecast.served(tenant, tokens, now)
        if self._tiered and tenant.tier.reserve:
            self._trunk.note(tenant.tier.rank, tokens, now)

    def _below(self, tenant: Tenant) -> Waiting | None:
        """Who leaves for a call of this tenant when there is no more room."""
        newest = self.scheduler.newest()
        if isinstance(newest, Waiting) and newest.owner.tier.rank > tenant.tier.rank:
            return newest
        return None

    def _claim(self, ticket: Waiting, now: int) -> None:
        """As far as its share of the pool reaches, it goes before the discipline's order."""
        share = self._share(ticket.owner)
        if share is not None and share.use(ticket.cost, now):
            ticket.tenant = share.claim

    def _unclaim(self, ticket: Waiting, now: int) -> None:
        if ticket.tenant is not ticket.owner:
            share = self._share(ticket.owner)
            if share is not None:
                share.give_back(ticket.cost, ticket.arrived, now)

    def _share(self, tenant: Tenant) -> Share | None:
        return self._shares.get(tenant.flow) or self._shares.get(tenant.tier.name)
