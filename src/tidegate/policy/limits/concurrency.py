"""How many calls a provider carries at once for one model: a limit that overload teaches.

A 503 or 529 is no quota: the provider itself is full, whoever asks. Promise: nothing is bounded until the first
overload; each round of overload leaves seven tenths of what was in flight, at least one; each `limit` answers allow
one more; and once it allows twice what was refused, nothing is bounded again. Attempts carry the round they began in,
so that all who were in flight count as one. Source: Netflix' concurrency-limits (AIMD). O(1).
"""

DECREASE_PERMILLE = 700
_FREE = 2  # times what was in flight at the overload


class Concurrency:
    """One provider's and model's. `round` is what an attempt remembers of its start."""

    __slots__ = ("_answered", "_top", "busy", "limit", "round")

    def __init__(self) -> None:
        self.limit = 0  # 0 = none
        self.busy = 0
        self.round = 0
        self._answered = 0
        self._top = 0

    @property
    def full(self) -> bool:
        """No more may enter now."""
        return 0 < self.limit <= self.busy

    def enter(self) -> int:
        """An attempt begins; its round."""
        self.busy += 1
        return self.round

    def leave(self) -> None:
        """An attempt ended, whatever came of it; after its `overloaded` or `answered`."""
        self.busy -= 1

    def overloaded(self, began: int) -> bool:
        """The provider was too busy for an attempt of this round. True when that lowered the limit."""
        if began != self.round:
            return False
        self._top = max(_FREE * self.busy, self._top if self.limit else 0)
        self.limit = max(self.busy * DECREASE_PERMILLE // 1_000, 1)
        self.round += 1
        self._answered = 0
        return True

    def answered(self, began: int) -> bool:
        """An attempt of this round was served. True when that raised the limit."""
        if not self.limit or began != self.round:
            return False
        self._answered += 1
        if self._answered < self.limit:
            return False
        self._answered = 0
        self.limit = self.limit + 1 if self.limit < self._top else 0
        return True
