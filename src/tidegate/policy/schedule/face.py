"""The face of every discipline, and the ticket of a call that waits.

A scheduler orders tickets; it knows no quota. Whoever dispatches asks `head`, and calls `pop` when the head may go.
A ticket is in at most one scheduler. Amounts are tokens, times microseconds on one monotonic clock.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

from tidegate.model.tenant import Tenant
from tidegate.policy.queue.records import Ahead as Ahead
from tidegate.policy.queue.records import Floor as Floor


class Ticket:
    """A call that waits for its turn. Identity counts, not equality."""

    __slots__ = ("arrived", "before", "behind", "boosted", "cost", "ctx", "due", "newer", "older", "seat", "tenant")

    def __init__(self, tenant: Tenant, cost: int, arrived: int, ctx: object = None) -> None:
        """`cost` is what it reserves, in tokens, at least 1; `ctx` is the owner's, `seat` and links the scheduler's."""
        self.tenant = tenant
        self.cost = cost
        self.arrived = arrived
        self.ctx = ctx
        self.seat: Any = None  # None = in no scheduler
        self.before: Ticket | None = None  # its neighbours among its tenant's calls
        self.behind: Ticket | None = None
        self.older: Ticket | None = None  # and among its tier's
        self.newer: Ticket | None = None
        self.due = False  # its time was told before: it goes before its tenant's other calls, behind those that are due
        self.boosted = False  # as `head` and `pop` said it: it goes before a higher tier, so no reservation holds it


class Scheduler(Protocol):
    """One queue of tickets of many tenants."""

    def __len__(self) -> int:
        """How many tickets wait. O(1)."""

    def __iter__(self) -> Iterator[Ticket]:
        """Every ticket, tier by tier from the first rank; within a tenant as it will be served. O(n)."""

    def push(self, ticket: Ticket, now: int, *, front: bool = False, due: int = 0) -> None:
        """Queue a ticket; `front`: before the others of its tenant (it had its turn before).

        `due`: its time was told before, it goes before all newcomers of its tier as far as the discipline's promise
        allows, and before its tenant's others in any case; the weight of all tenants that were told a time, in
        thousandths.
        """

    def head(self, now: int) -> Ticket | None:
        """Who is next. The same ticket until `push`, `pop`, `remove`, `spent` or time changes that."""

    def pop(self, now: int) -> Ticket:
        """Take out what `head(now)` says and count its cost as service to its tenant. Raises `IndexError`.

        A ticket that is pushed again is counted again when it is popped again: who was given nothing for the first
        turn takes it back by `spent(tenant, -cost)`.
        """

    def remove(self, ticket: Ticket, now: int) -> bool:
        """A waiting call left: no trace of it remains. False when it was not here."""

    def spent(self, tenant: Tenant, tokens: int, now: int) -> None:
        """Service outside the queue: a call that passed at once (positive), or a correction at settle (either sign)."""

    def granted(self, grants: Iterable[tuple[Tenant, int]]) -> None:
        """Who divides this quota among several queues gave these tenants so many tokens here; others nothing.

        Those go first, within their tier, until they have had that; what they had left of the time before is added.
        """

    def first(self, most: int) -> list[Ticket]:
        """The next call of each of the first tenants in the order of their turn, about. O(`most` + tiers)."""

    def standing(self, ticket: Ticket) -> tuple[int, int]:
        """Rank and weight of a waiting call, as its order among the calls of several queues goes by them."""

    def queued(self, tenant: Tenant) -> int:
        """Tokens that wait and are not of a lower tier than this tenant: those give way. O(tiers)."""

    def ahead(self, tenant: Tenant, cost: int, now: int) -> Ahead:
        """What is served before a new ticket of this tenant and cost. O(1) in waiting tickets and tenants."""

    def ahead_due(self, tenant: Tenant, now: int) -> Ahead:
        """What is served before a new ticket of this tenant that is due: of its own calls only those that are."""

    def floor(self, tenant: Tenant, now: int) -> Floor | None:
        """What a new ticket of this tenant gets even where higher tiers always wait; None: nothing.

        An upper estimate of what goes before it there. O(tiers).
        """

    def honours(self, tenant: Tenant, now: int) -> bool:
        """Whether a new ticket of this tenant that is due would go before all newcomers of its tier."""

    def passed(self, tenant: Tenant, tokens: int, told: int) -> None:
        """A call of this tenant passed at once, while others were told a time: the weight of all these."""

    def weight(self, tenant: Tenant) -> int:
        """Of the tenants of this one's tier that wait, in thousandths."""

    def oldest(self) -> Ticket | None:
        """The ticket that has waited longest; one pushed to the front hides the others of its tier. O(tiers)."""

    def newest(self) -> Ticket | None:
        """The newest ticket of the lowest tier that waits: who is pushed out first. O(1)."""
