"""Who calls: client keys by their SHA-256. A look-up is O(1) in the number of keys and tells nothing by its timing."""

from collections.abc import Iterable
from hashlib import sha256

from tidegate.model.reply import Headers
from tidegate.model.snapshot import ClientKey

_BEARER = b"bearer "


class Clients:
    """The keys that may call. Without any, everybody may (the gate then serves loopback only)."""

    __slots__ = ("_names",)

    def __init__(self, keys: Iterable[ClientKey]) -> None:
        self._names = {key.digest: key.name for key in keys}

    def __len__(self) -> int:
        return len(self._names)

    def name_of(self, headers: Headers) -> str | None:
        """The client's name, "" where no keys are configured; None when it shows no valid key."""
        if not self._names:
            return ""
        key = presented(headers)
        return None if key is None else self._names.get(sha256(key).digest())


def presented(headers: Headers) -> bytes | None:
    """The key in `authorization: Bearer`, `x-api-key` or `api-key`."""
    for name, value in headers:
        if name == b"authorization" and value[:7].lower() == _BEARER:
            return value[7:].strip()
        if name in (b"x-api-key", b"api-key"):
            return value
    return None


def read_file(text: str) -> list[ClientKey]:
    """A keys file: `NAME SHA256-HEX` a line, `#` comments. Raises `ValueError` with the line's number, never its text."""
    keys = []
    for number, line in enumerate(text.splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        try:
            name, digest = fields
            key = ClientKey(name, bytes.fromhex(digest))
        except ValueError:
            raise ValueError(f"line {number}: write NAME and the key's SHA-256 in hex") from None
        if len(key.digest) != 32:  # noqa: PLR2004 - SHA-256
            raise ValueError(f"line {number}: a SHA-256 has 64 hex digits")
        keys.append(key)
    return keys
