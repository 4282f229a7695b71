"""Do two answers say the same? Labels for what was tried out, made off the path.

Strict: what must agree in questions must agree in answers, which is every word that says something, and they must be as
alike as questions must be that share an answer. So answers that are worded freely count as different: that costs hits,
and promises nothing wrong. What the lexical gate cannot read, since it is long or in another script, is not judged.
Where answers are such, people (`feedback`) or a model judge better.
"""

from collections.abc import Callable
from typing import Final

from tidegate.semantic.vectors import Embedder

_UNREAD: Final = frozenset({"long", "script", "empty"})  # what the lexical gate does not judge


class Judge:
    """`threshold` says of a text how alike another must be."""

    __slots__ = ("_differs", "_embedder", "_threshold")

    def __init__(
        self, embedder: Embedder | None, differs: Callable[[str, str], str], threshold: Callable[[str], float]
    ) -> None:
        self._embedder = embedder
        self._differs = differs
        self._threshold = threshold

    def same(self, answer: str, other: str) -> bool | None:
        """None: it cannot be judged. Two embeddings where nothing simpler tells."""
        one, two = " ".join(answer.split()), " ".join(other.split())
        if one.casefold() == two.casefold():
            return True if one else None
        differs = self._differs(one, two)
        if differs or self._embedder is None:
            return None if differs in _UNREAD or not differs else False
        return float(self._embedder.embed(one) @ self._embedder.embed(two)) >= self._threshold(one)
