"""The desk of a pool: who goes next, and through which outlet. Pure: the same object serves the gate and `simulate`.

A call passes at once when nobody waits and an outlet can serve it now; else its ticket waits in the scheduler.
`dispatch` grants tickets while an outlet can serve the head, and then says when to look again. Nobody overtakes the
head: an outlet that could serve a smaller call behind it waits for it, so that no cost is too large to be served.

Over the discipline's order stand the *shares* of the pool that a tenant or tier was promised, as far as they are not
used up. In a tier *appointments* go first, as far as the discipline's promise allows: calls that were refused with a
time and came back at it. Newcomers are told times behind the places that are kept, so that all of them can be.
Everything is O(1) in waiting calls and tenants, O(log n) in outlets; a prediction looks at a few outlets.
"""

from collections.abc import Callable, Iterator, Sequence
from math import fsum

from tidegate.model.tenant import Tenant
from tidegate.policy.above import Above
from tidegate.policy.allowance import NEVER
from tidegate.policy.appointments import Appointments
from tidegate.policy.health import PROBE_GUESS_US
from tidegate.policy.outlet import UNTOLD, Outlet
from tidegate.policy.outlets import Outlets
from tidegate.policy.quota import MINUTE_US, Charge
from tidegate.policy.records import Grant as Grant
from tidegate.policy.records import Prediction as Prediction
from tidegate.policy.records import Rules as Rules
from tidegate.policy.schedule.face import Ahead, Scheduler
from tidegate.policy.share import Share
from tidegate.policy.trunk import Trunk
from tidegate.policy.waiting import Waiting as Waiting
from tidegate.policy.window import SlidingLog

LOOKED_AT = 8  # outlets, for a prediction
SPARE_US = 2_000_000  # so much of the quota waits for others before who had more than they takes what is left over
REMEMBERED_TOKENS = 1_000_000
BACKLOG_US = 2_000_000  # of quota, that is to wait where idle tokens are lost
_NOBODY_AHEAD = Ahead(0, 0)
_INFINITE = float("inf")


class Desk:
    """One pool's queue over its outlets, for one model."""

    __slots__ = (
        "_above", "_max_waiting", "_queued", "_reserved", "_settled", "_shares", "_tiered", "_trunk", "appointments",
        "by_tier", "luck", "outlets", "scheduler", "waiting",
    )  # fmt: skip

    def __init__(
        self, outlets: Outlets, scheduler: Scheduler, luck: Callable[[], float], rules: Rules, now: int
    ) -> None:
        """`luck` gives uniform numbers in [0, 1)."""
        self.outlets = outlets
        self.scheduler = scheduler
        self.appointments = Appointments()
        self.waiting = 0
        self._queued = 0  # tokens that wait
        self.by_tier: dict[str, int] = {}  # the same by the names of the tiers that have waited here
        self.luck = luck
        self._max_waiting = rules.max_waiting
        self._tiered = rules.tiered
        self._trunk = Trunk()
        limit = self._limit()
        self._shares = {name: Share(name, permille, limit, now) for name, permille in rules.shares}
        self._above = Above()
        self._reserved = self._settled = 1  # tokens of late, for the share of a reservation that is really spent

    def inherit(self, old: "Desk", now: int) -> None:
        """Take over who waits and what was promised. O(waiting)."""
        self.appointments = old.appointments
        self._reserved, self._settled = old._reserved, old._settled  # noqa: SLF001 - it is a desk like this one
        self._trunk, self._above = old._trunk, old._above  # noqa: SLF001
        for ticket in list(old.scheduler):
            old.scheduler.remove(ticket, now)
            if isinstance(ticket, Waiting):
                ticket.tenant = ticket.owner
                self._claim(ticket, now)
                self._count(ticket, 1)
            self.scheduler.push(ticket, now)
        old.waiting = old._queued = 0  # noqa: SLF001
        old.by_tier.clear()

    def pass_now(self, tenant: Tenant, charge: Charge, affinity: int, now: int) -> Outlet | None:
        """An outlet for a call when nobody waits; None: it has to queue."""
        if self.waiting:
            return None
        if len(self.appointments) and not (self._fleeting() or self._may_pass(tenant, charge, now)):
            return None
        floor = self._trunk.floor(tenant.tier.rank, now) if self._tiered else 0
        outlet = self.outlets.pick(charge, floor, affinity, now, self.luck)
        if outlet is not None:
            self._served(tenant, charge.tokens, now)
            if len(self.appointments):
                self.scheduler.passed(tenant, charge.tokens, self.appointments.weight)
                self.appointments.redeem(tenant.name, charge.tokens, now)
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
        if len(kept):
            due = max(kept.weight, 1)
            if kept.redeem(ticket.owner.name, ticket.charge.tokens, now) is None:
                due = 0
        if not due and self._shares:
            self._claim(ticket, now)
        self.scheduler.push(ticket, now, front=front, due=due)
        self._count(ticket, 1)
        return pushed

    def leave(self, ticket: Waiting, now: int) -> bool:
        """A waiting call lost patience or its client. False when it is not here any more."""
        if not self.scheduler.remove(ticket, now):
            return False
        self._count(ticket, -1)
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
        floor = self._trunk.floor(head.tenant.tier.rank, now) if self._tiered and not head.boosted else 0
        outlet = self.outlets.pick(charge, floor, head.affinity, now, self.luck)
        if outlet is None:
            wait = self.outlets.soonest(charge, floor, now)
            if wait != NEVER:
                return wait
            self.leave(head, now)
            return Grant(head, None)
        self.scheduler.pop(now)
        self._count(head, -1)
        owner = head.owner
        if head.tenant is not owner:
            self.scheduler.spent(owner, charge.tokens, now)
        if self._tiered:
            self._above.served(owner.tier.rank, charge.tokens, now)
        return Grant(head, outlet)

    def settled(self, tenant: Tenant, reserved: int, real: int, now: int) -> None:
        """What was reserved turned out to cost `real` tokens."""
        if real:  # nothing at all is a request that was refused unread
            self._reserved += reserved
            self._settled += real
        if self._reserved > REMEMBERED_TOKENS:
            self._reserved //= 2
            self._settled //= 2
        if real != reserved:
            self.scheduler.spent(tenant, real - reserved, now)

    def spared(self, tenant: Tenant, tokens: int, now: int) -> None:
        """So many of the tokens that a call was to reserve are cached where it goes: it does not reserve them."""
        self._reserved += tokens
        self.scheduler.spent(tenant, -tokens, now)

    def promise(self, tenant: Tenant, charge: Charge, wait_us: int, now: int) -> int:
        """What to tell a call that is refused, at least `wait_us`: a time nobody else is told. Its place is kept."""
        told = max(wait_us, self.predict(tenant, charge, now, welcome=False).wait_us)
        self.book(tenant, charge, told, now)
        return told

    def predict(self, tenant: Tenant, charge: Charge, now: int, *, welcome: bool = True) -> Prediction:
        """When such a call would be served if it queued now; not `welcome`: behind all who were told a time.

        Those ahead reserve more than they turn out to cost; what they cost so far, as a share, is what counts here.
        """
        kept, ahead = self.appointments, _NOBODY_AHEAD
        if len(kept) and kept.due(tenant.name, charge.tokens, now) and self.scheduler.honours(tenant, now):
            if self.waiting:
                ahead = self.scheduler.ahead_due(tenant, now)
            wait = self._wait(tenant, charge, ahead, now)
        else:
            if self.waiting:
                ahead = self.scheduler.ahead(tenant, charge.tokens, now)
            wait = self._wait(tenant, charge, ahead, now)
            if len(kept) and wait != NEVER and not (welcome and self._welcome(tenant, now)):
                wait = self._behind_places(tenant, charge, ahead, wait, now)
        # Whoever is behind somebody waits, if only a moment: "at once" is for an empty queue.
        if wait == 0 and self.waiting:
            wait = 1
        return Prediction(wait, self.waiting >= self._max_waiting and self._below(tenant) is None)

    def book(self, tenant: Tenant, charge: Charge, wait_us: int, now: int) -> bool:
        """Keep a place for a call that was refused and told to come back in `wait_us`. False: no more room."""
        return self.appointments.book(
            tenant.name,
            charge.tokens,
            now + wait_us,
            now,
            tenant.tier.rank,
            tenant.weight_milli,
            self._rivals(tenant),
        )

    def review(self, now: int, *, tripped: bool) -> Iterator[Waiting]:
        """Things became worse: take out those who cannot be served in their time any more. O(waiting).

        `tripped`: the outlets refuse on end; who has other targets goes there.
        """
        requests = tokens = 0
        for ticket in list(self.scheduler):
            if not isinstance(ticket, Waiting):
                continue
            if (tripped and ticket.elsewhere) or not self._in_time(ticket, Ahead(requests, tokens), now):
                self.leave(ticket, now)
                yield ticket
            else:
                requests += 1
                tokens += ticket.cost

    def _in_time(self, ticket: Waiting, ahead: Ahead, now: int) -> bool:
        """Whether it may be served before it gives up: behind those before it, or by the discipline's own rule."""
        wait = self._wait(ticket.tenant, ticket.charge, ahead, now)
        if wait > ticket.give_up_at - now:
            ahead = self.scheduler.ahead(ticket.tenant, ticket.cost, now)
            wait = self._wait(ticket.tenant, ticket.charge, ahead, now)
        return wait != NEVER and wait <= ticket.give_up_at - now

    def oldest_us(self, now: int) -> int:
        """For how long the one who waits longest has waited."""
        oldest = self.scheduler.oldest()
        return 0 if oldest is None else now - oldest.arrived

    def changed(self, now: int) -> None:
        """Limits or health of outlets changed."""
        if self._shares:
            limit = self._limit()
            for share in self._shares.values():
                share.resize(limit, now)

    def _welcome(self, tenant: Tenant, now: int) -> bool:
        """A newcomer may queue before those who were told a time, so that no quota lies idle.

        On windows while the queue is short; else when nobody waits and its tenant has had no more than its share.
        """
        if self._fleeting():
            return not self.waiting or self._short()
        return not self.waiting and self.scheduler.honours(tenant, now)

    def _fleeting(self) -> bool:
        """Tokens that nobody takes are lost, as in a window: then no place is worth an idle moment."""
        outlets = self.outlets.all
        return bool(outlets) and any(isinstance(one, SlidingLog) for one in outlets[0].quota.tokens)

    def _short(self) -> bool:
        """The queue lasts for a moment only."""
        return self._queued * MINUTE_US < BACKLOG_US * self._limit()

    def _may_pass(self, tenant: Tenant, charge: Charge, now: int) -> bool:
        """Whether a newcomer would take what is kept for those who are to be here by now."""
        kept = self.appointments
        if kept.due(tenant.name, charge.tokens, now):
            return True
        late = kept.booked_before(now, now, tenant.tier.rank)
        if kept.last_of(tenant.name) and not self.scheduler.honours(tenant, now):
            spare = 0 if (token_us := self._token_us(tenant, now)) == 0.0 else round(SPARE_US / token_us)
            late = Ahead(late.requests, late.tokens + spare)
        return late.tokens == 0 or self._wait(tenant, charge, late, now) == 0

    def _behind_places(self, tenant: Tenant, charge: Charge, ahead: Ahead, wait: int, now: int) -> int:
        """The first time after `wait` that is nobody's yet, and that is fair beside the tenant's own places."""
        kept, rank = self.appointments, tenant.tier.rank
        every = kept.booked_before(kept.horizon(now), now, rank)
        if not every.tokens:
            return wait
        both = Ahead(ahead.requests + every.requests, ahead.tokens + every.tokens)
        most = self._wait(tenant, charge, both, now)
        if most <= wait:
            return wait
        token_us = (most - wait) / every.tokens if wait else self._token_us(tenant, now) or most / every.tokens
        fair = 0
        if last := kept.last_of(tenant.name):
            fair = last - now + round(charge.tokens * token_us * self._rivals(tenant) / tenant.weight_milli)
        return fair if fair >= most else kept.first_free(now, rank, max(wait, fair), most, token_us)

    def _rivals(self, tenant: Tenant) -> int:
        """The weight of those who compete with it, in thousandths: as many as were told a time, or wait."""
        return max(self.appointments.weight, self.scheduler.weight(tenant))

    def _token_us(self, tenant: Tenant, now: int) -> float:
        """How long a reserved token takes the whole pool, for this tier; 0 without a limit."""
        rate = fsum(outlet.rate() for outlet in self.outlets)
        share = 1_000 / (1_000 - self._above.permille(tenant.tier.rank, now)) if self._tiered else 1.0
        return 1e6 / rate * self._settled / self._reserved * share if rate < _INFINITE else 0.0

    def _count(self, ticket: Waiting, by: int) -> None:
        tier = ticket.owner.tier.name
        self.by_tier[tier] = self.by_tier.get(tier, 0) + by
        self.waiting += by
        self._queued += by * ticket.cost

    def _served(self, tenant: Tenant, tokens: int, now: int) -> None:
        self.scheduler.spent(tenant, tokens, now)
        if self._tiered:
            self._above.served(tenant.tier.rank, tokens, now)
            if tenant.tier.reserve:
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
        return self._shares.get(tenant.name) or self._shares.get(tenant.tier.name)

    def _wait(self, tenant: Tenant, charge: Charge, ahead: Ahead, now: int) -> int:
        """The soonest of a few outlets, each with its part of what is ahead; slower by what higher tiers use."""
        tokens = ahead.tokens * self._settled // self._reserved
        wait = self._through(charge, ahead.requests, tokens, now)
        if wait > 0 and self._tiered:
            wait = wait * 1_000 // (1_000 - self._above.permille(tenant.tier.rank, now))
        return wait

    def _through(self, charge: Charge, requests: int, tokens: int, now: int) -> int:
        """The predicted wait behind so much, through the soonest of a few outlets by chance."""
        outlets = self._looked_at()
        if len(outlets) <= 1:
            return outlets[0].wait(charge, now, requests, tokens) if outlets else NEVER
        serving = self._serving(outlets, tokens, now)
        more = len(self.outlets) / len(outlets)  # who is not looked at is like those who are
        rates = [outlet.rate() for outlet in outlets]
        whole = fsum(rates if serving is outlets else [outlet.rate() for outlet in serving]) * more
        best = NEVER
        for outlet, rate in zip(outlets, rates, strict=True):
            part = rate / whole if 0.0 < whole < _INFINITE else 1 / (len(serving) * more)
            wait = outlet.wait(charge, now, round(requests * part), round(tokens * part))
            if wait != NEVER and (best == NEVER or wait < best):
                best = wait
        return best

    def _serving(self, outlets: Sequence[Outlet], tokens: int, now: int) -> Sequence[Outlet]:
        """Those that take part in serving so much: who refuses longer than it lasts does not. All, when none does."""
        if not any(one.breaker.limited for one in outlets):
            return outlets
        whole = fsum(outlet.rate() for outlet in outlets) * len(self.outlets) / len(outlets)
        lasts = max(PROBE_GUESS_US, int(tokens * 1e6 / whole))
        serving = [one for one in outlets if not one.breaker.limited or one.breaker.wait(now) <= lasts]
        return serving or outlets

    def _looked_at(self) -> Sequence[Outlet]:
        outlets = self.outlets.all
        if len(outlets) <= LOOKED_AT:
            return outlets
        at = int(self.luck() * (len(outlets) - LOOKED_AT + 1))
        return outlets[at : at + LOOKED_AT]

    def _limit(self) -> int:
        """Tokens a minute of all outlets; 0 where nothing limits one."""
        rates = [outlet.rate() for outlet in self.outlets]
        return 0 if _INFINITE in rates else round(60 * fsum(rates))
