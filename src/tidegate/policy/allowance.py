"""The face of everything that can be spent: so much now, more later.

Amounts are whole requests or tokens, times whole microseconds on one monotonic clock. `NEVER` means that no waiting
helps. Implementations: `bucket.Bucket` (continuous refill) and `window.SlidingLog` (fixed, sliding, quantised).
"""

from typing import Protocol

import msgspec

NEVER = -1
ALWAYS = 1 << 62  # a moment that never comes


class View(msgspec.Struct, frozen=True, gc=False):
    """One dimension as it stands. `left` is never negative; `reset_us` is the time to full."""

    limit: int
    left: int
    reset_us: int


class Allowance(Protocol):
    """An amount that is taken before a call and corrected after it.

    `firm_until`: until then a cost above the limit can never pass. Afterwards one may try, with all there is.
    """

    firm_until: int

    @property
    def limit(self) -> int:
        """What the window holds, in requests or tokens."""

    @property
    def depth(self) -> int:
        """The most that can be left at any moment: the limit less the share kept back for jitter."""

    def rate(self) -> float:
        """What it admits a second in the long run."""

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        """Microseconds until `cost` can be taken after `ahead` more has been; 0 = now."""

    def has(self, cost: int, now: int) -> bool:
        """Whether `cost` could be taken now: `wait(cost, now) == 0`, cheaper."""

    def take(self, cost: int, now: int) -> None:
        """Charge `cost`, whatever is left: what is left may become negative."""

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        """A cost taken at `taken_at` turns out `delta` larger (negative: smaller, as far as it still stands)."""

    def left(self, now: int) -> int:
        """What could be taken now, rounded down; negative when in debt."""

    def used_permille(self, now: int) -> int:
        """How much of the depth is missing, in thousandths; above 1,000 in debt."""

    def view(self, now: int) -> View:
        """How it stands, for `x-ratelimit-*`."""

    def keep_back(self, amount: int, now: int) -> None:
        """Of what it could hold, leave so much untouched from now on; instead of what was kept back before."""

    def restore(self, left: int, at: int, now: int) -> None:
        """Continue from what was left at the earlier time `at`."""

    def resize(self, limit: int, now: int) -> None:
        """The provider changed its limit: what was left stays left, as far as it still fits."""
