"""What the twin remembers of single calls: the last ones, with how each began and ended. Memory is bounded."""

from collections import deque
from typing import Any, Final

KEPT: Final = 2_000
KEPT_BODY: Final = 4_096
_SHOWN: Final = (
    "id",
    "request_id",
    "key",
    "organisation",
    "model",
    "method",
    "path",
    "stream",
    "include_usage",
    "status",
    "label",
    "fault",
    "prompt_tokens",
    "max_tokens",
    "n",
    "charged_tokens",
    "completion_tokens",
    "billed_tokens",
    "cached_tokens",
    "cache_written_tokens",
    "provider",
    "user",
    "end",
)


class Call:
    """One call. Times are monotonic microseconds, 0 = not yet.

    `label` says why a call was throttled; `end` is "open", "complete", "aborted" (the caller left) or "cut" (a fault).
    """

    __slots__ = (*_SHOWN, "arrived_at", "body", "ended_at", "first_byte_at", "headers")

    def __init__(self, number: int, request_id: str, method: str, path: str, arrived_at: int) -> None:
        self.id = number
        self.request_id = request_id
        self.method = method
        self.path = path
        self.key = self.organisation = self.model = self.label = self.fault = self.user = self.provider = ""
        self.end = "open"
        self.stream = self.include_usage = False
        self.status = self.prompt_tokens = self.max_tokens = self.charged_tokens = 0
        self.completion_tokens = self.billed_tokens = self.cached_tokens = 0
        self.cache_written_tokens = 0
        self.n = 1
        self.arrived_at = arrived_at
        self.first_byte_at = self.ended_at = 0
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""

    def row(self, epoch: int, *, full: bool) -> dict[str, Any]:
        """All fields; times in microseconds since 1970 (`epoch` is added), None = not yet. `full`: headers and body."""
        row: dict[str, Any] = {name: getattr(self, name) for name in _SHOWN}
        for name in ("arrived", "first_byte", "ended"):
            at = getattr(self, f"{name}_at")
            row[f"{name}_us"] = at + epoch if at else None
        if full:
            row["headers"] = [(name.decode("latin-1"), value.decode("latin-1")) for name, value in self.headers]
            row["body"] = self.body.decode("utf-8", "replace")
        return row


class Calls:
    """The last calls, and the number of all."""

    __slots__ = ("_last", "_number", "_prefix")

    def __init__(self, seed: int) -> None:
        self._last: deque[Call] = deque(maxlen=KEPT)
        self._number = 0
        self._prefix = f"req_{seed & 0xFFFF:04x}"

    def begin(self, method: str, path: str, now: int) -> Call:
        """A new call, remembered until 2,000 others came."""
        self._number += 1
        call = Call(self._number, f"{self._prefix}{self._number:012x}", method, path, now)
        self._last.append(call)
        return call

    def last(self, limit: int) -> list[Call]:
        """The last calls, oldest first."""
        return list(self._last)[-limit:] if limit > 0 else []

    def forget(self) -> None:
        """Remember none of the calls so far; numbers go on."""
        self._last.clear()
