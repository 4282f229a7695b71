"""A few of many that are alike: so that who does something all the time is written down, and fills no disk."""

from typing import Final

_SECOND: Final = 1_000_000
_MOST_KEYS: Final = 1_024  # in one second


class Few:
    """So many a second of each key; what is more is left out. O(1), and forgotten with the second."""

    __slots__ = ("_counts", "_most", "_until")

    def __init__(self, most: int) -> None:
        self._most = most
        self._until = 0
        self._counts: dict[str, int] = {}

    def allow(self, key: str, now: int) -> bool:
        """Whether this one is among them."""
        counts = self._counts
        if now >= self._until:
            counts.clear()
            self._until = now + _SECOND
        count = counts.get(key, 0)
        if count >= self._most or (not count and len(counts) >= _MOST_KEYS):
            return False
        counts[key] = count + 1
        return True
