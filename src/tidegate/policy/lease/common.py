"""What one pool has in common with the same pool at other workers: who waits, and who was served.

A pool tells each wallet that it draws on which of its calls wait for it. With several lanes a call is asked for at one
of them only: the lanes are dealt the queue by how many such calls each could serve within a second, anew with every
exchange. So no more is asked for than waits, and who goes through which lane is decided when the lease is there.

What the fund granted to this pool's tenants at other workers counts as service here (`Scheduler.spent`). What it grants
here goes to whom it was granted (`Scheduler.granted`): so the dispatcher's order is the fund's, and what each worker
thinks fair by itself does not add up to something that is not.
O(`DEMANDS` × lanes) an exchange.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b

from tidegate.model.cluster import DEMANDS, Demand, ExchangeReply
from tidegate.model.tenant import Tenant
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import REQUESTS, TOKENS
from tidegate.policy.lease.times import LEAST_US
from tidegate.policy.queue.dispatcher import Dispatcher, Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.queue.records import Ahead
from tidegate.policy.quota.charge import Charge

REMEMBERED = 512  # tenants, of whom it is known what they were given elsewhere
_HEARD_US = 1_000_000  # what waited at others longer ago is not known
_BITS = 6  # bytes of a digest


class _Flow:
    """What the fund had granted one tenant anywhere, as it was told last."""

    __slots__ = ("granted", "tenant")

    def __init__(self, tenant: Tenant, granted: int) -> None:
        self.tenant = tenant
        self.granted = granted


class Common:
    """Of one pool. Fulfils `wallet.Source` and `forecast.Elsewhere`."""

    __slots__ = (
        "_ahead", "_changed", "_dealt", "_dealt_at", "_desk", "_flows", "_names", "_of", "_outlets", "_pump",
        "_tenants", "_waited",
    )  # fmt: skip

    def __init__(
        self, desk: Dispatcher, outlets: Sequence[Outlet], pump: Callable[[], None], changed: Callable[[], None]
    ) -> None:
        """`pump` lets pass who can, `changed` also sends away who cannot be served in time any more."""
        self._desk = desk
        self._outlets = [outlet for outlet in outlets if outlet.wallet is not None]
        self._pump = pump
        self._changed = changed
        self._dealt: dict[LeaseClient, list[Demand]] = {}
        self._dealt_at = -LEAST_US
        self._waited = 0
        self._ahead = 0  # tokens that waited at others when all who wait here were looked at last
        self._tenants: dict[int, Tenant] = {}  # by the names in `_names`
        self._names: dict[tuple[int, str], int] = {}
        self._flows: OrderedDict[tuple[LeaseClient, int], _Flow] = OrderedDict()
        self._of = {outlet.wallet: outlet for outlet in self._outlets if outlet.wallet is not None}
        for wallet in self._wallets():
            wallet.sources.append(self)
        desk.share(self)

    def close(self) -> None:
        """The pool draws on other wallets, or on none any more."""
        for wallet in self._wallets():
            if self in wallet.sources:
                wallet.sources.remove(self)
        self._desk.share(None)

    def _wallets(self) -> list[LeaseClient]:
        return [outlet.wallet for outlet in self._outlets if outlet.wallet is not None]

    # ── who waits ────────────────────────────────────────────────────────────────────────────────────────────────────

    def want(self, now: int) -> None:
        """The head of the queue cannot pass: where that is for want of a lease, one is asked for."""
        head = self._desk.scheduler.head(now)
        if not isinstance(head, Waiting):
            return
        rank, flow = self._desk.scheduler.standing(head)[0], self._name(head.tenant)
        for outlet in self._outlets:
            if outlet.wallet is not None and outlet.wallet.asked(rank, flow):
                return
        self._deal(now)
        for wallet, demands in self._dealt.items():
            if demands:
                wallet.want(demands[0].rank, demands[0].flow)

    def demands(self, wallet: LeaseClient, now: int) -> list[Demand]:
        """As `wallet.Source`."""
        if self._desk.waiting != self._waited or now - self._dealt_at >= LEAST_US:
            self._deal(now)
        return self._dealt.get(wallet, [])

    def _deal(self, now: int) -> None:
        desk = self._desk
        self._dealt = {}
        self._dealt_at, self._waited = now, desk.waiting
        head = desk.scheduler.head(now)
        if not isinstance(head, Waiting):
            return
        open_ = [one for one in self._outlets if _lacks(one, head.charge, now)]
        if not open_:
            return
        firsts = [ticket for ticket in desk.scheduler.first(DEMANDS) if isinstance(ticket, Waiting)]
        if head in firsts:
            firsts.remove(head)
        tickets = [head, *(ticket for ticket in firsts if ticket.tenant.flow != head.tenant.flow)][:DEMANDS]
        parts = _parts(open_, head.charge, desk.waiting, now) if len(open_) > 1 else [desk.waiting]
        for ticket in tickets:
            self._ask_for(ticket, ticket is head, open_, parts, now)

    def _ask_for(self, ticket: Waiting, first: bool, outlets: list[Outlet], parts: list[int], now: int) -> None:
        """One tenant's calls, each at one of the outlets, as far as these have room."""
        scheduler, calls = self._desk.scheduler, ticket.seat.count
        rank, weight = scheduler.standing(ticket)
        flow = self._name(ticket.tenant)
        floor = self._desk.floor(ticket, now) if rank >= 0 else 0
        if not first and rank < 0:
            rank = ticket.tenant.tier.rank
        whole = max(1, sum(parts))
        for index in sorted(range(len(parts)), key=lambda one: -parts[one]):
            share = min(calls, parts[index], -(-ticket.seat.count * parts[index] // whole))
            wallet = outlets[index].wallet
            if share <= 0 or wallet is None:
                continue
            calls -= share
            parts[index] -= share
            demand = Demand(rank, flow, weight, units(outlets[index], ticket.charge, now), share, floor)
            self._dealt.setdefault(wallet, []).append(demand)

    def _name(self, tenant: Tenant) -> int:
        key = tenant.tier.rank, tenant.flow
        name = self._names.get(key)
        if name is None:
            if len(self._names) >= REMEMBERED:
                self._names.clear()
                self._tenants.clear()
            name = self._names[key] = digest(tenant)
            self._tenants[name] = tenant
        return name

    # ── who was served ───────────────────────────────────────────────────────────────────────────────────────────────

    def told(self, wallet: LeaseClient, told: ExchangeReply | None, now: int) -> None:
        """As `wallet.Source`."""
        if told is not None and told.flows:
            self._count(wallet, told, now)
            self._desk.scheduler.granted(self._granted(told))
        self._dealt_at = now - LEAST_US
        self._desk.outlets.changed(self._of.get(wallet))
        if told is None or self._worse(wallet):
            self._changed()
        else:
            self._pump()

    def _worse(self, wallet: LeaseClient) -> bool:
        """Whether so much more waits at others that who waits here may not be served in its time."""
        if not self._desk.waiting:
            return False
        ahead = sum(units_ for _, _, units_ in wallet.ahead)
        second = sum(purse.whole_rate() for purse in wallet.purses if purse.of == TOKENS and purse.own_limit)
        worse = ahead > self._ahead + max(second, self._ahead / 4)
        if worse or ahead < self._ahead:
            self._ahead = ahead
        return worse

    def _count(self, wallet: LeaseClient, told: ExchangeReply, now: int) -> None:
        flows = self._flows
        for name, total, here in told.flows:
            flow = flows.get((wallet, name))
            if flow is not None and total >= flow.granted:
                elsewhere = total - flow.granted - here
                if elsewhere > 0:
                    self._desk.scheduler.spent(flow.tenant, elsewhere, now)
                flow.granted = total
                flows.move_to_end((wallet, name))
            elif (tenant := self._tenants.get(name)) is not None:
                flows[wallet, name] = _Flow(tenant, total)
        while len(flows) > REMEMBERED:
            flows.popitem(last=False)

    def _granted(self, told: ExchangeReply) -> Iterator[tuple[Tenant, int]]:
        for name, _, here in told.flows:
            tenant = self._tenants.get(name)
            if tenant is not None:
                yield tenant, here

    def before(self, tenant: Tenant, charge: Charge, ahead: Ahead, now: int) -> Ahead:
        """As `forecast.Elsewhere`: higher tiers at other workers, and of its own as much as goes before it here."""
        calls = tokens = same_calls = same = 0
        rank = tenant.tier.rank
        for wallet in self._wallets():
            if now - wallet.ahead_at > _HEARD_US:
                continue
            for other, some, units_ in wallet.ahead:
                if other < rank:
                    calls += some
                    tokens += units_
                elif other == rank:
                    same_calls += some
                    same += units_
        if not tokens and not same and not calls and not same_calls:
            return ahead
        queued = max(ahead.tokens, self._desk.scheduler.queued(tenant)) + charge.tokens
        part = (ahead.tokens + charge.tokens) / max(1, queued)
        return Ahead(ahead.requests + calls + round(same_calls * part), ahead.tokens + tokens + round(same * part))


def digest(tenant: Tenant) -> int:
    """A tenant's name in every fund: the same at all workers."""
    return int.from_bytes(blake2b(f"{tenant.tier.name}\n{tenant.flow}".encode(), digest_size=_BITS).digest(), "big")


def units(outlet: Outlet, charge: Charge, now: int) -> list[int]:
    """What such a call takes of each dimension of the outlet's wallet: no more than there can be."""
    due = outlet.due(charge, now) if charge.prefix else charge
    costs = []
    for purse in outlet.wallet.purses if outlet.wallet is not None else ():
        cost = 1 if purse.of == REQUESTS else due.tokens if purse.of == TOKENS else due.outputs
        costs.append(min(cost, purse.limit) if purse.limit else cost)
    return costs


def _lacks(outlet: Outlet, charge: Charge, now: int) -> bool:
    """Whether a lease is what keeps such a call from passing here, and nothing else for long."""
    wallet = outlet.wallet
    if wallet is None or outlet.full() is not None or (outlet.breaker.limited and outlet.breaker.wait(now)):
        return False
    for purse, cost in zip(wallet.purses, units(outlet, charge, now), strict=True):
        if purse.own_limit and not purse.has(cost, now):
            return True
    return False


def _parts(outlets: list[Outlet], charge: Charge, calls: int, now: int) -> list[int]:
    """How many of the calls that wait each outlet is asked for: by what it could serve within a second."""
    rooms = [_room(outlet, charge, now) for outlet in outlets]
    whole = sum(rooms) or 1.0
    shares = [calls * room / whole for room in rooms]
    parts = [int(share) for share in shares]
    rest = sorted(range(len(parts)), key=lambda index: parts[index] - shares[index])
    for index in rest[: calls - sum(parts)]:
        parts[index] += 1
    return parts


def _room(outlet: Outlet, charge: Charge, now: int) -> float:
    """Such calls that it could serve within a second."""
    wallet, room = outlet.wallet, 1e9
    for purse, cost in zip(wallet.purses, units(outlet, charge, now), strict=True) if wallet is not None else ():
        if purse.own_limit and cost:
            room = min(room, (max(0, purse.in_fund(now)) + purse.whole_rate()) / cost)
    return room
