"""How long an answer takes, by experience: what must be left of a deadline for a call to be worth sending.

Mean and mean deviation of the last few dozen answers, the first ones weighing as much as each other; an upper value,
mean + 4 deviations (RFC 6298's, for the same question). Where hardly any answer differs from another, what is late is
late by a stall, of a machine or of the network, that no deviation tells of: the longest of late is added, up to
`STALL_US`. A full queue serves its calls just before their deadlines, so what is short by a moment is lost there.
Nothing learnt says 0: then only the wait counts. O(1).
"""

STALL_US = 250_000
_LEARNING = 0.05
_FADING = 1 / 512
_USUAL = 4  # deviations


class Pace:
    """Answer times of one lane, in microseconds."""

    __slots__ = ("_answers", "_deviation", "_mean", "_stall")

    def __init__(self) -> None:
        self._answers = 0
        self._mean = 0.0
        self._deviation = 0.0
        self._stall = 0.0

    def learn(self, duration_us: int) -> None:
        """An answer took this long."""
        error = duration_us - self._mean
        if self._answers:
            self._stall *= 1 - _FADING
            if error - _USUAL * self._deviation > self._stall:
                self._stall = min(error - _USUAL * self._deviation, float(STALL_US))
        self._answers += 1
        rate = max(_LEARNING, 1 / self._answers)
        self._mean += rate * error
        if self._answers > 1:
            self._deviation += rate * (abs(error) - self._deviation)

    @property
    def upper_us(self) -> int:
        """What an answer will hardly exceed."""
        return int(self._mean + _USUAL * self._deviation + self._stall)
