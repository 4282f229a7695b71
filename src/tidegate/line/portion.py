"""Which part of a limit is this region's."""

from typing import Final

from tidegate.policy.regions.shut import Shut

WHOLE: Final = 1_000_000


class Portion:
    """In parts per million; others, in other regions, have the rest. `shut`: there is no part."""

    __slots__ = ("ppm", "shut")

    def __init__(self) -> None:
        self.ppm = WHOLE
        self.shut: Shut | None = None

    def divide(self, ppm: int, now: int) -> bool:
        """So much from now on; whether that is another part."""
        if ppm == self.ppm:
            return False
        self.ppm = ppm
        self.shut = None if ppm else Shut(now)
        return True

    def of(self, limit: int) -> int:
        """Of a limit; 0, which is none, stays 0."""
        return limit if self.ppm == WHOLE or not limit else max(1, limit * self.ppm // WHOLE)

    def everywhere(self, sent: int) -> int:
        """What all regions send, when this one sends so much by its part."""
        return sent * WHOLE // self.ppm if self.ppm else sent
