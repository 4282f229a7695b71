"""The questions that have been answered: by number, key and scope; bounded, and the least used go first.

Their numbers are never used again. Nothing here is slower than O(1) but for what the shelf of a scope takes.
"""

from collections import OrderedDict
from collections.abc import Iterator

from tidegate.model.cached import Labels
from tidegate.policy.caching.learnt import Learnt
from tidegate.semantic.shelf import Near, Shelf
from tidegate.semantic.vectors import Vector


class Question:
    """One that was answered, where its answer is, and what was learnt of who else gets it."""

    __slots__ = (
        "call_id", "key", "labels", "learnt", "number", "scope", "served", "stored_us", "text", "until_us", "used_us",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - a record
        self, number: int, scope: bytes, text: str, key: bytes, call_id: int, labels: Labels, stored_us: int,
        until_us: int, used_us: int = 0, served: int = 0, learnt: Learnt | None = None,
    ) -> None:  # fmt: skip
        self.number = number
        self.scope = scope
        self.text = text
        self.key = key
        self.call_id = call_id  # that was answered so
        self.labels = labels
        self.stored_us = stored_us
        self.until_us = until_us
        self.used_us = used_us or stored_us
        self.served = served  # to questions that mean the same
        self.learnt = learnt or Learnt()


class Scope:
    """Questions that may be compared with each other."""

    __slots__ = ("by_text", "shelf")

    def __init__(self, dimensions: int) -> None:
        self.by_text: dict[str, Question] = {}
        self.shelf = Shelf(dimensions)


class Known:
    """All questions. `most` may change; it holds from the next one that is added."""

    __slots__ = ("_by_key", "_by_number", "_large", "_scopes", "most", "values")

    def __init__(self, most: int) -> None:
        self.most = most
        self.values = 0  # numbers in all vectors
        self._by_number: OrderedDict[int, Question] = OrderedDict()  # the least used first
        self._by_key: dict[bytes, Question] = {}
        self._scopes: dict[bytes, Scope] = {}
        self._large: list[Shelf] = []  # those that grow

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[Question]:
        """The least used first."""
        return iter(self._by_number.values())

    @property
    def scopes(self) -> int:
        """How many there are."""
        return len(self._scopes)

    def get(self, number: int) -> Question | None:
        """By its number."""
        return self._by_number.get(number)

    def under(self, key: bytes) -> Question | None:
        """By the key of its answer."""
        return self._by_key.get(key)

    def same(self, scope: bytes, text: str) -> Question | None:
        """The very same one."""
        found = self._scopes.get(scope)
        return None if found is None else found.by_text.get(text)

    def alone(self, scope: bytes) -> bool:
        """There is nothing that a question of this scope could be compared with."""
        return scope not in self._scopes

    def nearest(self, scope: bytes, vector: Vector, most: int) -> Near:
        """Numbers and cosines of those that are nearest in this scope. Vectors of other embedders are not near."""
        found = self._scopes.get(scope)
        if found is None or found.shelf.dimensions != len(vector):
            return []
        return found.shelf.nearest(vector, most)

    def add(self, question: Question, vector: Vector) -> list[Question]:
        """A new one, used just now; returns those that had to go. Neither its text nor its key may be there."""
        scope = self._scopes.get(question.scope)
        if scope is None:
            scope = self._scopes[question.scope] = Scope(len(vector))
        if scope.shelf.dimensions != len(vector):
            raise ValueError(f"an embedding of {len(vector)} values, where others have {scope.shelf.dimensions}")
        scope.shelf.add(question.number, vector)
        if scope.shelf.growing and scope.shelf not in self._large:
            self._large.append(scope.shelf)
        scope.by_text[question.text] = question
        self._by_key[question.key] = question
        self._by_number[question.number] = question
        self.values += len(vector)
        gone = []
        while len(self._by_number) > max(self.most, 1):
            gone.append(next(iter(self._by_number.values())))
            self.remove(gone[-1])
        return gone

    def rename(self, question: Question, key: bytes) -> None:
        """Its answer is under another key now."""
        self._by_key.pop(question.key, None)
        question.key = key
        self._by_key[key] = question

    def use(self, question: Question, wall: int) -> None:
        """It was of use."""
        question.used_us = wall
        self._by_number.move_to_end(question.number)

    def remove(self, question: Question) -> None:
        """Forget it; harmless when it has gone."""
        if self._by_number.pop(question.number, None) is None:
            return
        self._by_key.pop(question.key, None)
        scope = self._scopes[question.scope]
        scope.by_text.pop(question.text, None)
        scope.shelf.remove(question.number)
        self.values -= scope.shelf.dimensions
        if not len(scope.shelf):
            del self._scopes[question.scope]

    @property
    def growing(self) -> Shelf | None:
        """A shelf that wants to become a graph."""
        while self._large and not self._large[-1].growing:
            self._large.pop()
        return self._large[-1] if self._large else None
