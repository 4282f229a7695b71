"""An embedder without a model: texts are as alike as the words they share."""

import zlib

import numpy as np
import numpy.typing as npt

DIMENSIONS = 256


class WordBag:
    """The cosine of two texts is about the share of their words that both have. The same text, the same vector."""

    __slots__ = ("embedded", "name")

    def __init__(self, name: str = "offline") -> None:
        self.name = name
        self.embedded: list[str] = []  # every text that was embedded, in order

    def embed(self, text: str) -> npt.NDArray[np.float32]:
        """Of length 1, also for a text without words."""
        self.embedded.append(text)
        total = np.zeros(DIMENSIONS, np.float32)
        for word in text.lower().split() or [""]:
            seed = np.random.default_rng(zlib.crc32(word.encode()))
            total += seed.standard_normal(DIMENSIONS, np.float32)
        unit: npt.NDArray[np.float32] = total / np.linalg.norm(total)
        return unit
