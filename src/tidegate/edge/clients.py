"""Who calls: client keys by their SHA-256. A look-up is O(1) in the number of keys and tells nothing by its timing."""

from hashlib import sha256

from tidegate.model.reply import Headers

_BEARER = b"bearer "


class Clients:
    """The keys that may call. Without any, everybody may (the gate then serves loopback only)."""

    __slots__ = ("_names",)

    def __init__(self, names: dict[bytes, str]) -> None:
        """`names` by the 32-byte SHA-256 of their key."""
        self._names = names

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
