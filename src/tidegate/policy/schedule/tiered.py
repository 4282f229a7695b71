"""Tiers in strict order, a discipline within each, and a boost so that no tier starves.

Where several queues share a quota, who divides it says what it granted to whom here (`granted`): within the tier whose
turn it is, who has most of that left goes first, so that what is served follows what was granted, call by call; without
any, the discipline decides.

Invariant: `head` is of the first rank that waits, unless it is boosted.
Boost: when the oldest call of a lower tier has waited longer than `boost_after`, that tier goes first, as long as no
debt stands: a boosted call of c tokens makes a debt of c, and every t tokens of service pay back `boost_share × t`.
Bounds, with c = the largest call: over any interval boosted service is at most `boost_share` × all service +
(1 + `boost_share`) × c; while a lower tier starves it is at least `boost_share` × (all service - c). Of several that
starve the one whose oldest call is the oldest goes first, so with r tokens/s in all the oldest call of all lower
tiers waits at most about `boost_after` + c / (`boost_share` × r) for its tier's next turn.
Complexity: every operation O(1) in calls and tenants; `head`, `ahead` and `newest` O(tiers).
"""

from collections.abc import Callable, Iterable, Iterator

from tidegate.model.tenant import Tenant
from tidegate.policy.schedule.face import Ahead, Floor, Ticket
from tidegate.policy.schedule.flow import Band, Flow

BOOST_AFTER_US = 30_000_000
BOOST_SHARE_MILLI = 50
_MILLI = 1_000


class Tiered:
    """A scheduler of one discipline in every tier. Fulfils `face.Scheduler`."""

    __slots__ = (
        "_bands", "_boost_after", "_boost_share", "_count", "_credits", "_debt", "_discipline", "_flows", "_waiting",
    )  # fmt: skip

    def __init__(
        self,
        discipline: Callable[[int], Band],
        *,
        boost_after: int = BOOST_AFTER_US,
        boost_share_milli: int = BOOST_SHARE_MILLI,
    ) -> None:
        """`discipline` makes the band of a rank.

        `boost_after` in microseconds, `boost_share_milli` in thousandths of all service; 0 = no boost.
        """
        self._discipline = discipline
        self._boost_after = boost_after
        self._boost_share = boost_share_milli
        self._bands: dict[int, Band] = {}
        self._flows: dict[str, Flow] = {}
        self._credits: dict[str, int] = {}  # tokens that tenants were granted and did not get; negative: got too many
        self._waiting = 0  # bit r: rank r waits
        self._count = 0
        self._debt = 0  # of boosted service, in thousandths of a token

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Ticket]:
        for rank in sorted(self._bands):
            ticket = self._bands[rank].oldest
            while ticket is not None:
                yield ticket
                ticket = ticket.newer

    def push(self, ticket: Ticket, now: int, *, front: bool = False, due: int = 0) -> None:
        tenant = ticket.tenant
        flow = self._flows.get(tenant.flow)
        if flow is None:
            flow = self._met(tenant, now)
        elif flow.tenant is not tenant and not front and flow.tenant != tenant:
            self._renew(flow, tenant, now)
        band = flow.band
        first = due > 0 and band.honours(flow, now)
        flow.add(ticket, front, due > 0)
        band.add(ticket, front)
        self._count += 1
        if flow.count == 1:
            self._enter(flow, band, now, due=first)
        if first:
            band.call_due(ticket, due)

    def head(self, now: int) -> Ticket | None:
        waiting = self._waiting
        if not waiting:
            return None
        band = self._bands[(waiting & -waiting).bit_length() - 1]
        boosted = None
        if waiting & (waiting - 1) and self._debt <= 0 and self._boost_share:
            boosted = self._starving(waiting & (waiting - 1), now)
        band = boosted or band
        ticket = self._credited(band) if self._credits else None
        if ticket is None:
            ticket = band.next()
        if ticket is not None:
            ticket.boosted = boosted is not None
        return ticket

    def pop(self, now: int) -> Ticket:
        ticket = self.head(now)
        if ticket is None:
            raise IndexError("pop from an empty scheduler")
        flow: Flow = ticket.seat
        cost = ticket.cost
        band = flow.band
        due = band.due and band.uncall(ticket)
        last = self._take(ticket, flow, band)
        credit = self._credits.get(flow.tenant.flow) if self._credits else None
        if credit is not None:
            self._credits[flow.tenant.flow] = credit - cost
        if credit is not None and credit > 0:
            band.served_ahead(flow, cost, now)
        elif due:
            band.served_due(flow, cost, now)
        else:
            band.served(flow, cost, now)
        if last:
            self._left(flow, band, now)
        if ticket.boosted:
            self._debt += cost * (_MILLI - self._boost_share)
        elif self._debt > 0:
            self._repay(cost)
        return ticket

    def remove(self, ticket: Ticket, now: int) -> bool:
        flow = ticket.seat
        if not isinstance(flow, Flow) or self._flows.get(flow.tenant.flow) is not flow:
            return False
        band = flow.band
        if band.due:
            band.uncall(ticket)
        if self._take(ticket, flow, band):
            band.leave(flow, now)
            self._left(flow, band, now)
        return True

    def spent(self, tenant: Tenant, tokens: int, now: int) -> None:
        if self._debt > 0:
            self._repay(tokens)

    def granted(self, grants: Iterable[tuple[Tenant, int]]) -> None:
        had = self._credits
        self._credits = {tenant.flow: had.get(tenant.flow, 0) + tokens for tenant, tokens in grants}

    def _credited(self, band: Band | None) -> Ticket | None:
        """The next call of who of a tier (None: of all) has most left of what it was granted. O(grants)."""
        found, most = None, 0
        for name, tokens in self._credits.items():
            if tokens > most:
                flow = self._flows.get(name)
                if flow is not None and flow.count and (band is None or flow.band is band):
                    found, most = flow.first, tokens
        return found

    def first(self, most: int) -> list[Ticket]:
        tickets: list[Ticket] = []
        for rank in sorted(self._bands):
            band = self._bands[rank]
            if band.count and len(tickets) < most:
                tickets += [flow.first for flow in band.order(most - len(tickets)) if flow.first is not None]
        return tickets

    def standing(self, ticket: Ticket) -> tuple[int, int]:
        tenant = ticket.tenant
        return -1 if ticket.boosted and self._debt <= 0 else tenant.tier.rank, tenant.weight_milli

    def queued(self, tenant: Tenant) -> int:
        tokens = 0
        for rank, band in self._bands.items():
            if rank <= tenant.tier.rank:
                tokens += band.tokens
        return tokens

    def ahead(self, tenant: Tenant, cost: int, now: int) -> Ahead:
        requests = tokens = lower = 0
        own: Band | None = None
        for rank, band in self._bands.items():
            if rank < tenant.tier.rank:
                requests += band.count
                tokens += band.tokens
            elif rank == tenant.tier.rank:
                own = band
            else:
                lower += band.tokens
        if own is not None and own.tokens:
            more, more_tokens = self._within(own, tenant, now)
            requests += more
            tokens += more_tokens
        return Ahead(requests, tokens + min(lower, tokens * self._boost_share // _MILLI))

    def ahead_due(self, tenant: Tenant, now: int) -> Ahead:
        requests = tokens = 0
        for rank, band in self._bands.items():
            if rank < tenant.tier.rank:
                requests += band.count
                tokens += band.tokens
            elif rank == tenant.tier.rank:
                more, more_tokens = self._before_due(band, tenant, now)
                requests += more
                tokens += more_tokens
        return Ahead(requests, tokens)

    def _before_due(self, band: Band, tenant: Tenant, now: int) -> tuple[int, int]:
        """Those that are due, where it goes before newcomers; else it waits for its tenant's turn."""
        flow = self._flows.get(tenant.flow)
        if flow is None or flow.band is not band:
            return len(band.due), band.due_tokens
        mine, others = flow.count, band.tokens - flow.tokens
        if band.honours(flow, now) or not others:
            return max(len(band.due), flow.due), max(band.due_tokens, flow.due_tokens)
        weight = tenant.weight_milli
        before = min(others, band.before(flow, weight, others, now) + band.due_tokens)
        before = max(0, before - band.sooner(flow, weight, others))
        return flow.due - (-(band.count - mine) * before // others), flow.due_tokens + before

    def floor(self, tenant: Tenant, now: int) -> Floor | None:
        if not self._boost_share:
            return None
        first, rank = self._waiting & -self._waiting, tenant.tier.rank
        requests = tokens = 0
        for band in self._bands.values():
            if band.rank == rank:
                more, more_tokens = self._within(band, tenant, now) if band.tokens else (0, 0)
                requests += more
                tokens += more_tokens
            elif band.rank > rank or first != 1 << band.rank:  # whoever starves longest goes first, of all but one tier
                requests += band.count
                tokens += band.tokens
        return Floor(self._boost_after, self._boost_share, Ahead(requests, tokens))

    def honours(self, tenant: Tenant, now: int) -> bool:
        flow = self._flows.get(tenant.flow)
        return flow is None or flow.band.honours(flow, now)

    def passed(self, tenant: Tenant, tokens: int, told: int) -> None:
        band = self._bands.get(tenant.tier.rank)
        if band is not None:
            band.passed(tokens, told)

    def weight(self, tenant: Tenant) -> int:
        band = self._bands.get(tenant.tier.rank)
        return band.weight if band is not None else 0

    def oldest(self) -> Ticket | None:
        rows = [band.oldest for band in self._bands.values() if band.oldest is not None]
        return min(rows, key=_arrived, default=None)

    def newest(self) -> Ticket | None:
        if not self._waiting:
            return None
        return self._bands[self._waiting.bit_length() - 1].newest

    def _within(self, band: Band, tenant: Tenant, now: int) -> tuple[int, int]:
        """What goes before a newcomer in its own tier: its own calls, and the others' share until its turn."""
        flow = self._flows.get(tenant.flow)
        if flow is not None and flow.band is not band:
            flow = None
        mine, my_tokens = (flow.count, flow.tokens) if flow is not None else (0, 0)
        others = band.tokens - my_tokens
        if not others:
            return mine, my_tokens
        before = min(others, band.before(flow, tenant.weight_milli, others, now) + band.due_tokens)
        before = max(before, band.drift(flow, tenant.weight_milli, now))
        return mine - (-(band.count - mine) * before // others), my_tokens + before

    def _starving(self, lower: int, now: int) -> Band | None:
        """The tier among `lower` that has waited longest, and too long."""
        found = None
        since = now - self._boost_after
        while lower:
            band = self._bands[(lower & -lower).bit_length() - 1]
            lower &= lower - 1
            oldest = band.oldest
            if oldest is not None and oldest.arrived < since:
                found, since = band, oldest.arrived
        return found

    def _repay(self, tokens: int) -> None:
        self._debt -= tokens * self._boost_share  # below zero by at most one call's: what it paid too much counts

    def _enter(self, flow: Flow, band: Band, now: int, *, due: bool = False) -> None:
        band.enter(flow, now, due=due)
        band.flows += 1
        band.weight += flow.weight
        self._waiting |= 1 << band.rank

    def _take(self, ticket: Ticket, flow: Flow, band: Band) -> bool:
        """Take it out of all sums; True when it was its tenant's last."""
        flow.take(ticket)
        band.take(ticket)
        self._count -= 1
        return not flow.count

    def _left(self, flow: Flow, band: Band, now: int) -> None:
        if self._credits:
            self._credits.pop(flow.tenant.flow, None)
        self._thinner(flow, band)
        self._idle(flow, now)

    def _thinner(self, flow: Flow, band: Band) -> None:
        band.flows -= 1
        band.weight -= flow.weight
        if not band.count:
            self._waiting ^= 1 << band.rank

    def _idle(self, flow: Flow, now: int) -> None:
        """Nothing of this tenant waits any more."""
        self._drop(flow)

    def _drop(self, flow: Flow) -> None:
        del self._flows[flow.tenant.flow]
        flow.forget()

    def _band(self, rank: int) -> Band:
        band = self._bands.get(rank)
        if band is None:
            band = self._bands[rank] = self._discipline(rank)
        return band

    def _met(self, tenant: Tenant, now: int) -> Flow:
        flow = self._flows[tenant.flow] = Flow(tenant, self._band(tenant.tier.rank), now)
        return flow

    def _renew(self, flow: Flow, tenant: Tenant, now: int) -> None:
        """The tenant was changed, as by a reload: the newest weight and tier win, for what waits already too."""
        flow.tenant = tenant
        if flow.weight != tenant.weight_milli:
            flow.band.renewed(flow, tenant.weight_milli)
        if flow.band.rank != tenant.tier.rank:
            self._move(flow, self._band(tenant.tier.rank), now)

    def _move(self, flow: Flow, band: Band, now: int) -> None:
        """Take a tenant to another tier with all that waits, behind what waits there. O(its calls), at a reload."""
        old = flow.band
        ticket = flow.first
        while ticket is not None:
            old.uncall(ticket)
            old.take(ticket)
            band.add(ticket, front=False)
            ticket = ticket.behind
        if flow.count:
            old.leave(flow, now)
            self._thinner(flow, old)
        flow.band = band
        band.moved(flow, old, now)
        if flow.count:
            self._enter(flow, band, now)


def _arrived(ticket: Ticket) -> int:
    return ticket.arrived
