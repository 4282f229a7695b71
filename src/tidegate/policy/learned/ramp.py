"""After "slow down" and "your request rate increased too quickly": back to the rate of before, held, then up slowly.

That refusal is about the slope and not the level, so neither waiting nor a smaller quota answers it. Promise: for
`HOLD_US` no more than the rate of the minute before the rise goes out; after that it may grow by a tenth each minute
until it binds nothing any more. Source: OpenAI's guide on error codes ("Slow Down": reduce to the original rate, keep
it for at least 15 minutes, then increase gradually). O(1).
"""

from tidegate.policy.quota.bucket import Bucket
from tidegate.units import MINUTE_US

HOLD_US = 15 * 60_000_000
STEP_US = 60_000_000
GROWTH_PERMILLE = 100
LEAST = 60  # calls a minute: who sends one a second has no slope to hold
DEPTH_US = 5_000_000  # no more than so much of the rate at once


class Ramp:
    """A held rate in calls a minute, with the bucket that keeps it."""

    __slots__ = ("_bucket", "_grows_at", "_since", "_top")

    def __init__(self, before: int, lately: int, now: int) -> None:
        """`before`: calls in the minute before the rise; `lately`: in the last one."""
        self._since = now
        self._grows_at = now + HOLD_US
        self._top = 4 * max(lately, 1)
        rate = before if 0 < before < lately else lately // 2
        self._bucket = Bucket(max(rate, LEAST), now, jitter_us=MINUTE_US - DEPTH_US)

    @property
    def bucket(self) -> Bucket:
        """To be passed by every call while the ramp lasts."""
        return self._bucket

    @property
    def limit(self) -> int:
        """Calls a minute."""
        return self._bucket.limit

    def again(self, sent_at: int, now: int) -> None:
        """Another such refusal: from here on half of it, and the hold begins anew. Once for all that were in flight."""
        if sent_at > self._since:
            self._since = now
            self._grows_at = now + HOLD_US
            self._bucket.resize(max(self._bucket.limit // 2, LEAST), now)

    def grow(self, upper: int, now: int) -> bool:
        """Time passed. False when the ramp is over: it allows `upper` (0 = unknown), or far more than was refused."""
        while now >= self._grows_at:
            self._grows_at += STEP_US
            step = max(self._bucket.limit * GROWTH_PERMILLE // 1_000, 1)
            self._bucket.resize(self._bucket.limit + step, now)
            if self._bucket.limit >= (upper or self._top):
                return False
        return True
