"""Sums over sliding windows, from a second to an hour: pure, integers, whole seconds as arguments.

A window is kept in buckets: up to a minute in those of a second, five minutes in those of ten, an hour in those of a
minute. The bucket that is running counts beside the whole ones, so a window may reach back by one bucket more than its
name says, and never by less.
"""

from array import array
from collections.abc import Sequence
from typing import Final

WINDOWS: Final = {"1s": 1, "10s": 10, "1m": 60, "5m": 300, "1h": 3_600}  # seconds, by name
MINUTE: Final = "1m"
_TENS: Final = 10
_MINUTES: Final = 60


class Buckets:
    """Several sums over the last `count` buckets of `step` seconds. Empty buckets take no memory."""

    __slots__ = ("_at", "_count", "_slots", "_step", "totals")

    def __init__(self, step: int, count: int, width: int) -> None:
        """`width`: how many sums."""
        self._step = step
        self._count = count
        self._slots: list[array[int] | None] = [None] * count
        self._at = 0
        self.totals = [0] * width

    def add(self, values: Sequence[int], second: int) -> None:
        """So much happened in that second. One before the newest counts as the newest. O(width)."""
        self.advance(second)
        place = self._at % self._count
        slot = self._slots[place]
        if slot is None:
            slot = self._slots[place] = array("q", bytes(8 * len(self.totals)))
        for index, value in enumerate(values):
            slot[index] += value
            self.totals[index] += value

    def advance(self, second: int) -> None:
        """Forget what is too old by then. O(buckets) after a pause, else O(1)."""
        at = second // self._step
        for passed in range(max(self._at + 1, at - self._count + 1), at + 1):
            place = passed % self._count
            slot = self._slots[place]
            if slot is not None:
                self._slots[place] = None
                for index, value in enumerate(slot):
                    self.totals[index] -= value
        self._at = max(self._at, at)

    @property
    def empty(self) -> bool:
        """Nothing happened in any bucket. O(buckets)."""
        return all(slot is None for slot in self._slots)

    def last(self, count: int) -> list[int]:
        """The sums of the last `count` buckets. O(count)."""
        sums = [0] * len(self.totals)
        for passed in range(self._at - count + 1, self._at + 1):
            slot = self._slots[passed % self._count]
            if slot is not None:
                for index, value in enumerate(slot):
                    sums[index] += value
        return sums


class SlidingSums:
    """The sums of one series over every window. Bounded: 152 buckets, of which the empty ones take no memory."""

    __slots__ = ("_hour", "_minute", "_minutes")

    def __init__(self, width: int) -> None:
        """`width`: how many sums."""
        self._minute = Buckets(1, 60, width)
        self._minutes = Buckets(_TENS, 300 // _TENS + 1, width)
        self._hour = Buckets(_MINUTES, 3_600 // _MINUTES + 1, width)

    def add(self, values: Sequence[int], second: int) -> None:
        """So much happened in that second."""
        for buckets in (self._minute, self._minutes, self._hour):
            buckets.add(values, second)

    def advance(self, second: int) -> None:
        """It is that second now."""
        for buckets in (self._minute, self._minutes, self._hour):
            buckets.advance(second)

    def over(self, window: str) -> list[int]:
        """The sums over one of `WINDOWS`, as of the second that was told last."""
        seconds = WINDOWS[window]
        if seconds < _MINUTES:
            return self._minute.last(seconds)
        if window == MINUTE:
            return list(self._minute.totals)
        return list((self._minutes if seconds <= WINDOWS["5m"] else self._hour).totals)

    @property
    def idle(self) -> bool:
        """Nothing is left in any window."""
        return self._hour.empty
