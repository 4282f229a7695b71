"""The token bucket, in integers without rounding.

Promise: over any interval of T ticks it admits at most `limit × (window − jitter) + limit × T` units, a token being
`window` units. Kept in units of token/window ticks, the refill over Δt ticks is exactly `Δt × limit`, so nothing is
ever rounded and nothing is lost however often it is asked.

Depth is `limit × (window − jitter) / window` tokens: a provider whose own bucket holds `limit` sees no overrun when
the delay from here to its clock varies by up to `jitter` (arrivals of an interval T were emitted within T + jitter).

Ticks are microseconds while `limit × window < 2**53`, and coarser powers of ten above, so that the same arithmetic is
exact in the doubles of a Lua script. Every operation is O(1).
"""

from typing import Final

from tidegate.policy.quota.allowance import ALWAYS, NEVER, Allowance, View

WINDOW_US: Final = 60_000_000
_EXACT: Final = 1 << 53


def tick_us(limit: int, window_us: int) -> int:
    """The finest tick, in microseconds, that keeps `limit × window` exact in a double."""
    tick = 1
    while limit * (window_us // tick) >= _EXACT and tick * 10 < window_us:
        tick *= 10
    return tick


class Bucket(Allowance):
    """Continuous refill of `limit` tokens per window."""

    __slots__ = (
        "_at",
        "_brim",
        "_brimmed_at",
        "_capacity",
        "_kept",
        "_level",
        "_tick",
        "_window",
        "jitter_us",
        "window_us",
    )

    def __init__(self, limit: int, now: int, *, window_us: int = WINDOW_US, jitter_us: int = 0) -> None:
        """Start full. `limit` ≥ 1; `jitter_us` < `window_us`."""
        self.jitter_us = jitter_us
        self.window_us = window_us
        self.firm_until = ALWAYS
        self.fleeting = False
        self._kept = 0
        self._shape(limit)
        self._level = self._capacity
        self._at = self._brimmed_at = now // self._tick

    def _shape(self, limit: int) -> None:
        self.limit = limit
        self._tick = tick_us(limit, self.window_us)
        self._window = self.window_us // self._tick
        self._capacity = limit * (self._window - -(-self.jitter_us // self._tick)) - self._kept * self._window
        self.depth = self._capacity // self._window
        self._brim = self._capacity * 3 // 4

    def _refill(self, now: int) -> int:
        ticks = now // self._tick
        if ticks > self._at:
            level = self._level + (ticks - self._at) * self.limit
            self._level = level if level < self._capacity else self._capacity
            self._at = ticks
            if level >= self._brim:
                self._brimmed_at = ticks
        return self._level

    def rate(self) -> float:
        return self.limit * 1e6 / self.window_us

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        """A cost above the depth but within the limit waits for a full bucket and leaves a debt."""
        if cost > self.limit:
            return NEVER
        need = cost * self._window
        if need > self._capacity:
            need = self._capacity
        missing = ahead * self._window + need - self._refill(now)
        return -(-missing // self.limit) * self._tick if missing > 0 else 0

    def has(self, cost: int, now: int) -> bool:
        level = self._refill(now) if now // self._tick != self._at else self._level
        return level >= cost * self._window or (level == self._capacity and cost <= self.limit)

    def take(self, cost: int, now: int) -> None:
        if now // self._tick != self._at:
            self._refill(now)
        self._level -= cost * self._window

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        """A charge that has been made good by the refill since gives nothing back: the provider forgot it too.

        A full bucket owes nothing. What is in flight may be up to a quarter too high, so three quarters count as full:
        too little given back is depth lost once, too much is a refusal.
        """
        level = self._refill(now)
        if delta > 0 or taken_at // self._tick >= self._brimmed_at:
            level -= delta * self._window
            self._level = level if level < self._capacity else self._capacity

    def left(self, now: int) -> int:
        return (self._refill(now) if now // self._tick != self._at else self._level) // self._window

    def used_permille(self, now: int) -> int:
        return (self._capacity - self._refill(now)) * 1000 // self._capacity

    def used(self, now: int) -> int:
        """No more than the limit: a debt is not told."""
        missing = self._capacity - self._refill(now)
        return min(self.limit, -(-missing // self._window))

    def view(self, now: int) -> View:
        level = self._refill(now) if now // self._tick != self._at else self._level
        left = level // self._window
        return View(self.limit, left if left > 0 else 0, -((level - self._capacity) // self.limit) * self._tick)

    def keep_back(self, amount: int, now: int) -> None:
        """Depth and level shrink alike, so that the difference to the provider's own level is kept."""
        level = self._refill(now) - (amount - self._kept) * self._window
        self._kept = amount
        self._shape(self.limit)
        self._level = level if level < self._capacity else self._capacity

    def restore(self, left: int, at: int, now: int) -> None:
        self._at = self._brimmed_at = at // self._tick
        self._level = min(left * self._window, self._capacity)
        self._refill(now)

    def resize(self, limit: int, now: int) -> None:
        left = self._refill(now) // self._window
        brimmed_us = self._brimmed_at * self._tick
        self._shape(limit)
        self._at, self._brimmed_at = now // self._tick, brimmed_us // self._tick
        self._level = min(left * self._window, self._capacity)
