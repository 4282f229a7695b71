"""How late a call may have reached the provider: by how much its reply came later than replies usually do.

A stall, of this machine, the network or the provider's door, shows in the reply, and only there. An answer that merely
took long looks the same; so only what is far beyond the usual spread counts, and where answers differ by seconds hardly
anything does. Mean and mean deviation of the last few dozen replies, an outlier weighing no more than the bound. O(1).
"""

_LEARNING = 0.05
_USUAL = 4.0  # deviations


class Delay:
    """Reply times of one dimension of a lane, in microseconds."""

    __slots__ = ("_deviation", "_mean", "_replies")

    def __init__(self) -> None:
        self._deviation = 0.0
        self._mean = 0.0
        self._replies = 0

    def late(self, took_us: int) -> int:
        """Learn a reply's time. By how much it exceeds the mean when it is beyond what is usual, else 0."""
        if not self._replies:
            self._replies = 1
            self._mean = float(took_us)
            self._deviation = took_us / 2
            return 0
        over = took_us - self._mean
        usual = _USUAL * self._deviation
        counted = min(over, usual + 1_000)
        self._mean += _LEARNING * counted
        self._deviation += _LEARNING * (abs(counted) - self._deviation)
        return int(over) if over > usual else 0
