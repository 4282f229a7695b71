"""The shapes of a published limit, exact in integers.

A window admits or refuses a cost at a time; it never admits more than its definition allows, and `wait` is the exact
number of microseconds after which the same cost would pass if nobody else charged. Costs are tokens or requests,
times integer microseconds on any monotonic clock; a time before the last one counts as the last one. Python's
integers do not overflow, so limits up to 10^12 stay exact without coarser ticks.

Complexity: O(1), but `Sliding.wait` on a refusal walks the entries that must leave first, and its state is O(charges
within the window).
"""

from bisect import bisect_left
from typing import Final, Protocol

SECOND: Final = 1_000_000
MINUTE: Final = 60 * SECOND
DAY: Final = 86_400 * SECOND
NEVER: Final = -1
SHAPES: Final = ("continuous", "fixed", "sliding", "quantised")


class Window(Protocol):
    """One limit over one period."""

    limit: int

    def wait(self, cost: int, now: int) -> int:
        """Microseconds until `cost` passes: 0 = now, `NEVER` = it is larger than the window can ever hold."""

    def charge(self, cost: int, now: int) -> None:
        """Take `cost`, also when it does not fit (then the window is in debt)."""

    def refund(self, amount: int, charged_at: int, now: int) -> None:
        """Correct a charge made at `charged_at`; a negative amount charges more. Nothing once that charge expired."""

    def remaining(self, now: int) -> int:
        """What could be charged now, in whole units, never negative."""

    def reset(self, now: int) -> int:
        """Microseconds until the window is full again if nobody charges."""

    def relimit(self, limit: int, now: int) -> None:
        """Another limit from now on; what was charged stays charged."""


class Continuous:
    """A token bucket of depth `limit`, refilled evenly. The level is kept in units of 1/width, so nothing is rounded.

    Invariant: in any interval of length t the charges are at most limit + limit·t/width.
    """

    __slots__ = ("_at", "_level", "_width", "limit")

    def __init__(self, limit: int, width: int, now: int) -> None:
        self.limit = limit
        self._width = width
        self._level = limit * width
        self._at = now

    def _fill(self, now: int) -> int:
        if now > self._at:
            full = self.limit * self._width
            level = self._level + (now - self._at) * self.limit
            self._level = level if level < full else full
            self._at = now
        return self._level

    def wait(self, cost: int, now: int) -> int:
        """See `Window`."""
        missing = cost * self._width - self._fill(now)
        if missing <= 0:
            return 0
        return NEVER if cost > self.limit else -(-missing // self.limit)

    def charge(self, cost: int, now: int) -> None:
        """See `Window`."""
        self._level = self._fill(now) - cost * self._width

    def refund(self, amount: int, charged_at: int, now: int) -> None:
        """See `Window`. A bucket has no memory of when; it only never overflows."""
        self._level = min(self._fill(now) + amount * self._width, self.limit * self._width)

    def remaining(self, now: int) -> int:
        """See `Window`."""
        return max(0, self._fill(now) // self._width)

    def reset(self, now: int) -> int:
        """See `Window`."""
        return -(-(self.limit * self._width - self._fill(now)) // self.limit)

    def relimit(self, limit: int, now: int) -> None:
        """See `Window`. The level stays, cut to the new depth."""
        self._level = min(self._fill(now), limit * self._width)
        self.limit = limit


class Fixed:
    """A counter that starts again each `width`, aligned to the clock's epoch or begun by the first charge.

    Invariant: within one period at most `limit` is admitted; across an edge up to twice that.
    """

    __slots__ = ("_aligned", "_start", "_used", "_width", "limit")

    def __init__(self, limit: int, width: int, now: int, *, aligned: bool = False) -> None:
        self.limit = limit
        self._width = width
        self._aligned = aligned
        self._start = self._begin(now)
        self._used = 0

    def _begin(self, now: int) -> int:
        return now - now % self._width if self._aligned else now

    def _roll(self, now: int) -> int:
        if now - self._start >= self._width:
            self._start = self._begin(now)
            self._used = 0
        return self._used

    def wait(self, cost: int, now: int) -> int:
        """See `Window`."""
        if self._roll(now) + cost <= self.limit:
            return 0
        return NEVER if cost > self.limit else self._start + self._width - now

    def charge(self, cost: int, now: int) -> None:
        """See `Window`."""
        if not self._roll(now) and not self._aligned:
            self._start = max(self._start, now)
        self._used += cost

    def refund(self, amount: int, charged_at: int, now: int) -> None:
        """See `Window`. A charge of an earlier period is gone already."""
        self._roll(now)
        if charged_at >= self._start:
            self._used = max(0, self._used - amount)

    def remaining(self, now: int) -> int:
        """See `Window`."""
        return max(0, self.limit - self._roll(now))

    def reset(self, now: int) -> int:
        """See `Window`."""
        return self._start + self._width - now if self._roll(now) else 0

    def relimit(self, limit: int, now: int) -> None:
        """See `Window`."""
        self._roll(now)
        self.limit = limit


class Sliding:
    """An exact log of charges: in every half-open interval of length `width` at most `limit` is admitted."""

    __slots__ = ("_costs", "_head", "_times", "_total", "_width", "limit")

    def __init__(self, limit: int, width: int) -> None:
        self.limit = limit
        self._width = width
        self._times: list[int] = []
        self._costs: list[int] = []
        self._head = 0
        self._total = 0

    def _expire(self, now: int) -> int:
        horizon, head, times = now - self._width, self._head, self._times
        while head < len(times) and times[head] <= horizon:
            self._total -= self._costs[head]
            head += 1
        self._head = head
        if head > 1_024 and head * 2 > len(times):
            del self._times[:head], self._costs[:head]
            self._head = 0
        return self._total

    def wait(self, cost: int, now: int) -> int:
        """See `Window`. O(entries that must leave first) when it refuses."""
        excess = self._expire(now) + cost - self.limit
        if excess <= 0:
            return 0
        if cost > self.limit:
            return NEVER
        index = self._head
        while (excess := excess - self._costs[index]) > 0:
            index += 1
        return self._times[index] + self._width - now

    def charge(self, cost: int, now: int) -> None:
        """See `Window`."""
        self._expire(now)
        self._total += cost
        if self._times and self._times[-1] >= now:
            self._costs[-1] += cost
        else:
            self._times.append(now)
            self._costs.append(cost)

    def refund(self, amount: int, charged_at: int, now: int) -> None:
        """See `Window`. O(log n)."""
        self._expire(now)
        index = bisect_left(self._times, charged_at, self._head)
        if index < len(self._times) and self._times[index] == charged_at:
            amount = min(amount, self._costs[index])
            self._costs[index] -= amount
            self._total -= amount
            while len(self._costs) > self._head and not self._costs[-1]:
                self._costs.pop()
                self._times.pop()

    def remaining(self, now: int) -> int:
        """See `Window`."""
        return max(0, self.limit - self._expire(now))

    def reset(self, now: int) -> int:
        """See `Window`."""
        return self._times[-1] + self._width - now if self._expire(now) else 0

    def relimit(self, limit: int, now: int) -> None:
        """See `Window`."""
        self._expire(now)
        self.limit = limit


class Quantised:
    """A limit a minute, enforced as its part a second ("60,000 RPM may be enforced as 1,000 a second").

    Each aligned second admits limit·1 s/width, rounded down; a limit below one a second admits one each width/limit.
    A cost above one second's part never passes. What it reports is the minute: headers show a continuous bucket.
    """

    __slots__ = ("_index", "_minute", "_quantum", "_share", "_used", "_width", "limit")

    def __init__(self, limit: int, width: int, now: int) -> None:
        self._width = width
        self._minute = Continuous(limit, width, now)
        self._index = 0
        self._used = 0
        self._divide(limit)

    def _divide(self, limit: int) -> None:
        self.limit = limit
        self._share = max(1, limit * SECOND // self._width)
        self._quantum = SECOND if limit * SECOND >= self._width else self._width // limit

    def _roll(self, now: int) -> int:
        index = now // self._quantum
        if index > self._index:
            self._index = index
            self._used = 0
        return self._used

    def wait(self, cost: int, now: int) -> int:
        """See `Window`."""
        if self._roll(now) + cost <= self._share:
            return 0
        return NEVER if cost > self._share else (self._index + 1) * self._quantum - now

    def charge(self, cost: int, now: int) -> None:
        """See `Window`."""
        self._roll(now)
        self._used += cost
        self._minute.charge(cost, now)

    def refund(self, amount: int, charged_at: int, now: int) -> None:
        """See `Window`. A second that is over gives nothing back; the reported minute does."""
        self._roll(now)
        if charged_at // self._quantum >= self._index:
            self._used = max(0, self._used - amount)
        self._minute.refund(amount, charged_at, now)

    def remaining(self, now: int) -> int:
        """See `Window`: the minute's, as it is published."""
        return self._minute.remaining(now)

    def reset(self, now: int) -> int:
        """See `Window`: the minute's, as it is published."""
        return self._minute.reset(now)

    def relimit(self, limit: int, now: int) -> None:
        """See `Window`."""
        self._minute.relimit(limit, now)
        self._divide(limit)
        self._index = now // self._quantum


def make(shape: str, limit: int, width: int, now: int, *, aligned: bool = False) -> Window:
    """A window of one of `SHAPES`, full at `now`. Raises `ValueError` for another shape."""
    match shape:
        case "continuous":
            return Continuous(limit, width, now)
        case "fixed":
            return Fixed(limit, width, now, aligned=aligned)
        case "sliding":
            return Sliding(limit, width)
        case "quantised":
            return Quantised(limit, width, now)
    raise ValueError(f"unknown window {shape!r}: one of {', '.join(SHAPES)}")
