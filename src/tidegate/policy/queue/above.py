"""How much of a pool goes to higher tiers: what a lower one cannot count on.

Shares of late service by rank, over one to two windows. O(tiers).
"""

WINDOW_US = 10_000_000
MOST_PERMILLE = 950  # never promise nothing at all


class Above:
    """Tokens served by rank, in this window and the one before it."""

    __slots__ = ("_before", "_began", "_now")

    def __init__(self) -> None:
        self._began = 0
        self._now: dict[int, int] = {}
        self._before: dict[int, int] = {}

    def served(self, rank: int, tokens: int, now: int) -> None:
        """A call of this rank was sent."""
        self._turn(now)
        self._now[rank] = self._now.get(rank, 0) + tokens

    def permille(self, rank: int, now: int) -> int:
        """The share of late service, in thousandths, that went to ranks before this one."""
        self._turn(now)
        total = higher = 0
        for window in (self._before, self._now):
            for other, tokens in window.items():
                total += tokens
                if other < rank:
                    higher += tokens
        return min(MOST_PERMILLE, higher * 1_000 // total) if total else 0

    def _turn(self, now: int) -> None:
        passed = now - self._began
        if passed >= WINDOW_US:
            self._before = self._now if passed < 2 * WINDOW_US else {}
            self._now = {}
            self._began = now
