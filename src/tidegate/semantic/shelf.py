"""The vectors of one scope, and which of them are nearest.

Up to `LARGE` they are a matrix, and all are compared: exact, 1 ms for 20,000 of 384 values. Beyond, a graph (usearch:
Malkov & Yashunin 2016, arXiv 1603.09320) takes their place, if it is installed. To make one takes a millisecond for
each vector, so it is made bit by bit when there is nothing else to do, and the matrix answers until then.
"""

from collections import deque
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

from tidegate.semantic.vectors import Vector

LARGE: Final = 20_000
_SLICE: Final = 16  # vectors that are put into a graph before somebody else has a turn
Near = list[tuple[int, float]]  # number and cosine, the nearest first


class Index(Protocol):
    """Vectors by number."""

    def __len__(self) -> int: ...

    def add(self, number: int, vector: Vector) -> None:
        """A number that is not there yet."""

    def remove(self, number: int) -> None:
        """One that is there."""

    def nearest(self, vector: Vector, most: int) -> Near:
        """At most so many."""


class Flat:
    """A matrix. A look is O(vectors)."""

    __slots__ = ("_matrix", "_numbers", "_places")

    def __init__(self, dimensions: int) -> None:
        self._matrix: npt.NDArray[np.float32] = np.empty((1, dimensions), np.float32)
        self._numbers: list[int] = []
        self._places: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, number: int, vector: Vector) -> None:
        at = len(self._numbers)
        if at == len(self._matrix):
            larger = np.empty((2 * at, self._matrix.shape[1]), np.float32)
            larger[:at] = self._matrix
            self._matrix = larger
        self._matrix[at] = vector
        self._numbers.append(number)
        self._places[number] = at

    def remove(self, number: int) -> None:
        """The last one takes its place."""
        at, last = self._places.pop(number), self._numbers.pop()
        if last != number:
            self._matrix[at] = self._matrix[len(self._numbers)]
            self._numbers[at] = last
            self._places[last] = at

    def nearest(self, vector: Vector, most: int) -> Near:
        count = len(self._numbers)
        cosines = self._matrix[:count] @ vector
        best = np.argpartition(-cosines, most)[:most] if count > most else np.arange(count)
        found = [(self._numbers[at], float(cosines[at])) for at in best]
        return sorted(found, key=lambda one: -one[1])

    def numbers(self) -> list[int]:
        """Those that are there."""
        return list(self._numbers)

    def vector(self, number: int) -> Vector:
        """One that is there."""
        found: Vector = self._matrix[self._places[number]]
        return found


class Graph:
    """A navigable graph over half floats. A look is O(log vectors), and may miss one."""

    __slots__ = ("_index",)

    def __init__(self, dimensions: int) -> None:
        """Raises `ImportError` where usearch is not installed."""
        from usearch.index import Index as Usearch  # noqa: PLC0415 - an extra

        self._index = Usearch(ndim=dimensions, metric="ip", dtype="f16")

    def __len__(self) -> int:
        return len(self._index)

    def add(self, number: int, vector: Vector) -> None:
        self._index.add(number, vector, threads=1)

    def remove(self, number: int) -> None:
        self._index.remove(number)

    def nearest(self, vector: Vector, most: int) -> Near:
        found = self._index.search(vector, most, threads=1)
        return [(int(key), 1.0 - float(far)) for key, far in zip(found.keys, found.distances, strict=True)]


class Shelf:
    """An index that grows from a matrix to a graph."""

    __slots__ = ("_dimensions", "_flat", "_graph", "_large", "_left")

    def __init__(self, dimensions: int, large: int = LARGE) -> None:
        self._dimensions = dimensions
        self._large = large
        self._flat: Flat | None = Flat(dimensions)
        self._graph: Graph | None = None
        self._left: deque[int] = deque()  # those of the matrix that are not in the graph yet

    def __len__(self) -> int:
        return len(self._index)

    @property
    def dimensions(self) -> int:
        """Of each vector."""
        return self._dimensions

    @property
    def exact(self) -> bool:
        """Is every vector compared?"""
        return self._flat is not None

    @property
    def growing(self) -> bool:
        """`grow` has something to do."""
        return self._flat is not None and (self._graph is not None or len(self._flat) > self._large)

    def add(self, number: int, vector: Vector) -> None:
        """A number that is not there yet, and a vector of `dimensions` values."""
        self._index.add(number, vector)
        if self._flat is not None and self._graph is not None:
            self._left.append(number)

    def remove(self, number: int) -> None:
        """One that is there."""
        self._index.remove(number)
        if self._flat is not None and self._graph is not None:
            if number in self._left:
                self._left.remove(number)
            else:
                self._graph.remove(number)

    def nearest(self, vector: Vector, most: int) -> Near:
        """At most so many, the nearest first."""
        return self._index.nearest(vector, most) if len(self) else []

    def grow(self) -> None:
        """A little more of the graph, where one is due. Without usearch the matrix stays, however large."""
        flat = self._flat
        if flat is None:
            return
        if self._graph is None:
            try:
                self._graph = Graph(self._dimensions)
            except ImportError:
                self._large = 1 << 62
                return
            self._left.extend(flat.numbers())
        for _ in range(min(_SLICE, len(self._left))):
            number = self._left.popleft()
            self._graph.add(number, flat.vector(number))
        if not self._left:
            self._flat = None

    @property
    def _index(self) -> Index:
        if self._flat is not None:
            return self._flat
        if self._graph is None:
            raise RuntimeError("a shelf has an index")
        return self._graph
