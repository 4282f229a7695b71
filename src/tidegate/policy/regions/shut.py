"""An allowance of nothing, for now: the region has no part of the quota yet."""

from typing import Final

from tidegate.policy.quota.bucket import Bucket

SOON_US: Final = 1_000_000  # what to predict: the store is asked more often than that
_WIDE: Final = 1_000_000_000  # no call is too large for it


class Shut(Bucket):
    """Nothing passes. It stands beside a dimension's own allowance until there is a part."""

    __slots__ = ()

    def __init__(self, now: int) -> None:
        super().__init__(_WIDE, now)

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        return SOON_US

    def has(self, cost: int, now: int) -> bool:
        return False

    def left(self, now: int) -> int:
        return 0
