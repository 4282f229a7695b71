"""Trunk reservation: what a lower tier must leave in a bucket, so that a higher one finds it there.

A call of a lower tier passes only where `floor` stays after it. So a call of the highest tier waits at most for the
refill of its own cost, whatever the lower ones do; the price is depth, not rate (trunk reservation in telephony;
Key 1990). Tiers that have not called lately reserve nothing. All O(tiers).
"""

CALLS = 2  # kept back, of the largest size that the higher tiers used lately
FORGOTTEN_US = 60_000_000  # a tier that has not called for so long reserves nothing
_FADE = 16  # a smaller call lowers the largest by this part


class Trunk:
    """What each tier needs, learnt from its calls. Costs in tokens."""

    __slots__ = ("_largest", "_seen")

    def __init__(self) -> None:
        self._largest: dict[int, int] = {}
        self._seen: dict[int, int] = {}

    def note(self, rank: int, cost: int, now: int) -> None:
        """A call of a tier that may reserve has arrived."""
        largest = self._largest.get(rank, 0)
        self._largest[rank] = cost if cost >= largest else largest - (largest - cost) // _FADE
        self._seen[rank] = now

    def floor(self, rank: int, now: int) -> int:
        """Tokens that a call of this rank must leave for the ranks before it."""
        largest = 0
        for other, seen in self._seen.items():
            if other < rank and now - seen < FORGOTTEN_US:
                largest = max(largest, self._largest[other])
        return CALLS * largest
