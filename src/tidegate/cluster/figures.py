"""What a worker's exchanges with the shared state came to: counters since it started."""

from bisect import bisect_left
from collections.abc import Sequence


class Figures:
    """Added to by keeper and membership; read once a second."""

    __slots__ = (
        "beats", "beats_failed", "bounds_us", "changes", "counts", "exchanges", "failures", "late", "lost", "refused",
        "total_us",
    )  # fmt: skip

    def __init__(self, bounds_us: Sequence[int] = ()) -> None:
        """`bounds_us` are those of the histogram of exchanges; what is longer has a place of its own."""
        self.bounds_us = tuple(bounds_us)
        self.counts = [0] * (len(self.bounds_us) + 1)  # of exchanges that were answered, by how long it took
        self.total_us = 0
        self.exchanges = 0  # begun, repetitions included
        self.failures = 0  # without an answer
        self.late = 0  # that came too late and did nothing
        self.lost = 0  # answered by a fund that had to be put back
        self.beats = 0
        self.beats_failed = 0
        self.refused = 0  # answers that nobody understands
        self.changes = 0  # of how this worker stands to the shared state

    def took(self, us: int) -> None:
        """An exchange was answered. O(log bounds)."""
        self.counts[bisect_left(self.bounds_us, us)] += 1
        self.total_us += us
