"""Records that are read too often for a struct: plain classes, whose fields cost nothing compiled."""


class Value:
    """Nobody changes one. Two of a class that say the same are equal, and one key of a dictionary."""

    __slots__ = ()

    def said(self) -> tuple[object, ...]:
        """All of its fields."""
        raise NotImplementedError

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Value) and type(other) is type(self) and self.said() == other.said()

    def __hash__(self) -> int:
        return hash(self.said())

    def __repr__(self) -> str:
        return f"{type(self).__name__}{self.said()}"
