"""How fast a worker spends of one dimension: how much it would hold for a moment, and what part of all that is."""

from tidegate.policy.lease.times import HOLD_US, LEAST_US, RENEW_US

CALLS = 10  # of the largest, that a moment's spending comes to at least: else each is asked for as it comes
_CALM_US = 200_000  # over which the rate is averaged
_OFTEN_US = 20_000  # who was given less than it likes asks no more often for that alone
_FADE = 0.9
_LEAST_PART = 0.02


class Prefetch:
    """Of one purse. `target`: units that it spends in `HOLD_US`."""

    __slots__ = ("_all", "_at", "_own", "_rate", "target")

    def __init__(self) -> None:
        self._rate = 0.0  # units a microsecond
        self._at = -1
        self._own = self._all = 0.0
        self.target = 0

    def learn(self, spent: int, now: int) -> None:
        """So much was spent since the last time."""
        passed = now - self._at if self._at >= 0 else _CALM_US
        self._at = now
        if passed > 0:
            self._rate += (spent / passed - self._rate) * passed / (passed + _CALM_US)
        self.target = int(self._rate * HOLD_US)

    def worth(self, largest: int) -> bool:
        """Whether a moment's spending is at least ten of the largest calls."""
        return self.target >= CALLS * max(1, largest)

    def lasts(self, held: int) -> int:
        """How long after an exchange to make the next: when half of what it likes to hold is left, or to renew it."""
        if not self.target or self._rate <= 0.0:
            return RENEW_US
        return min(RENEW_US, max(_OFTEN_US, int((held - self.target / 2) / self._rate), LEAST_US))

    def part(self, spent: int, by_all: int) -> float:
        """What part of all that is spent of late is this worker's; `spent` of it and `by_all` since the last time."""
        self._own = self._own * _FADE + spent
        self._all = self._all * _FADE + max(spent, by_all)
        return max(_LEAST_PART, self._own / self._all) if self._all > 0 else 1.0
