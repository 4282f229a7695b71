"""Random crowds of tenants, and a slow ledger of what every discipline must agree with."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from tidegate.model.tenant import FREE, PAID, VIP, Tenant
from tidegate.policy.schedule.face import Ticket
from tidegate.policy.schedule.tiered import Tiered

TIERS = (VIP, PAID, FREE)
MS = 1_000
SECOND = 1_000_000

_who = st.integers(0, 8)
_cost = st.one_of(st.integers(1, 50), st.integers(1, 4_000), st.just(4_000))
_push = st.tuples(st.just("push"), _who, _cost)
STEPS = st.lists(
    st.one_of(
        _push,
        _push,
        st.tuples(st.just("front"), _who, _cost),
        st.tuples(st.just("pop"), st.just(0), st.just(0)),
        st.tuples(st.just("pop"), st.just(0), st.just(0)),
        st.tuples(st.just("remove"), st.integers(0, 99), st.just(0)),
        st.tuples(st.just("spent"), _who, st.integers(-3_000, 9_000)),
        st.tuples(st.just("wait"), st.integers(0, 40_000 * MS), st.just(0)),
        st.tuples(st.just("renew"), _who, st.integers(0, 11)),
    ),
    max_size=120,
)


@dataclass
class Crowd:
    """Plays steps on a scheduler and on lists, and compares them after each step."""

    scheduler: Tiered
    strict: bool = True  # tiers in strict order unless boosted
    renewing: bool = True  # weights and tiers change on the way
    now: int = 0
    lists: dict[str, list[Ticket]] = field(default_factory=dict)
    pushed: list[Ticket] = field(default_factory=list)
    gone: list[Ticket] = field(default_factory=list)
    tenants: dict[int, Tenant] = field(default_factory=dict)

    def tenant(self, who: int) -> Tenant:
        return self.tenants.setdefault(who, Tenant(f"t{who}", TIERS[who % 3], 500 * (1 + who % 4)))

    def play(self, steps: list[tuple[str, int, int]]) -> None:
        for verb, a, b in steps:
            getattr(self, f"_{verb}")(a, b)
            self._agrees()

    def drain(self) -> Iterator[Ticket]:
        while self.scheduler.head(self.now) is not None:
            yield self._pop()

    def waiting(self) -> list[Ticket]:
        return [ticket for row in self.lists.values() for ticket in row]

    def _push(self, who: int, cost: int, *, front: bool = False) -> None:
        ticket = Ticket(self.tenant(who), cost, self.now)
        row = self.lists.setdefault(ticket.tenant.name, [])
        row.insert(0 if front else len(row), ticket)
        self.pushed.append(ticket)
        self.scheduler.push(ticket, self.now, front=front)

    def _front(self, who: int, cost: int) -> None:
        self._push(who, cost, front=True)

    def _pop(self, _a: int = 0, _b: int = 0) -> Ticket:
        head = self.scheduler.head(self.now)
        if head is None:
            return Ticket(self.tenant(0), 1, 0)
        assert self.scheduler.head(self.now) is head
        assert self.lists[head.tenant.name][0] is head, "first in, first out within a tenant"
        if self.strict and not head.boosted:
            assert self.rank(head) == min(map(self.rank, self.waiting()))
        assert self.scheduler.pop(self.now) is head
        assert head.seat is None
        self.lists[head.tenant.name].pop(0)
        self.gone.append(head)
        return head

    def rank(self, ticket: Ticket) -> int:
        flow: Any = ticket.seat
        return int(flow.band.rank)

    def _remove(self, index: int, _b: int) -> None:
        waiting = self.waiting()
        if not waiting:
            return
        ticket = waiting[index % len(waiting)]
        assert self.scheduler.remove(ticket, self.now)
        assert not self.scheduler.remove(ticket, self.now)
        self.lists[ticket.tenant.name].remove(ticket)
        self.gone.append(ticket)

    def _spent(self, who: int, tokens: int) -> None:
        self.scheduler.spent(self.tenant(who), tokens, self.now)

    def _wait(self, duration: int, _b: int) -> None:
        self.now += duration

    def _renew(self, who: int, what: int) -> None:
        if self.renewing:
            self.tenants[who] = Tenant(f"t{who}", TIERS[what % 3], 500 * (1 + what // 3))

    def _agrees(self) -> None:
        waiting = self.waiting()
        assert len(self.scheduler) == len(waiting)
        listed = list(self.scheduler)
        assert set(listed) == set(waiting)
        assert [self.rank(ticket) for ticket in listed] == sorted(self.rank(ticket) for ticket in waiting)
        for row in self.lists.values():
            assert [ticket for ticket in listed if ticket in row] == row
        newest = self.scheduler.newest()
        assert (newest is None) == (not waiting)
        if newest is not None:
            assert self.rank(newest) == max(map(self.rank, waiting))
        for band in self.scheduler._bands.values():
            row = [ticket for ticket in listed if ticket.seat.band is band]
            flows = {id(ticket.seat): ticket.seat for ticket in row}.values()
            assert (band.count, band.tokens) == (len(row), sum(ticket.cost for ticket in row))
            assert (band.oldest, band.newest) == ((row[0], row[-1]) if row else (None, None))
            for flow in flows:
                own = self.lists[flow.tenant.name]
                assert (flow.first, flow.last, flow.count) == (own[0], own[-1], len(own))
                assert flow.tokens == sum(ticket.cost for ticket in own)
            assert band.weight == sum(flow.weight for flow in flows)
            assert band.flows == len(flows)


def fixed(tier: Any, *weights: int) -> list[Tenant]:
    """Tenants of one tier with these milliweights."""
    return [Tenant(f"t{number}", tier, weight) for number, weight in enumerate(weights)]
