"""What waits: the calls of one tenant, and the calls of one tier.

Order is kept in linked maps, so that a call which leaves from the middle costs the same as one whose turn it is: O(1).
"""

from abc import ABC, abstractmethod
from collections import OrderedDict

from tidegate.model.tenant import Tenant
from tidegate.policy.schedule.face import Ticket


class Flow:
    """One tenant's waiting calls in the order of their turn, and what its discipline notes about it."""

    __slots__ = ("band", "level", "parked", "tenant", "tickets", "tokens", "touched", "v", "weight")

    def __init__(self, tenant: Tenant, band: "Band", now: int) -> None:
        self.tenant = tenant
        self.band = band
        self.weight = tenant.weight_milli
        self.tickets: OrderedDict[Ticket, None] = OrderedDict()
        self.tokens = 0  # waiting
        self.v = 0  # normalised service, as its band counts it
        self.level = 0  # where its band keeps it
        self.touched = now  # when `v` was last brought up to date while nothing waited
        self.parked = False  # it is in the list of those that may be forgotten

    def first(self) -> Ticket:
        """Its next call. There must be one."""
        return next(iter(self.tickets))


class Band(ABC):
    """One tier's waiting calls. A discipline says whose turn it is; the sums are kept here."""

    __slots__ = ("arrivals", "flows", "rank", "tokens", "weight")

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.arrivals: OrderedDict[Ticket, None] = OrderedDict()  # oldest first
        self.flows = 0  # tenants that wait
        self.weight = 0  # the sum of their weights, in thousandths
        self.tokens = 0  # waiting

    @abstractmethod
    def enter(self, flow: Flow, now: int) -> None:
        """A tenant that had nothing waiting has a call now."""

    @abstractmethod
    def leave(self, flow: Flow, now: int) -> None:
        """A tenant's last waiting call left without its turn."""

    @abstractmethod
    def turn(self) -> Flow:
        """Whose turn it is. Somebody waits."""

    @abstractmethod
    def served(self, flow: Flow, cost: int, now: int) -> None:
        """The call of `turn()` has been taken out; when it was the tenant's last, this is its leaving too."""

    @abstractmethod
    def before(self, flow: Flow | None, weight: int, others: int, now: int) -> int:
        """Tokens of other tenants that go before a new call of this one, at most; `others` = what of theirs waits."""

    def spent(self, flow: Flow, tokens: int, now: int) -> None:  # noqa: B027 - most disciplines count no service
        """Service outside the queue, of either sign."""

    def negligible(self, flow: Flow, now: int) -> bool:
        """Forgetting this tenant, of whom nothing waits, changes next to nothing."""
        return True

    def moved(self, flow: Flow, old: "Band", now: int) -> None:
        """A tenant came from another tier; its calls, if any wait, enter after this."""
        flow.touched = now

    def renewed(self, flow: Flow, weight: int) -> None:
        """The weight of a tenant changed."""
        if flow.tickets:
            self.weight += weight - flow.weight
        flow.weight = weight

    def oldest(self) -> int:
        """When the call that waits longest arrived. Somebody waits."""
        return next(iter(self.arrivals)).arrived
