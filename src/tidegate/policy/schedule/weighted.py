"""A priority queue over all tiers in which waiting counts: who has the smallest key goes first.

key = arrived + handicap;  handicap = (aging + cost × `TOKEN_US`, at most `COST_MOST_US`) / (tier weight × own weight),
at most `MOST_US`. A handicap never changes while a call waits, so growing older (a microsecond of priority for each
that passes) leaves the order as it is, and nothing is ever sorted again. Tiers mix here: a call of a low tier that has
waited long enough goes before a fresh one of a high tier, and says so (`Ticket.boosted`). The tier `guaranteed` alone
has a negative handicap, -`MOST_US`: what it serves was promised.

Invariant: within a tenant calls go in their order; among the tenants' first calls the smallest key goes first, equal
keys in the order of entering.
Bounds: no call that arrives more than handicap(x) - handicap(y) after a first call x goes before it as y; so with the
tiers' own weights a `free` call of 2,000 tokens lets `vip` calls overtake for 23 s, `batch` for 54 s, and none for
longer than `MOST_US`. Beyond that it waits as in first come, first served: for what waits already. Between tenants of
one tier there is no bound on service: who floods is served by arrival.
Complexity: `push`, `pop`, `head`, `remove` O(log tenants) amortised (entries of tenants that left, or whose first call
did, go when they surface, or all at once when they outnumber the live), `ahead` O(tiers), `newest` O(1).
"""

from heapq import heapify, heappop, heappush, heapreplace

from tidegate.model.tenant import GUARANTEED, Tenant
from tidegate.policy.schedule.face import Ahead, Ticket
from tidegate.policy.schedule.flow import Band, Flow
from tidegate.policy.schedule.tiered import Tiered

AGING_US = 60_000_000
TOKEN_US = 1_000
COST_MOST_US = 30_000_000
MOST_US = 600_000_000
_UNIT = 1_000_000  # tier weight × own weight, both in thousandths
_BITS = 48
_NUMBER = (1 << _BITS) - 1
_DEAD = 64  # dead entries that are always put up with


def _product(tenant: Tenant) -> int:
    return tenant.tier.weight_milli * tenant.weight_milli if tenant.tier.rank != GUARANTEED.rank else 0


class _Heap:
    """Tenants by the keys of their first calls.

    Of a flow `v` is the tenant's product, `level` the number of its entry (0 = none), `parked` tells that its first
    call left since its key was reckoned. An entry is one integer, key and number, since these compare fastest.
    """

    __slots__ = ("_entries", "_flows", "_made", "aging")

    def __init__(self, aging: int) -> None:
        self.aging = aging
        self._entries: list[int] = []
        self._flows: dict[int, Flow] = {}  # by number; an entry whose number is not here is dead
        self._made = 0

    def handicap(self, product: int, cost: int) -> int:
        """In microseconds, of a call of `cost` tokens; `product` = tier weight × own weight, 0 = before all."""
        if not product:
            return -MOST_US
        return min(MOST_US, (self.aging + min(cost * TOKEN_US, COST_MOST_US)) * _UNIT // product)

    def update(self, flow: Flow) -> None:
        """It waits from now on, its first call is another, or its weight is: a new entry, and the old one is dead."""
        self.drop(flow)
        self._made += 1
        flow.level = self._made
        self._flows[flow.level] = flow
        heappush(self._entries, self._entry(flow))
        if len(self._entries) > 2 * len(self._flows) + _DEAD:
            self._entries = [entry for entry in self._entries if entry & _NUMBER in self._flows]
            heapify(self._entries)

    def drop(self, flow: Flow) -> None:
        if flow.level:
            del self._flows[flow.level]
            flow.level = 0

    def first(self) -> Flow:
        """Who goes first. A key that changed, because the first call had its turn, is mended at the top."""
        entries = self._entries
        while True:
            flow = self._flows.get(entries[0] & _NUMBER)
            if flow is None:
                heappop(entries)
            elif flow.parked and (entry := self._entry(flow)) != entries[0]:
                heapreplace(entries, entry)
            else:
                return flow

    def _entry(self, flow: Flow) -> int:
        ticket = flow.first
        assert ticket is not None  # noqa: S101 - who is here waits
        flow.parked = False
        return (ticket.arrived + self.handicap(flow.v, ticket.cost)) << _BITS | flow.level


class _Share(Band):
    """One tier's part of the queue: its sums. The order is the heap's."""

    __slots__ = ("_heap",)

    def __init__(self, rank: int, heap: _Heap) -> None:
        super().__init__(rank)
        self._heap = heap

    def enter(self, flow: Flow, now: int, *, due: bool = False) -> None:
        flow.v = _product(flow.tenant)
        self._heap.update(flow)

    def leave(self, flow: Flow, now: int) -> None:
        self._heap.drop(flow)

    def turn(self) -> Flow:
        return self._heap.first()

    def served(self, flow: Flow, cost: int, now: int) -> None:
        if flow.count:
            flow.parked = True
        else:
            self._heap.drop(flow)

    def served_ahead(self, flow: Flow, cost: int, now: int) -> None:
        self.served(flow, cost, now)  # its entry is mended when it comes to the top

    def honours(self, flow: Flow, now: int) -> bool:
        return False

    def before(self, flow: Flow | None, weight: int, others: int, now: int) -> int:
        return others


class Weighted(Tiered):
    """Tiers and tenants by weight, with aging."""

    __slots__ = ("_heap",)

    def __init__(self, *, aging: int = AGING_US) -> None:
        """`aging` in microseconds: how much later than it came a call of weight 1 counts."""
        self._heap = heap = _Heap(aging)
        super().__init__(lambda rank: _Share(rank, heap), boost_share_milli=0)

    def push(self, ticket: Ticket, now: int, *, front: bool = False, due: int = 0) -> None:
        super().push(ticket, now, front=front, due=due)
        flow: Flow = ticket.seat
        if flow.count > 1 and flow.first is ticket:
            self._heap.update(flow)

    def remove(self, ticket: Ticket, now: int) -> bool:
        flow = ticket.seat
        first = isinstance(flow, Flow) and flow.first is ticket
        removed = super().remove(ticket, now)
        if removed and first and flow.count:
            self._heap.update(flow)
        return removed

    def head(self, now: int) -> Ticket | None:
        if not self._waiting:
            return None
        flow = self._heap.first()
        ticket = self._credited(None) if self._credits and flow.v else None
        if ticket is None:
            ticket = flow.first
        else:
            flow = ticket.seat
        if ticket is not None:
            ticket.boosted = bool(self._waiting & ((1 << flow.band.rank) - 1))
        return ticket

    def standing(self, ticket: Ticket) -> tuple[int, int]:
        """Tiers mix: one rank for all but what was promised."""
        product = _product(ticket.tenant)
        return (1, max(1, product // 1_000)) if product else (0, 1_000)

    def queued(self, tenant: Tenant) -> int:
        """All that wait: here no tier gives way altogether."""
        tokens = 0
        for band in self._bands.values():
            tokens += band.tokens
        return tokens

    def ahead(self, tenant: Tenant, cost: int, now: int) -> Ahead:
        """Its own calls, and of each tier what has the smaller key, if all came evenly and weigh as its oldest call."""
        own = self._heap.handicap(_product(tenant), cost)
        flow = self._flows.get(tenant.flow)
        requests, tokens = (flow.count, flow.tokens) if flow is not None else (0, 0)
        for band in self._bands.values():
            count, amount = band.count, band.tokens
            if flow is not None and flow.band is band:
                count -= flow.count
                amount -= flow.tokens
            oldest = band.oldest
            if count and oldest is not None:
                age = max(1, now - oldest.arrived)
                late = self._heap.handicap(oldest.seat.v, amount // count) - own
                older = age if late <= 0 else max(0, age - late)
                requests += -(-count * older // age)
                tokens += -(-amount * older // age)
        return Ahead(requests, tokens)

    def ahead_due(self, tenant: Tenant, now: int) -> Ahead:
        flow = self._flows.get(tenant.flow)
        if flow is None or not flow.count:
            return self.ahead(tenant, 1, now)
        found = self.ahead(tenant, flow.tokens // flow.count, now)
        return Ahead(found.requests - flow.count + flow.due, found.tokens - flow.tokens + flow.due_tokens)

    def honours(self, tenant: Tenant, now: int) -> bool:
        return False

    def _renew(self, flow: Flow, tenant: Tenant, now: int) -> None:
        super()._renew(flow, tenant, now)
        flow.v = _product(tenant)
        self._heap.update(flow)
