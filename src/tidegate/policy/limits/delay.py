"""How late a call may have reached the provider: by how much its reply came later than replies usually do.

A stall, of this machine, the network or the provider's door, shows in the reply, and only there. An answer that merely
took long looks the same; so only what is far beyond the usual spread counts, and where answers differ by seconds hardly
anything does. An outlier weighs no more than the bound. O(1).
"""

from tidegate.policy.average import Average

_USUAL = 4.0  # deviations
_LEAST_US = 1_000  # beyond the bound that an outlier always counts, so that the bound can grow


class Delay:
    """Reply times of one dimension of a lane, in microseconds."""

    __slots__ = ("_usual",)

    def __init__(self) -> None:
        self._usual = Average()

    def late(self, took_us: int) -> int:
        """Learn a reply's time. By how much it exceeds the mean when it is beyond what is usual, else 0."""
        usual = self._usual
        if not usual.samples:
            usual.start(float(took_us), took_us / 2)
            return 0
        over = took_us - usual.mean
        bound = _USUAL * usual.deviation
        usual.learn(usual.mean + min(over, bound + _LEAST_US))
        return int(over) if over > bound else 0
