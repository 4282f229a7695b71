"""Embeddings that cost nothing to make: unit vectors of equal entries, their signs told by the input."""

from array import array
from base64 import b64encode
from functools import lru_cache
from math import sqrt
from zlib import crc32

import msgspec


@lru_cache(maxsize=1_024)
def vector(text: str, dimensions: int) -> tuple[float, ...]:
    """A unit vector; the same text gives the same one. O(dimensions)."""
    state = crc32(text.encode()) | 1
    size = 1 / sqrt(dimensions)
    row = []
    for _ in range(dimensions):
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        row.append(size if state & 1 else -size)
    return tuple(row)


@lru_cache(maxsize=1_024)
def encoded(text: str, dimensions: int, *, base64: bool) -> bytes:
    """The vector as JSON: base64 of little-endian 32-bit floats, or numbers."""
    row = vector(text, dimensions)
    return b'"%b"' % b64encode(array("f", row).tobytes()) if base64 else msgspec.json.encode(row)


def unary(texts: list[str], count: int, dimensions: int, model: str, tokens: int, *, base64: bool) -> bytes:
    """The whole reply. Inputs given as token numbers have no text; they are told apart by their place."""
    names = texts or [f"tokens {index}" for index in range(count)]
    rows = [
        b'{"object":"embedding","index":%d,"embedding":%b}' % (index, encoded(name, dimensions, base64=base64))
        for index, name in enumerate(names)
    ]
    shape = b'{"object":"list","data":[%b],"model":%b,"usage":{"prompt_tokens":%d,"total_tokens":%d}}'
    return shape % (b",".join(rows), msgspec.json.encode(model), tokens, tokens)
