"""Who calls: client keys by their SHA-256. A look-up is O(1) in the number of keys and tells nothing by its timing."""

from hashlib import sha256

from tidegate.wire.exchange import Exchange

_BEARER = b"bearer "
MAX_RECENT = 4_096  # keys seen lately need no hashing: it costs as much as the rest of the look-up


class Clients:
    """The keys that may call. Without any, everybody may (the gate then serves loopback only)."""

    __slots__ = ("_names", "_recent")

    def __init__(self, names: dict[bytes, str]) -> None:
        """`names` by the 32-byte SHA-256 of their key."""
        self._names = names
        self._recent: dict[bytes, str] = {}

    def __len__(self) -> int:
        return len(self._names)

    def name_of(self, exchange: Exchange) -> str | None:
        """The client's name, "" where no keys are configured; None when it shows no valid key."""
        if not self._names:
            return ""
        shown = exchange.header(b"authorization") or exchange.header(b"x-api-key") or exchange.header(b"api-key")
        if shown is None:
            return None
        name = self._recent.get(shown)
        return name if name is not None else self._look_up(shown)

    def _look_up(self, shown: bytes) -> str | None:
        key = shown[7:].strip() if shown[:7].lower() == _BEARER else shown
        name = self._names.get(sha256(key).digest())
        if name is not None:
            if len(self._recent) >= MAX_RECENT:
                self._recent.clear()
            self._recent[shown] = name
        return name
