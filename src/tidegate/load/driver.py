"""The open-loop driver: sends every call when it is due, whatever became of the earlier ones.

It never waits for an answer before it sends, and every time is measured from the moment a call was due. A slow
service therefore cannot slow its own load down and so hide its delays ("coordinated omission", G. Tene); what the
driver itself is late by is reported apart.
"""

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from tidegate.load.calls import LoadCall
from tidegate.load.outcome import CallResult, Ending, settle, settle_stream
from tidegate.ports import Clock, Transport, TransportError, UpstreamReply, UpstreamStream


@dataclass(frozen=True, slots=True)
class Target:
    """Where the load goes. `url` includes the version prefix (`…/v1`); `deadline_ms` 0 = none is asked for."""

    url: str
    key: str = "sk-replay"
    deadline_ms: int = 0
    timeout_us: int = 600_000_000

    def head(self, method: str, path: str) -> bytes:
        """Request line and headers as `Transport.send` wants them."""
        parts = urlsplit(self.url)
        lines = [
            f"{method} {parts.path.rstrip('/')}{path} HTTP/1.1",
            f"host: {parts.netloc.rpartition('@')[2]}",
            f"authorization: Bearer {self.key}",
            "content-type: application/json",
            "user-agent: tidegate-replay",
        ]
        if self.deadline_ms:
            lines.append(f"x-tidegate-deadline-ms: {self.deadline_ms}")
        return "".join(f"{line}\r\n" for line in lines).encode("latin-1")


class Driver:
    """Plays calls against a target. `on_end` hears every result once; `sent` and `open` count calls so far."""

    __slots__ = ("_clock", "_head", "_on_end", "_timeout_us", "_transport", "open", "sent", "started_us")

    def __init__(
        self, transport: Transport, clock: Clock, target: Target, on_end: Callable[[CallResult], None]
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._head = target.head("POST", "/chat/completions")
        self._timeout_us = target.timeout_us
        self._on_end = on_end
        self.sent = 0
        self.open = 0
        self.started_us = 0

    async def drive(self, calls: Iterable[LoadCall]) -> None:
        """Send all calls and return when the last has ended. Cancelling it ends open calls as `Ending.OPEN`."""
        clock = self._clock
        self.started_us = start = clock.now()
        async with asyncio.TaskGroup() as group:
            for call in calls:
                due = start + call.offset_us
                await clock.sleep(due - clock.now())
                self.sent += 1
                group.create_task(self._perform(call, due))

    async def _perform(self, call: LoadCall, due: int) -> None:
        result = CallResult(call.index, call.offset_us, call.context_tokens, call.max_tokens, call.streamed)
        self.open += 1
        result.late_us = self._clock.now() - due
        try:
            reply = await self._transport.send(
                self._head, call.body, stream=call.streamed, deadline=due + self._timeout_us
            )
            await self._receive(reply, result, due)
        except TransportError as error:
            result.ending, result.message = Ending.FAILED, str(error)
            result.kind = "broken off" if error.sent else "not sent"
        except TimeoutError:
            result.ending, result.kind = Ending.FAILED, "stream never ended"
        finally:
            result.done_us = self._clock.now() - due
            self.open -= 1
            self._on_end(result)

    async def _receive(self, reply: UpstreamReply, result: CallResult, due: int) -> None:
        if reply.stream is None:
            result.first_byte_us = self._clock.now() - due
            settle(result, reply.status, reply.headers, reply.body)
            return
        sink = _StreamSink(self._clock, asyncio.get_running_loop().create_future())
        settle(result, reply.status, reply.headers, b"")
        result.ending = Ending.OPEN
        try:
            tail = await self._read(reply.stream, sink, due)
        finally:
            result.first_byte_us = max(0, sink.first_us - due)
        settle_stream(result, tail)

    async def _read(self, stream: UpstreamStream, sink: "_StreamSink", due: int) -> bytes:
        left = (due + self._timeout_us - self._clock.now()) / 1_000_000
        stream.attach(sink)
        try:
            async with asyncio.timeout(left):
                return await sink.tail
        except BaseException:
            stream.abort()
            raise


class _StreamSink:
    """Notes when the first byte came and keeps the last two pieces; a piece costs two assignments."""

    __slots__ = ("_before", "_clock", "_last", "first_us", "tail")

    def __init__(self, clock: Clock, tail: asyncio.Future[bytes]) -> None:
        self._clock = clock
        self._before = self._last = b""
        self.first_us = 0
        self.tail = tail

    def chunk(self, data: bytes) -> None:
        if not self.first_us:
            self.first_us = self._clock.now()
        self._before = self._last
        self._last = data

    def end(self) -> None:
        if not self.tail.done():
            self.tail.set_result(self._before + self._last)

    def failed(self, error: TransportError) -> None:
        if not self.tail.done():
            self.tail.set_exception(error)
