"""Who has been let in lately: two generations of names, so that the older ones go as a whole. Pure. O(1)."""

from typing import Final

LASTS_US: Final = 600_000_000  # at least; at most twice as long
MAX_NAMES: Final = 8_192  # of a generation


class Familiar:
    """Names that were noted within the last ten to twenty minutes. `now` is monotonic microseconds.

    When there are too many the older ones are forgotten sooner, which costs them a privilege and nothing else.
    """

    __slots__ = ("_max", "_old", "_turns_at", "_young")

    def __init__(self, max_names: int = MAX_NAMES) -> None:
        self._max = max_names
        self._young: set[bytes] = set()
        self._old: set[bytes] = set()
        self._turns_at = 0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def note(self, name: bytes, now: int) -> None:
        """It was let in."""
        self._age(now)
        young = self._young
        young.add(name)
        if len(young) > self._max:
            self._turn(now)

    def holds(self, name: bytes, now: int) -> bool:
        """Whether it was noted lately."""
        self._age(now)
        return name in self._young or name in self._old

    def _age(self, now: int) -> None:
        due = self._turns_at
        if now >= due + LASTS_US:
            self._young = set()
            self._turn(now)
        elif now >= due:
            self._turn(due)  # not later for being noticed later: nobody is held for longer than twice

    def _turn(self, at: int) -> None:
        self._old = self._young
        self._young = set()
        self._turns_at = at + LASTS_US
