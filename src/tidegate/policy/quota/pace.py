"""How long an answer takes, by experience: what must be left of a deadline for a call to be worth sending.

An upper value: mean + 4 deviations of the last few dozen answers (RFC 6298's, for the same question). Where hardly
any answer differs from another, what is late is late by a stall, of a machine or of the network, that no deviation
tells of: the longest of late is added, up to `STALL_US`. A full queue serves its calls just before their deadlines, so
what is short by a moment is lost there. Nothing learnt says 0: then only the wait
counts. O(1).
"""

from typing import Final

from tidegate.policy.quota.average import Average

STALL_US: Final = 250_000
_FADING: Final = 1 / 4_096
_SPARE: Final = 128  # part of the time that is left
_USUAL: Final = 4  # deviations


class Pace:
    """Answer times of one lane, in microseconds."""

    __slots__ = ("_stall", "_usual")

    def __init__(self) -> None:
        self._usual = Average()
        self._stall = 0.0

    def learn(self, duration_us: int) -> None:
        """An answer took this long."""
        usual = self._usual
        if usual.samples:
            self._stall *= 1 - _FADING
            beyond = duration_us - usual.mean - _USUAL * usual.deviation
            if beyond > self._stall:
                self._stall = min(beyond, float(STALL_US))
        usual.learn(duration_us)

    @property
    def upper_us(self) -> int:
        """What an answer will hardly exceed."""
        usual = self._usual
        return int(usual.mean + _USUAL * usual.deviation + self._stall)

    def needed(self, left_us: int) -> int:
        """How much of the time that is left to a deadline a call that has to wait should leave."""
        return self.upper_us + max(0, left_us) // _SPARE
