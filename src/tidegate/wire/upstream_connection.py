"""The client's side of one connection: one request at a time, one reply to it.

llhttp parses; what it lets pass is refused here: transfer codings other than `chunked`, bytes nobody asked for, heads
and bodies without bound. A reply that is delimited by the end of the connection ends only there.
"""

import asyncio
import logging
import re
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from tidegate.ports import TransportError
from tidegate.wire.sending import ARRIVING, AWAITED, BARE, COMPLETE, STREAMED, Owner, Sending
from tidegate.wire.stream import Reply, Stream
from tidegate.wire.sweep import NEVER

_log = logging.getLogger(__name__)

_MAX_HEAD: Final = 262_144  # bytes, interim replies included
_HEAD_END: Final = b"\r\n\r\n"
_is_status_line: Final = re.compile(rb"HTTP/1\.[01] [1-9][0-9]{2}(?: [\t -~\x80-\xff]*)?").fullmatch
_FRAMING: Final = frozenset((b"content-length", b"transfer-encoding"))


class UpstreamConnection(Sending):
    """Serves one exchange after the other, until it breaks or is closed."""

    __slots__ = (
        "_count",
        "_ended",
        "_extra",
        "_fault",
        "_head_at",
        "_headers",
        "_keep",
        "_line",
        "_parser",
        "_parts",
        "_paused",
        "_raw",
        "_size",
        "_status",
        "_stream",
        "_until_eof",
        "on_body",
    )

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(owner, loop)
        self._parts: list[bytes] = []  # of the body, as llhttp finds them
        self.on_body = self._parts.append
        self._parser = HttpResponseParser(self)
        self._stream: Stream | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._status = 0
        self._line = b"HTTP/1.1 200 OK"  # a status line, the last one
        self._raw = b""  # the head, while it is incomplete
        self._head_at = 0  # where it begins in `_raw`, after interim ones
        self._count = 0  # pieces of the complete body: what follows them belongs to nobody
        self._size = 0  # bytes read of a reply that is not complete
        self._paused = False
        # A connection of which one of these holds is not used again.
        self._keep = True  # when false
        self._until_eof = False
        self._ended = False  # the other side has ended the connection in good order
        self._extra = False  # bytes came that nobody asked for
        self._fault = ""

    # ── the transport's callbacks ───────────────────────────────────────────────────────────────────────────────────

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
        lines = raw[at:end].splitlines()
        line = lines[0] if lines else b""
        if line != self._line:
            if _is_status_line(line) is None:
                self._fault = "the reply is malformed (it does not begin with a status line)"
            else:
                self._line = line
        if status < 200:
            self._head_at = end + 4
            return
        try:
            headers = self._headers = self._owner.forms.read(lines)
        except ValueError as error:
            self._fault = str(error)
            return
        self._status = status
        self._raw = b""
        self._phase = ARRIVING
        if self._mode == BARE:
            self._phase = COMPLETE
            self._count = 0
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
        if not self._keep or self._extra or self._pump is not None or transport.get_write_buffer_size():
            self._stop_pump()
            transport.abort()
            return
        if self._paused:
            self.resume()
        self._size = self._head_at = 0
        self._owner.release(self)

    def _break(self, message: str) -> None:
        self._transport.abort()
        self._fail(message, ours=True)

    def _fail(self, message: str, *, ours: bool = False) -> None:
        self.deadline = NEVER
        self._stop_pump()
        begun = ours or (self._phase == ARRIVING and self._status < 400)
        error = TransportError(message, sent=True, begun=begun)
        waiter, self._waiter = self._waiter, None
        stream, self._stream = self._stream, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error)
        if stream is not None:
            stream.fail(error)

    # ── for the stream and the pool ─────────────────────────────────────────────────────────────────────────────────

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
        self._stop_pump()
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
