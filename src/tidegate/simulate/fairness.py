"""How equally tenants were served.

The *gap* of two tenants over an interval is the difference of what they were served, each divided by its weight. It is
only asked where both were waiting all the time, and the largest over **all** such intervals is kept, not that over the
whole run: an average forgives a minute of starvation (VTC, OSDI 2024).
"""

from collections.abc import Sequence


class Gaps:
    """The largest gap between any two of the watched, over every interval in which both waited.

    For each pair the largest surplus of an interval that ends now is kept (Kadane): O(waiting watched) for each call
    that is served, O(watched) for each that begins to wait.
    """

    __slots__ = ("_class", "_surplus", "_waiting", "_weights", "largest_call", "widest")

    def __init__(self, classes: Sequence[int], weights: Sequence[float]) -> None:
        """One class and weight for each of the watched; only those of the same class are compared."""
        self._class = list(classes)
        self._weights = list(weights)
        self._surplus = [[0.0] * len(self._class) for _ in self._class]
        self._waiting: set[int] = set()
        self.widest = 0.0
        self.largest_call = 0.0

    def waits(self, who: int) -> None:
        """One of the watched has a call waiting, and had none."""
        for other in self._waiting:
            self._surplus[who][other] = self._surplus[other][who] = 0.0
        self._waiting.add(who)

    def rests(self, who: int) -> None:
        """It has none any more."""
        self._waiting.discard(who)

    def served(self, who: int, tokens: int) -> None:
        """One of its calls was let through."""
        share = tokens / self._weights[who]
        self.largest_call = max(self.largest_call, share)
        if who not in self._waiting:
            return
        mine, same, all_surplus = self._surplus[who], self._class[who], self._surplus
        for other in self._waiting:
            if other == who or self._class[other] != same:
                continue
            mine[other] = surplus = mine[other] + share
            if surplus > self.widest:
                self.widest = surplus
            theirs = all_surplus[other]
            theirs[who] = theirs[who] - share if theirs[who] > share else 0.0

    @property
    def ratio(self) -> float:
        """The widest gap in largest calls."""
        return self.widest / self.largest_call if self.largest_call else 0.0


def jain(shares: Sequence[float]) -> float:
    """Jain's index of allocations, each divided by what would be fair: 1 = all fair, 1/n = one has all (1984)."""
    squares = sum(share * share for share in shares)
    return sum(shares) ** 2 / (len(shares) * squares) if squares else 1.0


def fair_shares(asked: Sequence[float], weights: Sequence[float], capacity: float) -> list[float]:
    """The weighted max-min fair division of `capacity`: nobody gets more than it asked. O(n log n)."""
    shares = [0.0] * len(asked)
    weight = sum(weights)
    for index in sorted(range(len(asked)), key=lambda index: asked[index] / weights[index]):
        shares[index] = min(asked[index], capacity * weights[index] / weight) if weight > 0 else 0.0
        capacity -= shares[index]
        weight -= weights[index]
    return shares
