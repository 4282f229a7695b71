"""How late a call may have reached the provider: by how much its reply came later than replies usually do.

A stall, of this machine, the network or the provider's door, shows in the reply, and only there. An answer that merely
took long looks the same; so only what is far beyond the usual spread counts, and where answers differ by seconds hardly
anything does. An outlier weighs no more than the bound, and little: a stall holds up all that is in flight, and must
not make the next one look usual. Only a long row of outliers is a change. O(1).
"""

from tidegate.policy.quota.average import Average

_USUAL = 4.0  # deviations
_OUTLIER = 0.1  # of a sample's weight
_ROW = 64  # outliers
_FIRST = 100  # replies that tell what is usual at all
_LEAST_US = 1_000  # beyond the bound that an outlier always counts, so that the bound can grow


class Delay:
    """Reply times of one dimension of a lane, in microseconds."""

    __slots__ = ("_row", "_usual")

    def __init__(self) -> None:
        self._row = 0
        self._usual = Average()

    def late(self, took_us: int) -> int:
        """Learn a reply's time. By how much it exceeds the mean when it is beyond what is usual, else 0."""
        usual = self._usual
        if not usual.samples:
            usual.start(float(took_us), took_us / 2)
            return 0
        over = took_us - usual.mean
        bound = _USUAL * usual.deviation
        if over <= bound:
            self._row = 0
            usual.learn(float(took_us))
            return 0
        self._row += 1
        known = usual.samples > _FIRST and self._row <= _ROW
        usual.learn(usual.mean + min(over, bound + _LEAST_US), _OUTLIER if known else 1.0)
        return int(over)
