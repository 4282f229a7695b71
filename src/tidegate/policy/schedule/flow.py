"""What waits: the calls of one tenant, and the calls of one tier.

Order is kept by links in the tickets and tenants themselves, so that a call which leaves from the middle costs the same
as one whose turn it is, nothing is hashed and nothing is left behind: O(1) each.
"""

from abc import ABC, abstractmethod
from collections import OrderedDict
from typing import Optional

from tidegate.model.tenant import Tenant
from tidegate.policy.schedule.face import Ticket

_LOOKS = 8  # calls that are looked at for each tenant that is to be found


class Flow:
    """One tenant's waiting calls in the order of their turn, and what its discipline notes about it."""

    __slots__ = (
        "band", "count", "due", "due_tokens", "first", "last", "last_due", "left", "level", "parked", "right", "tenant",
        "tokens", "touched", "v", "weight",
    )  # fmt: skip
    __deletable__ = ("left", "right")

    def __init__(self, tenant: Tenant, band: "Band", now: int) -> None:
        self.tenant = tenant
        self.band = band
        self.weight = tenant.weight_milli
        self.first: Ticket | None = None
        self.last: Ticket | None = None
        self.last_due: Ticket | None = None
        self.count = 0
        self.tokens = 0  # waiting
        self.due = 0  # of its calls
        self.due_tokens = 0
        self.left = self.right = self  # its neighbours in a ring of tenants
        self.v = 0  # normalised service, as its band counts it
        self.level = 0  # where its band keeps it
        self.touched = now  # when `v` was last brought up to date while nothing waited
        self.parked = False  # it is in the list of those that may be forgotten

    def add(self, ticket: Ticket, front: bool, due: bool = False) -> None:
        """Behind its other calls, or before them; `due`: before those that are not."""
        ticket.seat = self
        if due:
            self._note(ticket)
            after, self.last_due = self.last_due, ticket
            if after is not None and after is not self.last:
                self._insert(ticket, after)
                return
            front = after is None
        self.count += 1
        self.tokens += ticket.cost
        first, last = self.first, self.last
        if first is None or last is None:
            self.first = self.last = ticket
        elif front:
            ticket.behind = first
            first.before = ticket
            self.first = ticket
        else:
            ticket.before = last
            last.behind = ticket
            self.last = ticket

    def _note(self, ticket: Ticket) -> None:
        ticket.due = True
        self.due += 1
        self.due_tokens += ticket.cost

    def _insert(self, ticket: Ticket, after: Ticket) -> None:
        """Behind one that is not the last."""
        self.count += 1
        self.tokens += ticket.cost
        behind = after.behind
        ticket.before, ticket.behind = after, behind
        after.behind = ticket
        if behind is not None:
            behind.before = ticket

    def take(self, ticket: Ticket) -> None:
        """Out of the row."""
        if ticket.due:
            ticket.due = False
            self.due -= 1
            self.due_tokens -= ticket.cost
            if self.last_due is ticket:
                self.last_due = ticket.before if ticket.before is not None and ticket.before.due else None
        ticket.seat = None
        self.count -= 1
        self.tokens -= ticket.cost
        before, behind = ticket.before, ticket.behind
        if before is None:
            self.first = behind
        else:
            before.behind = behind
            ticket.before = None
        if behind is None:
            self.last = before
        else:
            behind.before = before
            ticket.behind = None

    def join(self, head: Optional["Flow"]) -> None:
        """Into the ring of which `head` is the first, as its last; None = a ring of its own."""
        if head is not None:
            last = head.left
            self.left, self.right = last, head
            last.right = head.left = self

    def part(self) -> None:
        """Out of its ring."""
        left, right = self.left, self.right
        left.right, right.left = right, left
        self.left = self.right = self

    def forget(self) -> None:
        """It is in no ring, and will be in none: what holds itself would wait for the collector of cycles."""
        del self.left, self.right


def around(head: Flow) -> list[Flow]:
    """A ring's tenants in the order of their turn."""
    ring = [head]
    while (flow := ring[-1].right) is not head:
        ring.append(flow)
    return ring


class Band(ABC):
    """One tier's waiting calls. A discipline says whose turn it is; row and sums are kept here."""

    __slots__ = ("count", "due", "due_tokens", "flows", "newest", "oldest", "rank", "tokens", "told", "weight")

    def __init__(self, rank: int) -> None:
        self.rank = rank
        self.oldest: Ticket | None = None
        self.newest: Ticket | None = None
        self.count = 0  # calls that wait
        self.tokens = 0  # of theirs
        self.flows = 0  # tenants that wait
        self.weight = 0  # the sum of their weights, in thousandths
        self.due: OrderedDict[Ticket, None] = OrderedDict()  # of its calls, those that go before all others
        self.due_tokens = 0
        self.told = 0  # the weight of all tenants that were told a time, of late

    @abstractmethod
    def enter(self, flow: Flow, now: int, *, due: bool = False) -> None:
        """A tenant that had nothing waiting has a call now; `due`: it goes first, and is no newcomer's."""

    @abstractmethod
    def leave(self, flow: Flow, now: int) -> None:
        """A tenant's last waiting call left without its turn."""

    @abstractmethod
    def turn(self) -> Flow:
        """Whose turn it is. Somebody waits."""

    @abstractmethod
    def served(self, flow: Flow, cost: int, now: int) -> None:
        """The call of `turn()` has been taken out; when it was the tenant's last, this is its leaving too."""

    def served_due(self, flow: Flow, cost: int, now: int) -> None:
        """As `served`, of a call that was due, whosever turn it is."""
        if not flow.count:
            self.leave(flow, now)

    def served_ahead(self, flow: Flow, cost: int, now: int) -> None:
        """As `served`, of a call that another order than this one let go."""
        self.served_due(flow, cost, now)

    def passed(self, tokens: int, told: int) -> None:  # noqa: B027 - most disciplines count no service
        """A call passed at once, while tenants of this weight were told a time."""

    def honours(self, flow: Flow, now: int) -> bool:
        """Whether another call of this tenant that is due may go before those whose turn it is."""
        return True

    @abstractmethod
    def before(self, flow: Flow | None, weight: int, others: int, now: int) -> int:
        """Tokens of other tenants that go before a new call of this one, at most; `others` = what of theirs waits."""

    def sooner(self, flow: Flow, weight: int, others: int) -> int:
        """By how much less, of other tenants' tokens, goes before a call that passes all of its tenant's own."""
        return 0

    def drift(self, flow: Flow | None, weight: int, now: int) -> int:
        """Tokens served to others before a new call of this tenant, by how things went of late: who comes too."""
        return 0

    def spent(self, flow: Flow, tokens: int, now: int) -> None:  # noqa: B027 - most disciplines count no service
        """Service outside the queue, of either sign."""

    def order(self, most: int) -> list[Flow]:
        """The first tenants in the order of their turn, about; here of their oldest calls. O(`most`)."""
        found: dict[Flow, None] = {}
        ticket, looks = self.oldest, _LOOKS * most
        while ticket is not None and looks and len(found) < most:
            found[ticket.seat] = None
            ticket = ticket.newer
            looks -= 1
        return list(found)

    def negligible(self, flow: Flow, now: int) -> bool:
        """Forgetting this tenant, of whom nothing waits, changes next to nothing."""
        return True

    def moved(self, flow: Flow, old: "Band", now: int) -> None:
        """A tenant came from another tier; its calls, if any wait, enter after this."""
        flow.touched = now

    def renewed(self, flow: Flow, weight: int) -> None:
        """The weight of a tenant changed."""
        if flow.count:
            self.weight += weight - flow.weight
        flow.weight = weight

    def call_due(self, ticket: Ticket, told: int) -> None:
        """It goes before all of the tier that are not due; `told`: the weight of all that were told a time."""
        self.told = told
        self.due[ticket] = None
        self.due_tokens += ticket.cost

    def uncall(self, ticket: Ticket) -> bool:
        """It goes, or does so no more. False when it was not due."""
        if ticket not in self.due:
            return False
        del self.due[ticket]
        self.due_tokens -= ticket.cost
        return True

    def next(self) -> Ticket | None:
        """Whose turn it is. Somebody waits."""
        return next(iter(self.due)) if self.due else self.turn().first

    def add(self, ticket: Ticket, front: bool) -> None:
        """As the newest of the tier, or as the oldest."""
        self.count += 1
        self.tokens += ticket.cost
        oldest, newest = self.oldest, self.newest
        if oldest is None or newest is None:
            self.oldest = self.newest = ticket
        elif front:
            ticket.newer = oldest
            oldest.older = ticket
            self.oldest = ticket
        else:
            ticket.older = newest
            newest.newer = ticket
            self.newest = ticket

    def take(self, ticket: Ticket) -> None:
        """Out of the tier's row."""
        self.count -= 1
        self.tokens -= ticket.cost
        older, newer = ticket.older, ticket.newer
        if older is None:
            self.oldest = newer
        else:
            older.newer = newer
            ticket.older = None
        if newer is None:
            self.newest = older
        else:
            newer.older = older
            ticket.newer = None
