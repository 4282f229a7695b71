"""The client's side of one connection: one request at a time, one reply to it.

llhttp parses; what it lets pass is refused here: transfer codings other than `chunked`, bytes nobody asked for, heads
and bodies without bound. A reply that is delimited by the end of the connection ends only there.
"""

import asyncio
import logging
import os
from typing import Final, Protocol, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tidegate.ports import TransportError
from tidegate.wire.stream import Reply, Stream
from tidegate.wire.sweep import NEVER

_log = logging.getLogger(__name__)

_MAX_HEAD: Final = 262_144  # bytes, interim replies included
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding"))


class Owner(Protocol):
    """The pool, as its connections see it."""

    max_body: int  # bytes of a reply that is not streamed
    idle_deadline: int  # for bytes that should follow those that arrive now
    first_byte_deadline: int  # for the reply to what is sent now

    def release(self, connection: "UpstreamConnection") -> None: ...

    def lost(self, connection: "UpstreamConnection") -> None: ...


class UpstreamConnection(asyncio.Protocol):
    """Serves one exchange after the other, until it breaks or is closed."""

    __slots__ = (
        "_complete",
        "_ended",
        "_extra",
        "_fault",
        "_fd",
        "_head_size",
        "_headers",
        "_keep",
        "_limit",
        "_loop",
        "_mute",
        "_owner",
        "_parser",
        "_parts",
        "_paused",
        "_reply_headers",
        "_size",
        "_status",
        "_stream",
        "_transport",
        "_until_eof",
        "_uploading",
        "_waiter",
        "_want_stream",
        "_writable",
        "deadline",
    )

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # set by connection_made
        self._fd = -1
        self._parser = HttpResponseParser(self)
        self._waiter: asyncio.Future[Reply] | None = None
        self._stream: Stream | None = None
        self._writable: asyncio.Future[None] | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._reply_headers: list[tuple[bytes, bytes]] = []
        self._parts: list[bytes] = []
        self._uploading = False
        self._paused = False
        self._limit = NEVER  # the deadline of the call
        self.deadline = NEVER
        self._want_stream = False
        self._mute = False  # a reply to HEAD has no body, whatever its headers say
        self._status = 0  # 0 while the head is incomplete
        self._head_size = 0
        self._size = 0
        self._complete = False
        # A connection of which one of these was true is not used again.
        self._keep = False
        self._until_eof = False
        self._ended = False  # the other side has ended the connection in good order
        self._extra = False
        self._fault = ""

    # ── the request ─────────────────────────────────────────────────────────────────────────────────────────────────

    def begin(self, request: bytes, stream: bool, deadline: int, upload: bool) -> "asyncio.Future[Reply] | None":
        """Write `request`; the future is the reply to it. None: the connection was stale and nothing was written.

        With `upload` the body follows by `write`, up to `uploaded`.
        """
        if self._transport.is_closing() or not self._write_first(request):
            return None
        self._want_stream = stream
        self._mute = request.startswith(b"HEAD ")
        self._status = 0
        self._complete = False
        self._headers = []
        self._uploading = upload
        self._limit = deadline
        first_byte = self._owner.first_byte_deadline
        self.deadline = deadline if upload or deadline < first_byte else first_byte
        waiter = self._waiter = self._loop.create_future()
        return waiter

    def _write_first(self, request: bytes) -> bool:
        """Straight to the socket where there is no TLS: only so is it certain whether any byte was written."""
        if self._fd < 0:
            self._transport.write(request)
            return True
        try:
            written = os.write(self._fd, request)
        except BlockingIOError:
            written = 0
        except OSError:
            self._transport.abort()
            return False
        if written < len(request):
            self._transport.write(memoryview(request)[written:])
        return True

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
        if self._status == 0 and first_byte < self.deadline:
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
        if self._waiter is None and self._stream is None:
            self._transport.abort()  # nobody asked: whatever it is, it must not become the next call's reply
            return
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self._extra = True
            if not self._complete:
                self._fault = self._fault or f"the reply is malformed ({error})"
        if self._fault:
            self._break(self._fault)
        elif self._complete:
            self._finish()
        elif self._status:
            self._progress()
            if self._stream is not None:
                self._deliver(self._stream)
        else:
            self._head_size += len(data)
            if self._head_size > _MAX_HEAD:
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
            self._complete = True
            self._keep = False
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
        if self._complete:
            self._extra = True

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value.rstrip()))

    def on_headers_complete(self) -> None:
        if self._extra:
            return
        parser = self._parser
        status = parser.get_status_code()
        if status < 200:
            self._headers.clear()
            return
        self._status = status
        self._keep = keep = parser.should_keep_alive()
        headers = self._reply_headers = self._headers
        self._headers = []  # for trailers, which nobody reads
        framed = False
        for name, value in headers:
            if name in _FRAMING:
                framed = True
                if name == b"transfer-encoding" and value.lower() != b"chunked":
                    self._fault = "the reply has an unknown transfer coding"
        if not keep:
            self._until_eof = not framed
        if self._mute:
            self._complete = True
            self._keep = False  # llhttp would wait for the body
        elif self._want_stream and status < 300:
            self._stream = Stream(self)

    def on_body(self, data: bytes) -> None:
        if self._complete:
            return
        self._parts.append(data)
        if self._stream is None:
            self._size += len(data)
            if self._size > self._owner.max_body:
                self._fault = f"the reply's body is longer than {self._owner.max_body} bytes"

    def on_message_complete(self) -> None:
        if self._status:  # an interim reply is none
            self._complete = True

    # ── the reply ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _progress(self) -> None:
        """Bytes arrived: the next ones have `idle_timeout`, and a reply that is not streamed its call's deadline."""
        idle = self._owner.idle_deadline
        self.deadline = idle if self._stream is not None or idle < self._limit else self._limit

    def _take(self) -> bytes:
        parts = self._parts
        if len(parts) == 1:
            return parts.pop()
        data = b"".join(parts)
        parts.clear()
        return data

    def _deliver(self, stream: Stream) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(Reply(self._status, self._reply_headers, b"", stream))
        if self._parts:
            try:
                stream.deliver(self._take())
            except Exception:  # noqa: BLE001 - whatever the sink raises, the connection must not hang
                _log.exception("a stream's sink failed")
                self._break("the stream's receiver failed")

    def _finish(self) -> None:
        stream = self._stream
        if stream is not None:
            self._deliver(stream)
            self._stream = None
            self._release()
            stream.finish()
            return
        waiter = self._waiter
        self._waiter = None
        self._size = 0
        self._release()
        body = self._take()
        if waiter is not None and not waiter.done():
            waiter.set_result(Reply(self._status, self._reply_headers, body, None))

    def _release(self) -> None:
        """Back to the pool, when the next reply is sure to be the next request's."""
        transport = self._transport
        if transport.is_closing():
            return
        if self._extra or self._uploading or not self._keep or transport.get_write_buffer_size():
            transport.abort()
            return
        self._head_size = 0
        if self._paused:
            self.resume()
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
        elif self._status:
            self._break("the reply's body did not arrive in time")
        elif self._waiter is not None:
            self._break("no reply in time")
        else:
            self.abort()
