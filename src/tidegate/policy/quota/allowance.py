"""The face of everything that can be spent: so much now, more later.

Amounts are whole requests or tokens, times whole microseconds on one monotonic clock. `NEVER` means that no waiting
helps. Implementations: `bucket.Bucket` (continuous refill) and `window.SlidingLog` (fixed, sliding, quantised).
"""

from typing import Final

from tidegate.model.value import Value

NEVER: Final = -1
ALWAYS: Final = 1 << 62  # a moment that never comes


class View(Value):
    """One dimension as it stands. `left` is never negative; `reset_us` is the time to full."""

    __slots__ = ("left", "limit", "reset_us")

    def __init__(self, limit: int, left: int, reset_us: int) -> None:
        self.limit = limit
        self.left = left
        self.reset_us = reset_us

    def said(self) -> tuple[object, ...]:
        return self.limit, self.left, self.reset_us


class Allowance:
    """An amount that is taken before a call and corrected after it. Every method is an implementation's.

    `firm_until`: until then a cost above the limit can never pass. Afterwards one may try, with all there is.
    `fleeting`: what nobody takes is lost, as in a window.
    """

    __slots__ = ("depth", "firm_until", "fleeting", "limit")

    firm_until: int
    fleeting: bool
    limit: int  # what the window holds, in requests or tokens
    depth: int  # the most that can be left at any moment: the limit less the share kept back for jitter

    def rate(self) -> float:
        """What it admits a second in the long run."""
        raise NotImplementedError

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        """Microseconds until `cost` can be taken after `ahead` more has been; 0 = now."""
        raise NotImplementedError

    def has(self, cost: int, now: int) -> bool:
        """Whether `cost` could be taken now: `wait(cost, now) == 0`, cheaper."""
        raise NotImplementedError

    def take(self, cost: int, now: int) -> None:
        """Charge `cost`, whatever is left: what is left may become negative."""

    def owe(self, cost: int, until: int, now: int) -> None:
        """Somebody else takes `cost` of it in small parts, the last one at `until`: it is as good as taken."""
        self.take(cost, now)

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        """A cost taken at `taken_at` turns out `delta` larger (negative: smaller, as far as it still stands)."""

    def left(self, now: int) -> int:
        """What could be taken now, rounded down; negative when in debt."""
        raise NotImplementedError

    def used_permille(self, now: int) -> int:
        """How much of the depth is missing, in thousandths; above 1,000 in debt."""
        raise NotImplementedError

    def used(self, now: int) -> int:
        """How much is in use, as the provider counts: what a bucket lacks, what a window holds; -1 = unknown."""
        raise NotImplementedError

    def view(self, now: int) -> View:
        """How it stands, for `x-ratelimit-*`."""
        raise NotImplementedError

    def keep_back(self, amount: int, now: int) -> None:
        """Of what it could hold, leave so much untouched from now on; instead of what was kept back before."""

    def restore(self, left: int, at: int, now: int) -> None:
        """Continue from what was left at the earlier time `at`."""

    def resize(self, limit: int, now: int) -> None:
        """The provider changed its limit: what was left stays left, as far as it still fits."""
