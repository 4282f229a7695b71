"""The lowest level since a moment: what a reply's `remaining` may be held against.

Calls overtake each other on their way: what a provider had left when it counted a call is known here only as "no less
than the lowest level between that call's departure and its reply", if nobody else spends. Held against that, no order
of arrival can look like somebody else's use.

A stack of suffix minima: a new level removes all that are not lower. Amortised O(1) a level, O(log n) a question; with
more than `MOST` entries the stack is thinned, which only lowers answers.
"""

from bisect import bisect_left
from typing import Final

MOST: Final = 64


class Lows:
    """Levels by time; times never go back."""

    __slots__ = ("_at", "_levels", "_start")

    def __init__(self, now: int) -> None:
        self._at: list[int] = []
        self._levels: list[int] = []
        self._start = now

    def clear(self, now: int) -> None:
        """Levels before now can no longer be compared."""
        self._at.clear()
        self._levels.clear()
        self._start = now

    def note(self, level: int, now: int) -> None:
        """The level fell to this."""
        levels, at = self._levels, self._at
        if levels and levels[-1] >= level:
            while len(levels) > 1 and levels[-2] >= level:
                levels.pop()
                at.pop()
            levels[-1] = level
            at[-1] = now
            return
        levels.append(level)
        at.append(now)
        if len(levels) > MOST:
            del levels[1:-1:2]
            del at[:-2:2]

    def since(self, moment: int) -> int | None:
        """The lowest level noted at `moment` or later; None when nobody knows."""
        index = bisect_left(self._at, moment)
        if moment < self._start or index == len(self._at):
            return None
        return self._levels[index]
