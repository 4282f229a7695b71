"""`x-tidegate-tag`: a client's own words for what a call is for. They stand in its record, and go to nobody else."""

import re
from collections.abc import Sequence
from typing import Final

NAME: Final = b"x-tidegate-tag"
MAX_TAGS: Final = 8
MAX_BYTES: Final = 128
_WORD: Final = re.compile(rb"[A-Za-z0-9._:@-]+")


def tags(headers: Sequence[tuple[bytes, bytes]]) -> str:
    """The words of all lines of this name in their order, each once, `, ` between; O(headers).

    Raises `ValueError`, whose text tells the client what is wrong.
    """
    value = b",".join([value for name, value in headers if name == NAME])
    words = [word.strip(b" \t") for word in value.split(b",")]
    if len(value) > MAX_BYTES or len(words) > MAX_TAGS:
        raise ValueError(f"Too much in x-tidegate-tag. Send at most {MAX_TAGS} words, and {MAX_BYTES} bytes in all.")
    for word in words:
        if _WORD.fullmatch(word) is None:
            raise ValueError(
                "Invalid x-tidegate-tag. Send words of letters A-Z, a-z, digits and . _ : @ -, with commas between."
            )
    return b", ".join(dict.fromkeys(words)).decode()
