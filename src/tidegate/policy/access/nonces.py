"""Which nonces have been used: each lets one request in.

A nonce stays known for as long as its signature would pass the clock: `created` is at most `skew` ahead of the clock
when it is used, and lets nobody in when it is more than `skew` behind. So two generations of 2 × `skew` each hold it
long enough, and the older one goes as a whole. What goes leaves a floor behind it: no signature as old as the youngest
of what went is taken any more. So no signature is taken twice, whatever the clock does.

When there is no room, a nonce is refused; none is forgotten early. Pure. O(1), some 110 bytes a nonce. `wall` and
`created_us` are microseconds since 1970.
"""

from typing import Final

FRESH: Final = 0
USED: Final = 1
FULL: Final = 2  # until `turns_at`
FORGOTTEN: Final = 3  # as old as what is no longer known


class Nonces:
    """The nonces of the last 2 × to 4 × `skew`."""

    __slots__ = ("_latest", "_latest_old", "_max", "_old", "_span", "_young", "floor_us", "turns_at")

    def __init__(self, skew_us: int, max_nonces: int, wall: int, floor_us: int = 0) -> None:
        """Nothing that was created at `floor_us` or before is taken: what came before us may have been used."""
        self._span = 2 * skew_us
        self._max = max_nonces
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._latest = 0
        self._latest_old = 0
        self.floor_us = floor_us
        self.turns_at = wall + self._span

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def change(self, skew_us: int, max_nonces: int) -> None:
        """Other settings from now on. What is known is kept as long as the longer of the two spans needs."""
        self._max = max_nonces
        if 2 * skew_us > self._span:
            self.turns_at += 2 * skew_us - self._span
        self._span = 2 * skew_us

    def recall(self, mark: bytes, created_us: int) -> None:
        """A nonce that was used before this process began."""
        self._old.add(mark)
        if created_us > self._latest_old:
            self._latest_old = created_us

    def forget_before(self, wall: int) -> None:
        """What was created until now may have been used where we do not know of: none of it is taken any more."""
        self.floor_us = max(self.floor_us, wall)

    def due(self, wall: int) -> bool:
        """Whether it is time to `turn`."""
        return wall >= self.turns_at

    def next_floor(self, wall: int) -> int:
        """The floor after a turn at this moment."""
        return max(self.floor_us, self._latest_old, self._latest if self._both_go(wall) else 0)

    def turn(self, wall: int) -> None:
        """Let the older generation go, and begin another. When nothing was used for long the younger goes too."""
        self.floor_us = self.next_floor(wall)
        both = self._both_go(wall)
        self._old, self._latest_old = (set(), 0) if both else (self._young, self._latest)
        self._young, self._latest = set(), 0
        self.turns_at = wall + self._span

    def _both_go(self, wall: int) -> bool:
        return wall >= self.turns_at + self._span

    def judge(self, mark: bytes, created_us: int) -> int:
        """FRESH, or why not. Nothing is remembered."""
        if created_us <= self.floor_us:
            return FORGOTTEN
        if mark in self._young or mark in self._old:
            return USED
        return FULL if len(self._young) + len(self._old) >= self._max else FRESH

    def add(self, mark: bytes, created_us: int) -> None:
        """It has been used: for a signature that was right only."""
        self._young.add(mark)
        if created_us > self._latest:
            self._latest = created_us
