"""Mean and mean deviation of the last few dozen samples, the first ones weighing as much as each other.

The mean deviation stands for the standard one, as in TCP's timer (Jacobson 1988; RFC 6298): cheap, and calm about
outliers. All O(1).
"""

from typing import Final

_LEARNING: Final = 0.05
_SETTLED: Final = 20  # samples; until then each has its equal part


class Average:
    """Of anything that is measured; `samples` = 0: nothing was learnt, and the rest is 0."""

    __slots__ = ("deviation", "mean", "samples")

    def __init__(self) -> None:
        self.mean = 0.0
        self.deviation = 0.0
        self.samples = 0

    def start(self, mean: float, deviation: float) -> None:
        """Begin as if that had been learnt from a few dozen."""
        self.mean = mean
        self.deviation = deviation
        self.samples = _SETTLED

    def learn(self, sample: float, weight: float = 1.0) -> None:
        """One more, that counts as `weight` (at most 1) of one."""
        samples = self.samples = self.samples + 1
        rate = weight * (_LEARNING if samples > _SETTLED else 1 / samples)
        error = sample - self.mean
        self.mean += rate * error
        if samples > 1:
            self.deviation += rate * ((error if error > 0 else -error) - self.deviation)
