"""What others spend of a quota behind our back: how fast, and how much to keep back so that they cannot surprise us.

Each reply may tell that something is missing that we did not spend. That much is gone already when we hear of it, so
the next calls need a reserve: what others spend until we hear of it again, twice, and the largest amount they took at
once of late. The reserve is depth and not rate: a bucket that is never full loses nothing by it.

The rate is an exponential average of what was missing; without news it halves every `HALF_US`, so a ghost that leaves
is forgotten within a minute or two. O(1).
"""

HALF_US = 10_000_000
_SPAN_S = HALF_US / 0.6931471805599453 / 1e6  # the average's time constant
_PEAK_HALF_US = 30_000_000
_SMOOTH = 0.2
MOST_PERMILLE = 250  # of the limit: no ghost makes us keep back more


class Ghost:
    """One dimension's. Amounts are requests or tokens."""

    __slots__ = ("_at", "_delay_us", "_gap_us", "_peak", "_rate")

    def __init__(self, per_minute: int = 0, now: int = 0) -> None:
        """`per_minute`: as an earlier run knew it."""
        self._rate = per_minute / 60
        self._peak = 0.0
        self._at = now
        self._delay_us = 0.0
        self._gap_us = 0.0

    def spent(self, amount: int, delay_us: int, now: int) -> None:
        """So much was missing, told by a reply that was `delay_us` on its way."""
        gap = now - self._at
        self._fade(now)
        self._rate += amount / _SPAN_S
        if amount > self._peak:
            self._peak = float(amount)
        self._delay_us += _SMOOTH * (delay_us - self._delay_us)
        self._gap_us += _SMOOTH * (min(gap, HALF_US) - self._gap_us)

    def _fade(self, now: int) -> None:
        gone = now - self._at
        if gone > 0:
            self._rate *= 0.5 ** (gone / HALF_US)
            self._peak *= 0.5 ** (gone / _PEAK_HALF_US)
            self._at = now

    def reserve(self, limit: int, now: int) -> int:
        """What to keep back of a limit."""
        self._fade(now)
        wanted = int(self._rate * 2 * (self._delay_us + self._gap_us) / 1e6 + self._peak)
        return min(wanted, limit * MOST_PERMILLE // 1_000)

    def per_minute(self, now: int) -> int:
        """What others spend a minute, as far as we know."""
        gone = now - self._at
        return int(self._rate * 60 * (0.5 ** (gone / HALF_US) if gone > 0 else 1.0))
