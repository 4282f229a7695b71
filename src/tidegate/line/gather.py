"""An answer in one piece where a stream was asked for: read whole, so that its usage counts, and its error is one."""

import asyncio
from typing import Final

from tidegate.model.reply import Headers
from tidegate.ports import Clock, TransportError, UpstreamStream

MAX_BYTES: Final = 67_108_864


class Gathered:
    """A reply whose body was read. Fulfils `ports.UpstreamReply`. Nobody changes one."""

    __slots__ = ("body", "headers", "status", "stream")

    def __init__(self, status: int, headers: Headers, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body
        self.stream: UpstreamStream | None = None


class _Parts:
    """Fulfils `ports.StreamSink`."""

    __slots__ = ("_bytes", "_parts", "ended")

    def __init__(self) -> None:
        self.ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._parts: list[bytes] = []
        self._bytes = 0

    def chunk(self, data: bytes) -> None:
        """A piece of it."""
        self._parts.append(data)
        self._bytes += len(data)
        if self._bytes > MAX_BYTES:
            self._break(f"the answer is longer than {MAX_BYTES} bytes")

    def end(self) -> None:
        """It is whole."""
        if not self.ended.done():
            self.ended.set_result(b"".join(self._parts))

    def failed(self, error: TransportError) -> None:
        """It will not be."""
        if not self.ended.done():
            self.ended.set_exception(error)

    def expire(self) -> None:
        """The deadline passed before it was."""
        self._break("the deadline passed before the answer was complete")

    def _break(self, message: str) -> None:
        self.failed(TransportError(message, sent=True, begun=True))


async def gathered(stream: UpstreamStream, clock: Clock, deadline: int) -> bytes:
    """All of it; the connection is closed where that is not to be had. Raises `TransportError`. O(bytes)."""
    parts = _Parts()
    timer = clock.call_at(deadline, parts.expire)
    try:
        stream.attach(parts)
        return await parts.ended
    except BaseException:
        stream.abort()
        raise
    finally:
        timer.cancel()
