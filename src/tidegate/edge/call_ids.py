"""Numbers for calls, that nobody has given before and no other worker gives."""

from typing import Final

_WORKER_SHIFT: Final = 53  # microseconds since 1970 take fewer bits until 2255
_APART: Final = 1 << 52  # together with a moment in microseconds less than a worker's shift


class CallIds:
    """Unique over restarts while calls are fewer than one a microsecond, and over workers; signed 64-bit integers."""

    __slots__ = ("_last",)

    def __init__(self, worker: int, wall: int) -> None:
        """`worker` is its number among those that write into one ledger."""
        self._last = (worker << _WORKER_SHIFT) + wall

    def begin_apart(self, identity: str) -> None:
        """Nodes that write into one ledger count in places of their own: `identity` is the journal's, hexadecimal.

        Two nodes' calls have the same id by a chance of about one in 100,000 a year; then the ledger, which has them by
        journal and id, still has both.
        """
        self._last += int(identity, 16) & (_APART - 1)

    def begin_after(self, call_id: int) -> None:
        """Ids go on behind this one of an earlier run, should the clock have been set back since."""
        high = self._last >> _WORKER_SHIFT << _WORKER_SHIFT
        self._last = max(self._last, high + (call_id & ((1 << _WORKER_SHIFT) - 1)))

    def next(self) -> int:
        """For a call, or for a reply without one."""
        self._last += 1
        return self._last
