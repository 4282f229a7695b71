"""A limit that nobody shows, found by its refusals: additive increase, multiplicative decrease.

Promise: after a refusal the limit is nine tenths of the smaller of itself and what was really admitted within the last
minute, never below half of itself nor the largest call; all refusals of calls sent before that count as one. While
calls use the limit and none is refused it grows, quickly up to just below where it was refused last and slowly beyond.
Sources: Chiu and Jain 1989; the two speeds are CUBIC's (RFC 9438). O(1).
"""

from collections import deque

MARK_US = 5_000_000
WINDOW_US = 60_000_000
_MARKS = 2 * WINDOW_US // MARK_US + 1

DECREASE_PERMILLE = 900
PROOF = 5  # so many times the refused call must have been admitted within the minute
UNLIKELY = 4  # below this part of the limit in force something else may have been the reason
STRIKES = 3
FORGOTTEN_US = 120_000_000
NEAR_PERMILLE = 970  # of the last refusal's amount: from here on carefully
GROW_US = 10_000_000
FAST_PERMILLE = 20
SLOW_PERMILLE = 3
USED_PERMILLE = 600  # a limit that is not used proves nothing


class Admitted:
    """How much went out within the last one or two minutes, to `MARK_US`."""

    __slots__ = ("_marks", "next_mark", "started", "total")

    def __init__(self, now: int) -> None:
        self.total = 0
        self.started = now
        self.next_mark = now + MARK_US
        self._marks: deque[tuple[int, int]] = deque([(now, 0)], _MARKS)

    def mark(self, now: int) -> None:
        """Remember where we stand; to be called when `next_mark` has come."""
        self._marks.append((now, self.total))
        self.next_mark = now + MARK_US

    def within(self, span_us: int, now: int) -> int:
        """What went out since `span_us` ago, or a mark earlier."""
        start = now - span_us
        before = 0
        for at, total in self._marks:
            if at > start:
                break
            before = total
        return self.total - before


class Aimd:
    """One dimension's learnt limit a minute; 0 = none."""

    __slots__ = ("_grown_at", "_refused", "_since", "_strikes", "limit")

    def __init__(self, limit: int = 0) -> None:
        self.limit = limit
        self._refused = limit  # the amount that was too much
        self._since = self._grown_at = -1
        self._strikes = 0

    def refuse(
        self, admitted: int, cost: int, kept: int, largest: int, sent_at: int, now: int, *, shown: bool = False
    ) -> bool:
        """A call of this cost, sent at `sent_at`, was refused. True when that lowered the limit.

        `kept` is the limit in force (0 = none). Where hardly anything is admitted a refusal says nothing of a rate: a
        provider that refuses everything is a matter of health. Far below the limit in force it must happen again; so it
        must where replies have just `shown` that limit: a single call may have come at a bad moment.
        """
        if sent_at <= self._since or admitted < PROOF * cost:
            return False
        self._strikes = self._strikes + 1 if now - self._since < FORGOTTEN_US else 1
        self._since = now
        if (shown or admitted * UNLIKELY < kept) and self._strikes < STRIKES:
            return False
        basis = min(admitted, kept) if kept else admitted
        self._refused = max(basis, 1)
        self.limit = max(basis * DECREASE_PERMILLE // 1_000, kept // 2, largest, 1)
        self._grown_at = now
        return True

    def grow(self, used: int, upper: int, now: int) -> bool:
        """Time passed without a refusal, `used` of the limit in the last minute. True when the limit changed.

        At `upper`, which is what is configured or shown (0 = nothing is), the limit has nothing more to say: 0.
        """
        if not self.limit or now - self._grown_at < GROW_US:
            return False
        self._grown_at = now
        if used * 1_000 < self.limit * USED_PERMILLE:
            return False
        near = self._refused * NEAR_PERMILLE // 1_000
        step = self.limit * (FAST_PERMILLE if self.limit < near else SLOW_PERMILLE) // 1_000
        grown = self.limit + max(step, 1)
        if self.limit < near:
            grown = min(grown, near)
        self.limit = 0 if upper and grown >= upper else grown
        return True
