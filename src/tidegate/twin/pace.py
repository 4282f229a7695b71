"""How often streams may write, so that many of them stay cheap."""

from typing import Final

from tidegate.ports import Clock

_TICK_SHARE_US: Final = 125  # all streams together tick at most 8,000 times a second


class Pace:
    """The clock, and the number of running streams. The more there are, the more tokens travel in one write."""

    __slots__ = ("_chunk_us", "chunk_tokens", "clock", "streams")

    def __init__(self, clock: Clock, chunk_ms: float, chunk_tokens: int) -> None:
        self.clock = clock
        self.chunk_tokens = chunk_tokens
        self._chunk_us = int(chunk_ms * 1_000)
        self.streams = 0

    def next_write(self, now: int, due_at: int) -> int:
        """When a stream that has just written writes again; its next token is there at `due_at`."""
        return max(due_at, now + max(self._chunk_us, self.streams * _TICK_SHARE_US))
