"""Every tenant of the first tier in its turn, one call each.

Invariant: within a tier, between two turns of a tenant that waits every other tenant has at most one.
Bounds: between two tenants that wait throughout, the number of calls served differs by at most one over every interval.
Tokens do not count, nor weights: who sends calls k times as large gets k times the tokens. A tenant's first call waits
for at most one call of each other tenant of its tier (and the boost's share).
Complexity: O(1).
"""

from tidegate.policy.schedule.flow import Band, Flow
from tidegate.policy.schedule.tiered import BOOST_AFTER_US, BOOST_SHARE_MILLI, Tiered


class _Ring(Band):
    """One tier's tenants, whose turn it is first."""

    __slots__ = ("_next",)

    def __init__(self, rank: int) -> None:
        super().__init__(rank)
        self._next: Flow | None = None

    def enter(self, flow: Flow, now: int, *, due: bool = False) -> None:
        flow.join(self._next)
        if self._next is None:
            self._next = flow

    def leave(self, flow: Flow, now: int) -> None:
        if self._next is flow:
            self._next = flow.right if flow.right is not flow else None
        flow.part()

    def turn(self) -> Flow:
        assert self._next is not None  # noqa: S101 - somebody waits
        return self._next

    def served(self, flow: Flow, cost: int, now: int) -> None:
        if flow.count:
            self._next = flow.right
        else:
            self.leave(flow, now)

    def before(self, flow: Flow | None, weight: int, others: int, now: int) -> int:
        """As many turns of each other tenant as this one needs, of calls of the mean size."""
        mine = flow.count if flow is not None else 0
        rivals = self.flows - (mine > 0)
        return -(-others * (mine + 1) * rivals // (self.count - mine))

    def sooner(self, flow: Flow, weight: int, others: int) -> int:
        return others * flow.count * (self.flows - (flow.count > 0)) // (self.count - flow.count)


class RoundRobin(Tiered):
    """Tenant after tenant within a tier."""

    __slots__ = ()

    def __init__(self, *, boost_after: int = BOOST_AFTER_US, boost_share_milli: int = BOOST_SHARE_MILLI) -> None:
        super().__init__(_Ring, boost_after=boost_after, boost_share_milli=boost_share_milli)
