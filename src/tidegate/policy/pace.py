"""How long an answer takes, by experience: what must be left of a deadline for a call to be worth sending.

Mean and mean deviation of the last few dozen answers, the first ones weighing as much as each other; an upper value,
mean + 2 deviations. Nothing learnt says 0: then only the wait counts. O(1).
"""

_LEARNING = 0.05


class Pace:
    """Answer times of one lane, in microseconds."""

    __slots__ = ("_answers", "_deviation", "_mean")

    def __init__(self) -> None:
        self._answers = 0
        self._mean = 0.0
        self._deviation = 0.0

    def learn(self, duration_us: int) -> None:
        """An answer took this long."""
        self._answers += 1
        rate = max(_LEARNING, 1 / self._answers)
        error = duration_us - self._mean
        self._mean += rate * error
        if self._answers > 1:
            self._deviation += rate * (abs(error) - self._deviation)

    @property
    def upper_us(self) -> int:
        """What an answer will hardly exceed."""
        return int(self._mean + 2 * self._deviation)
