"""A rate over the last minute: pure, integers, `now` is an argument."""

WINDOW_SECONDS = 60
_SECOND = 1_000_000
_SLOTS = WINDOW_SECONDS + 1  # sixty whole seconds and the one that is running


class SlidingRate:
    """Sums per second over the last minute. O(1) to add; O(60) at most after a pause; never loses a unit early."""

    __slots__ = ("_second", "_slots", "_total")

    def __init__(self) -> None:
        self._slots = [0] * _SLOTS
        self._second = 0
        self._total = 0

    def add(self, amount: int, now: int) -> None:
        """`amount` happened at `now` (µs). A `now` before the newest counts as the newest."""
        second = now // _SECOND
        if second > self._second:
            self._advance(second)
        self._slots[self._second % _SLOTS] += amount
        self._total += amount

    def per_second(self, now: int) -> float:
        """Mean over the last sixty whole seconds and the part of the running one, before `now` (µs)."""
        second, part = divmod(now, _SECOND)
        if second > self._second:
            self._advance(second)
        return self._total / (WINDOW_SECONDS + part / _SECOND)

    def _advance(self, second: int) -> None:
        slots = self._slots
        for passed in range(max(self._second + 1, second - _SLOTS + 1), second + 1):
            self._total -= slots[passed % _SLOTS]
            slots[passed % _SLOTS] = 0
        self._second = second
