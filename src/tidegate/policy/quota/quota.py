"""A quota: several allowances that a call must pass together or not at all.

Promise: `take` charges all or none; `wait` is the longest of their waits, so the strictest limit wins. O(allowances),
of which there are at most a handful.
"""

from tidegate.policy.quota.allowance import NEVER, Allowance, View
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.charge import Charge as Charge
from tidegate.policy.quota.window import SlidingLog
from tidegate.units import MINUTE_US, SECOND_US

SPARE_PERMILLE = 10  # of a window, for estimates that were too low; a bucket has its depth for jitter


def mirrored(limit: int, window: str) -> int:
    """What the mirror of a limit per minute holds: a second's part of it when the provider counts by the second."""
    return max(1, limit // 60) if window == "quantised" else limit


def allowance(limit: int, now: int, *, window: str, jitter_us: int) -> Allowance:
    """The mirror of a provider's limit per minute, by the kind of window that its profile names."""
    if window == "quantised":
        limit, span = mirrored(limit, window), SECOND_US
    elif window == "continuous":
        return Bucket(limit, now, window_us=MINUTE_US, jitter_us=jitter_us)
    else:
        span = MINUTE_US
    return SlidingLog(limit, window_us=span, jitter_us=jitter_us, spare_permille=SPARE_PERMILLE)


class Quota:
    """Limits on requests and on tokens; either may be empty."""

    __slots__ = ("requests", "tokens")

    def __init__(self, requests: tuple[Allowance, ...] = (), tokens: tuple[Allowance, ...] = ()) -> None:
        self.requests = requests
        self.tokens = tokens

    def wait(self, charge: Charge, now: int, ahead_requests: int = 0, ahead_tokens: int = 0) -> int:
        """Microseconds until the call can pass after those ahead of it; 0 = now, NEVER = it is too large."""
        longest = 0
        for allowed in self.requests:
            wait = allowed.wait(1, now, ahead_requests)
            if wait > longest:
                longest = wait
        for allowed in self.tokens:
            wait = allowed.wait(charge.tokens, now, ahead_tokens)
            if wait == NEVER:
                if charge.least > allowed.limit and now < allowed.firm_until:
                    return NEVER
                wait = allowed.wait(allowed.limit, now, ahead_tokens)
            if wait > longest:
                longest = wait
        return longest

    def take_nowait(self, tokens: int, now: int) -> bool:
        """Charge every allowance when all of them have enough; else nothing."""
        for allowed in self.requests:
            if not allowed.has(1, now):
                return False
        for allowed in self.tokens:
            if not allowed.has(tokens, now):
                return False
        for allowed in self.requests:
            allowed.take(1, now)
        for allowed in self.tokens:
            allowed.take(tokens, now)
        return True

    def take(self, charge: Charge, now: int) -> None:
        """Charge every allowance. The caller has asked `wait` at the same `now`."""
        for allowed in self.requests:
            allowed.take(1, now)
        for allowed in self.tokens:
            allowed.take(charge.tokens, now)

    def correct(self, delta_tokens: int, taken_at: int, now: int) -> None:
        """The charge taken at `taken_at` was really `delta_tokens` larger (negative: smaller)."""
        for allowed in self.tokens:
            allowed.correct(delta_tokens, taken_at, now)

    def give_back(self, tokens: int, taken_at: int, now: int) -> None:
        """Nothing was sent: the whole charge returns."""
        for allowed in self.requests:
            allowed.correct(-1, taken_at, now)
        self.correct(-tokens, taken_at, now)

    def used_permille(self, now: int) -> int:
        """How much of the strictest token allowance is in use, in thousandths; 0 without one."""
        highest = 0
        for allowed in self.tokens:
            used = allowed.used_permille(now)
            if used > highest:
                highest = used
        return highest

    def used_requests(self, now: int) -> int:
        """What of the request dimension is in use; -1 where it is not limited."""
        return _used(self.requests, now)

    def used_tokens(self, now: int) -> int:
        """What of the token dimension is in use; -1 where it is not limited."""
        return _used(self.tokens, now)

    def view_requests(self, now: int) -> View | None:
        """The request dimension, or None when it is not limited."""
        return _view(self.requests, now)

    def view_tokens(self, now: int) -> View | None:
        """The token dimension, or None when it is not limited."""
        return _view(self.tokens, now)


def _view(allowances: tuple[Allowance, ...], now: int) -> View | None:
    return _tightest(allowances, now).view(now) if allowances else None


def _used(allowances: tuple[Allowance, ...], now: int) -> int:
    return _tightest(allowances, now).used(now) if allowances else -1


def _tightest(allowances: tuple[Allowance, ...], now: int) -> Allowance:
    tightest = allowances[0]
    for allowed in allowances[1:]:
        if allowed.left(now) < tightest.left(now):
            tightest = allowed
    return tightest
