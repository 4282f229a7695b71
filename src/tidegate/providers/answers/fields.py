"""Answers as JSON objects whose fields are all kept: a stored answer is told in another shape, never in other words.

Whatever is not as a maker says it is a `ValueError`: such an answer cannot be told in another shape.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec

from tidegate.providers.translate.reading import read_answer

Fields = dict[str, object]

_decode = msgspec.json.Decoder(dict[str, Any]).decode
encode: Final = msgspec.json.Encoder().encode


class Cut(ValueError):
    """A stream that has no end."""


class Unsaid(ValueError):
    """A finished stream says something that we do not know: `whole` is the answer without it."""

    def __init__(self, message: str, whole: Fields) -> None:
        super().__init__(message)
        self.whole = whole


def read(data: bytes) -> Fields:
    """The object. Raises `ValueError`. O(bytes)."""
    return read_answer(_decode, data)


def read_all(told: Iterable[bytes]) -> Iterator[Fields]:
    """One object after another. Raises `ValueError`. O(bytes)."""
    try:
        for data in told:
            yield _decode(data)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise ValueError(str(error)) from None


def object_of(value: object, name: str) -> Fields:
    """It, when it is an object. Raises `ValueError` that names the field."""
    if isinstance(value, dict):
        return value
    raise ValueError(f"'{name}' is no object")


def objects_of(value: object, name: str) -> list[Fields]:
    """It, when it is a list of objects; null and absent are an empty one. Raises `ValueError` that names the field."""
    if value is None:
        return []
    if isinstance(value, list) and all(isinstance(item, dict) for item in value):
        return value
    raise ValueError(f"'{name}' is no list of objects")


def text_of(value: object) -> str:
    """It, when it is a text, else "": for what only may be one."""
    return value if isinstance(value, str) else ""


def number_of(value: object, otherwise: int) -> int:
    """It, when it is an integer."""
    return value if isinstance(value, int) else otherwise
