"""The client's side of one connection: one request at a time, one reply to it.

llhttp parses; what it lets pass is refused here: transfer codings other than `chunked`, bytes nobody asked for, heads
and bodies without bound. A reply that is delimited by the end of the connection ends only there.
"""

import asyncio
import logging
import os
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Final, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tidegate.ports import TransportError
from tidegate.wire.stream import Reply, Stream
from tidegate.wire.sweep import NEVER

# How much of a reply is wanted.
WHOLE: Final = 0
STREAMED: Final = 1  # when it is 2xx: returned when its head is complete
BARE: Final = 2  # the reply to HEAD has no body, whatever its headers say

# How far the reply is.
AWAITED: Final = 0
ARRIVING: Final = 1
COMPLETE: Final = 2  # or not asked for

_log = logging.getLogger(__name__)

_MAX_HEAD: Final = 262_144  # bytes, interim replies included
_HEAD_END: Final = b"\r\n\r\n"
_STATUS_LINE: Final = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [\t -~\x80-\xff]*)?")
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding"))


@lru_cache(maxsize=64)
def _is_status_line(line: bytes) -> bool:
    return _STATUS_LINE.fullmatch(line) is not None


class Owner(Protocol):
    """The pool, as its connections see it."""

    max_body: int  # bytes of a reply that is not streamed
    idle_deadline: int  # for bytes that should follow those that arrive now
    first_byte_deadline: int  # for the reply to what is sent now

    @property
    def field(self) -> Callable[[bytes], tuple[bytes, bytes]]: ...

    def release(self, connection: "UpstreamConnection") -> None: ...

    def lost(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """Serves one exchange after the other, until it breaks or is closed."""

    __slots__ = (
        "_count",
        "_ended",
        "_extra",
        "_fault",
        "_fd",
        "_head_at",
        "_headers",
        "_keep",
        "_limit",
        "_loop",
        "_mode",
        "_owner",
        "_parser",
        "_parts",
        "_paused",
        "_phase",
        "_raw",
        "_size",
        "_status",
        "_stream",
        "_transport",
        "_until_eof",
        "_uploading",
        "_waiter",
        "_writable",
        "deadline",
        "on_body",
    )

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # set by connection_made
        self._fd = -1
        self._parts: list[bytes] = []  # of the body, as llhttp finds them
        self.on_body = self._parts.append
        self._parser = HttpResponseParser(self)
        self._waiter: asyncio.Future[Reply] | None = None
        self._stream: Stream | None = None
        self._writable: asyncio.Future[None] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._mode = WHOLE
        self._phase = COMPLETE
        self._status = 0
        self._raw = b""  # the head, while it is incomplete
        self._head_at = 0  # where it begins in `_raw`, after interim ones
        self._count = 0  # pieces of the complete body: what follows them belongs to nobody
        self._size = 0  # bytes read of a reply that is not complete
        self._uploading = False
        self._paused = False
        self._limit = NEVER  # the deadline of the call
        self.deadline = NEVER
        # A connection of which one of these holds is not used again.
        self._keep = True  # when false
        self._until_eof = False
        self._ended = False  # the other side has ended the connection in good order
        self._extra = False  # bytes came that nobody asked for
        self._fault = ""

    # ── the request ─────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, request: bytes, mode: int, deadline: int) -> "asyncio.Future[Reply] | None":
        """Write `request`; the future is the reply to it. None: the connection was stale and nothing was written.

        Straight to the socket where there is no TLS: only so is it certain whether any byte was written, and it is
        cheaper.
        """
        if self._transport.is_closing():
            return None
        if self._fd < 0:
            self._transport.write(request)
        else:
            try:
                written = os.write(self._fd, request)
            except BlockingIOError:
                written = 0
            except OSError:
                self._transport.abort()
                return None
            if written < len(request):
                self._transport.write(memoryview(request)[written:])
        self._mode = mode
        self._phase = AWAITED
        self._limit = deadline
        first_byte = self._owner.first_byte_deadline
        self.deadline = deadline if deadline < first_byte else first_byte
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def upload(self) -> None:
        """The body of the request follows, by `write`, up to `uploaded`. Until then nothing is expected but time."""
        self._uploading = True
        self.deadline = self._limit

    async def write(self, data: bytes) -> None:
        """A piece of the request; returns when the upstream is ready for more."""
        if self._transport.is_closing():
            return
        self._transport.write(data)
        if self._writable is not None:
            await self._writable

    def uploaded(self) -> None:
        """The request is complete."""
        self._uploading = False
        first_byte = self._owner.first_byte_deadline
        if self._phase == AWAITED and first_byte < self.deadline:
            self.deadline = first_byte

    def abandon(self, waiter: "asyncio.Future[Reply]") -> None:
        """Nobody waits for this reply any more: close the connection, unless it serves somebody else by now."""
        if self._waiter is waiter:
            self._waiter = None
            self.abort()
        elif not waiter.cancelled() and waiter.exception() is None:
            stream = waiter.result().stream
            if stream is not None:
                stream.abort()

    # ── the transport's callbacks ───────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("sslcontext") is None:
            self._fd = transport.get_extra_info("socket").fileno()

    def data_received(self, data: bytes) -> None:
        if self._phase == AWAITED:
            self._raw = self._raw + data if self._raw else data
        elif self._phase == COMPLETE:
            self._transport.abort()  # nobody asked: whatever it is, it must not become the next call's reply
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._extra = True
            if self._phase != COMPLETE:
                self._fault = self._fault or f"the reply is malformed ({error})"
        if self._fault:
            self._break(self._fault)
        elif self._phase == COMPLETE:
            self._finish()
        elif self._phase == ARRIVING:
            self._go_on(len(data))
        elif len(self._raw) > _MAX_HEAD:
            self._break(f"the reply's head is longer than {_MAX_HEAD} bytes")

    def eof_received(self) -> None:
        # Of a TLS connection this is the end that TLS itself says; when merely TCP ends, only `connection_lost` is
        # called. Anybody can cut a connection: it does not prove that nothing is missing.
        self._ended = True

    def connection_lost(self, exc: Exception | None) -> None:
        self._fd = -1
        self._owner.lost(self)
        self.resume_writing()
        if self._waiter is None and self._stream is None:
            return
        if self._until_eof and self._ended and exc is None:
            self._phase = COMPLETE
            self._count = len(self._parts)
            self._finish()
        else:
            self._fail("the connection broke" + (f" ({exc})" if exc is not None else " before the reply was complete"))

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    # ── the parser's callbacks ──────────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self._phase == COMPLETE:
            self._extra = True

    def on_headers_complete(self) -> None:
        if self._extra:
            return
        parser = self._parser
        status = parser.get_status_code()
        raw = self._raw
        at = self._head_at
        end = raw.find(_HEAD_END, at)
        lines = raw[at:end].split(b"\r\n")
        if not _is_status_line(lines[0]):
            self._fault = "the reply is malformed (it does not begin with a status line)"
        if status < 200:
            self._head_at = end + 4
            return
        try:
            headers = self._headers = list(map(self._owner.field, lines[1:]))
        except ValueError as error:
            self._fault = str(error)
            return
        self._status = status
        self._raw = b""
        self._phase = ARRIVING
        if self._mode == BARE:
            self._phase = COMPLETE
            self._extra = True  # llhttp would wait for the body
        elif self._mode == STREAMED and status < 300:
            self._stream = Stream(self)
        if not parser.should_keep_alive():
            self._keep = False
            self._until_eof = _FRAMING.isdisjoint([name for name, _ in headers])

    def on_message_complete(self) -> None:
        if self._phase == ARRIVING:  # an interim reply is none
            self._phase = COMPLETE
            self._count = len(self._parts)

    # ── the reply ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, count: int) -> None:
        """Some of the reply is here, and not all; `count` bytes are new."""
        self._progress()
        if self._stream is not None:
            self._deliver(self._stream)
            return
        self._size += count
        if self._size > self._owner.max_body:
            self._break(f"the reply's body is longer than {self._owner.max_body} bytes")

    def _progress(self) -> None:
        """Bytes arrived: the next ones have `idle_timeout`, and a reply that is not streamed its call's deadline."""
        idle = self._owner.idle_deadline
        self.deadline = idle if self._stream is not None or idle < self._limit else self._limit

    def _take(self) -> bytes:
        parts = self._parts
        data = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        return data

    def _deliver(self, stream: Stream) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(Reply(self._status, self._headers, b"", stream))
        if self._parts:
            try:
                stream.deliver(self._take())
            except Exception:  # noqa: BLE001 - whatever the sink raises, the connection must not hang
                _log.exception("a stream's sink failed")
                self._break("the stream's receiver failed")

    def _finish(self) -> None:
        parts = self._parts
        if len(parts) > self._count:
            del parts[self._count :]
        stream = self._stream
        if stream is not None:
            self._deliver(stream)
            self._stream = None
            self._release()
            stream.finish()
            return
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        parts.clear()
        waiter = self._waiter
        self._waiter = None
        self._release()
        if waiter is not None and not waiter.done():
            waiter.set_result(Reply(self._status, self._headers, body, None))

    def _release(self) -> None:
        """Back to the pool, when the next reply is sure to be the next request's."""
        transport = self._transport
        if not self._keep or self._extra or self._uploading or transport.get_write_buffer_size():
            transport.abort()
            return
        if self._paused:
            self.resume()
        self._size = self._head_at = 0
        self._owner.release(self)

    def _break(self, message: str) -> None:
        self._transport.abort()
        self._fail(message)

    def _fail(self, message: str) -> None:
        self.deadline = NEVER
        error = TransportError(message, sent=True)
        waiter, self._waiter = self._waiter, None
        stream, self._stream = self._stream, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        if stream is not None:
            stream.fail(error)

    # ── for the stream and the pool ─────────────────────────────────────────────────────────────────────────────────

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    @property
    def busy(self) -> bool:
        return self._waiter is not None or self._stream is not None

    def pause(self) -> None:
        """Stop reading: the stream's receiver has enough."""
        if not self._paused:
            self._paused = True
            self.deadline = NEVER
            self._transport.pause_reading()

    def resume(self) -> None:
        """Read on."""
        if self._paused:
            self._paused = False
            self._progress()
            self._transport.resume_reading()

    def abort(self) -> None:
        """Close at once; nobody hears of it."""
        self._waiter = None
        self._stream = None
        self.deadline = NEVER
        self._transport.abort()

    def break_off(self, message: str) -> None:
        """Close at once; who waits gets a `TransportError`."""
        self._break(message)

    def expire(self) -> None:
        """The deadline has passed."""
        if self._stream is not None:
            self._break("the stream stalled: no bytes within the idle time-out")
        elif self._phase == ARRIVING:
            self._break("the reply's body did not arrive in time")
        elif self._waiter is not None:
            self._break("no reply in time")
        else:
            self.abort()
