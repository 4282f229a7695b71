"""One budget: how much of it was spent in each of its periods, and how much calls in flight may still spend.

A call is booked where it was granted: it holds on to its `Tally` while the period turns. Periods are told apart by
their beginnings, so a clock that goes back finds the tally of the period that it comes back to, and gives nobody a
second budget. All O(1); where a period ends is looked up when it does.
"""

from datetime import tzinfo

from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.calendar import day_of, month_of

TOKENS_DAY, NANO_DAY, NANO_MONTH = "tokens_day", "nano_day", "nano_month"  # as in `entitlements.Allowance`
WHATS = (TOKENS_DAY, NANO_DAY, NANO_MONTH)


class Tally:
    """One period, the wall-clock microseconds [start, end): what was spent, and what calls in flight hold."""

    __slots__ = ("end", "held", "seen", "spent", "start", "told")

    def __init__(self, start: int, end: int, spent: int = 0) -> None:
        self.start = start
        self.end = end
        self.spent = spent
        self.held = 0
        self.told = 0  # what all workers of the cluster have spent, as far as this one was told
        self.seen = start  # a moment of it at which something was spent


class Budget:
    """Tokens or money of a day or a month. What was spent stays when the limit is changed."""

    __slots__ = ("before", "current", "limit", "money", "monthly", "what", "zone")

    def __init__(self, what: str, zone: tzinfo) -> None:
        """`what` is one of `TOKENS_DAY`, `NANO_DAY`, `NANO_MONTH`; without a limit at first."""
        self.what = what
        self.money = what != TOKENS_DAY
        self.monthly = what == NANO_MONTH
        self.zone = zone
        self.limit = 0
        self.current: Tally | None = None
        self.before: Tally | None = None

    @property
    def called(self) -> str:
        """In words."""
        return f"{'monthly' if self.monthly else 'daily'} {'money' if self.money else 'token'} budget"

    def at(self, wall: int) -> Tally:
        """The tally of this moment, which is the present one from now on."""
        current = self.current
        if current is not None and current.start <= wall < current.end:
            return current
        return self._turn(wall)

    def find(self, wall: int) -> Tally | None:
        """The tally that a call of then belongs to, also if that period is over; None where it is long over."""
        current, before = self.current, self.before
        if current is None or wall >= current.start:
            found = self.at(wall)
            found.seen = wall
            return found
        return before if before is not None and before.start <= wall < before.end else None

    def put(self, start: int, end: int, spent: int, told: int = 0) -> None:
        """Continue from an earlier run: of each of its periods, the earlier one first."""
        if self.current is not None and self.current.start != start:
            self.before = self.current
        self.current = Tally(start, end, spent)
        self.current.told = told

    def move(self, zone: tzinfo, wall: int) -> None:
        """Its days are those of another zone from now on; what was spent in the present one stays spent."""
        self.zone = zone
        current = self.current
        if current is not None:
            current.start, current.end = self._bounds(wall if current.start <= wall < current.end else current.seen)

    def has(self, ask: Ask, wall: int) -> bool:
        """Whether what is likely fits beside what is held.

        A call that is alone may count on what is usual, and on a whole budget in any case.
        """
        tally = self.at(wall)
        if tally.spent + tally.held + (ask.nano if self.money else ask.tokens) <= self.limit:
            return True
        if tally.held > 0:
            return False
        return tally.spent + ask.usual(money=self.money) <= self.limit or (
            tally.spent <= 0 and ask.least(money=self.money) <= self.limit
        )

    def missing(self, ask: Ask, wall: int) -> int:
        """How much of what calls in flight hold would have to return; 0 where that would not be enough."""
        tally = self.at(wall)
        if tally.spent > 0 and tally.spent + ask.usual(money=self.money) > self.limit:
            return 0
        return tally.spent + tally.held + (ask.nano if self.money else ask.tokens) - self.limit

    def _turn(self, wall: int) -> Tally:
        start, end = self._bounds(wall)
        before = self.before
        fresh = before if before is not None and before.start == start else Tally(start, end)
        if self.current is not None:
            self.before = self.current
        self.current = fresh
        return fresh

    def _bounds(self, wall: int) -> tuple[int, int]:
        return month_of(wall, self.zone) if self.monthly else day_of(wall, self.zone)
