"""First come, first served within a tier: what the fair disciplines are compared with.

Invariant: within a tier calls go in the order of arrival, whoever's they are.
Bound: none between tenants. Who brings k times as many calls gets k times the service, and everybody waits for the
backlog of who floods: backlog / rate.
Complexity: O(1).
"""

from tidegate.policy.schedule.flow import Band, Flow
from tidegate.policy.schedule.tiered import BOOST_AFTER_US, BOOST_SHARE_MILLI, Tiered


class _Row(Band):
    __slots__ = ()

    def enter(self, flow: Flow, now: int, *, due: bool = False) -> None:
        pass

    def leave(self, flow: Flow, now: int) -> None:
        pass

    def turn(self) -> Flow:
        assert self.oldest is not None  # noqa: S101 - somebody waits
        flow: Flow = self.oldest.seat
        return flow

    def served(self, flow: Flow, cost: int, now: int) -> None:
        pass

    def before(self, flow: Flow | None, weight: int, others: int, now: int) -> int:
        return others


class Fifo(Tiered):
    """Arrival order within a tier."""

    __slots__ = ()

    def __init__(self, *, boost_after: int = BOOST_AFTER_US, boost_share_milli: int = BOOST_SHARE_MILLI) -> None:
        super().__init__(_Row, boost_after=boost_after, boost_share_milli=boost_share_milli)
