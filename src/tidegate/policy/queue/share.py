"""A soft share: a part of a pool that one tenant or tier may claim before all others, and that others use meanwhile.

A bucket of the pool's rate times the share: a call that it covers goes before the discipline's order, so a share that
was lent comes back with the next refill, whoever has the backlog. What is not claimed in `SHARE_WINDOW_US` is no claim
any more. All O(1).
"""

from tidegate.model.tenant import GUARANTEED, Tenant
from tidegate.policy.quota.bucket import Bucket

SHARE_WINDOW_US = 10_000_000


class Share:
    """A part of the pool that one tenant or tier may claim before all others."""

    __slots__ = ("_bucket", "_permille", "claim")

    def __init__(self, name: str, permille: int, limit: int, now: int) -> None:
        """`limit`: tokens a minute of the whole pool."""
        self.claim = Tenant(f" share of {name}", GUARANTEED)
        self._permille = permille
        self._bucket = Bucket(self._limit(limit), now, window_us=SHARE_WINDOW_US)

    def _limit(self, limit: int) -> int:
        return max(1, limit * SHARE_WINDOW_US // 60_000_000 * self._permille // 1_000)

    def resize(self, limit: int, now: int) -> None:
        """The pool's limit changed."""
        self._bucket.resize(self._limit(limit), now)

    def use(self, cost: int, now: int) -> bool:
        """Claim a call's cost: False when the share is used up, and the call waits like any other."""
        if not self._bucket.has(cost, now):
            return False
        self._bucket.take(cost, now)
        return True

    def give_back(self, cost: int, taken_at: int, now: int) -> None:
        """A claim that was not used."""
        self._bucket.correct(-cost, taken_at, now)
