"""The gates that all entries have in common, for one embedder."""

from typing import Final

from tidegate.policy.caching import lexical
from tidegate.semantic.vectors import OFFLINE

_THRESHOLD: Final = 0.97
_NEVER: Final = 2.0


class Calibrated:
    """Fulfils `mind.Gates`."""

    __slots__ = ("_embedder",)

    def __init__(self, embedder: str) -> None:
        self._embedder = embedder

    def differs(self, one: str, two: str) -> str:
        """See `policy/caching/lexical.py`."""
        return lexical.differs(one, two)

    def threshold(self, text: str, error_permille: int, why: str = "") -> float:
        """How alike a question must be to this one; more than 1 = never, for an embedder that was not calibrated."""
        return _THRESHOLD if self._embedder == OFFLINE and not why else _NEVER
