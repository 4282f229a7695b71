"""A raw field that is absent. It is one object: an encoder leaves out what is identical to its default."""

from typing import Final

import msgspec

ABSENT: Final = msgspec.Raw()


def has(value: msgspec.Raw) -> bool:
    """A raw field was given, and not as null."""
    return len(value) > 0 and bytes(value) != b"null"
