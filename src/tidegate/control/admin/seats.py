"""How many may look on at a time."""

from tidegate.control.admin.problems import Refused, refused


class Seats:
    """For one event loop."""

    __slots__ = ("_most", "taken")

    def __init__(self, most: int) -> None:
        """Nobody looks on yet."""
        self._most = most
        self.taken = 0

    def take(self, field: str, remedy: str) -> None:
        """One more, until `leave`. Raises `Refused` (429) where there is no room."""
        if self.taken >= self._most:
            raise full(field, self._most, remedy)
        self.taken += 1

    def leave(self) -> None:
        """One less."""
        self.taken -= 1


def full(field: str, most: int, remedy: str) -> Refused:
    """So many look on already."""
    return refused(429, field, f"{most} look on already", remedy, ("retry-after", "10"))
