"""The half of a server connection that reads.

llhttp is given exact heads and validates them; where a message ends is decided here, to the byte. So what follows a
request waits as bytes, bounded, and is answered in order. Reading goes on while a reply is due, so that a client's
leaving is noticed at once.
"""

import asyncio
import logging
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from tidegate.wire import reply
from tidegate.wire.chunked import ChunkedBody
from tidegate.wire.exchange import STREAM, Exchange, Intake, Likeness
from tidegate.wire.head import (
    CHUNKED,
    CONTINUE,
    KEEP_ALIVE,
    BadHead,
    Fields,
    StartLine,
    bad,
    body_too_large,
    check_partial,
    framing,
    start_line,
    too_long,
    upgrades,
)
from tidegate.wire.hub import Hub
from tidegate.wire.incoming import Incoming
from tidegate.wire.link import BODY, CLOSED, HEAD, LINGER, REPLY, Link
from tidegate.wire.repeated import Headers, Repeated, repeatable
from tidegate.wire.sweep import NEVER

_log = logging.getLogger(__name__)

_HEAD_END: Final = b"\r\n\r\n"
_HELD: Final = 65_536  # bytes of pipelined requests, then reading pauses
_MISSES: Final = 4  # then this client's heads are never alike, and nothing more is remembered
_PROGRESS: Final = 65_536  # bytes of body that earn another `body_timeout`


class ServerConnection(Link):
    """Reads requests, hands them over, writes replies."""

    __slots__ = ("_feeding", "_misses", "_parser", "_progress", "_reading", "_repeated")

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._parser = HttpRequestParser(self)
        self._feeding = False  # the parser has seen the head and waits for the body
        self._repeated: Repeated | None = None
        self._misses = 0  # heads unlike the one before them
        self._progress = 0
        self._reading = True

    # ── the transport's callbacks ───────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        hub = self._hub
        address = transport.get_extra_info("peername")
        self.peer = address[0] if isinstance(address, tuple) else ""
        hub.members.add(self)
        self.deadline = hub.after(hub.settings.head_timeout_us)
        if len(hub.members) > hub.settings.max_connections:
            self._refuse(BadHead(503, "too_many_connections", "Too many connections are open; try again soon."))
        elif hub.draining and not hub.patient:
            self.drain()

    def data_received(self, data: bytes) -> None:
        if self._state != HEAD or self._pending or self._held or self._stalled:
            self._receive(data)
            return
        end = data.find(_HEAD_END) + 4
        if end < 4:
            self._begin_head(data)
        else:
            self._request(data, end)

    def _receive(self, data: bytes) -> None:
        """Bytes that do not begin a request."""
        state = self._state
        if state == BODY:
            self._read_body(data)
        elif state == REPLY or (state == HEAD and not self._pending):
            self._hold(data)
        elif state == HEAD:
            self._continue_head(data)
        elif state == LINGER:
            self._discard(len(data))

    def eof_received(self) -> None:
        if self._exchange is not None:
            self.close()
        else:
            self._close_after_flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hub.leave(self)
        self._state = CLOSED
        self._leave()

    def pause_writing(self) -> None:
        self._stalled = True
        if self._state != LINGER:
            self.deadline = self._hub.after(self._hub.settings.write_timeout_us)
        exchange = self._exchange
        if exchange is not None and exchange.on_pause is not None:
            exchange.on_pause()

    def resume_writing(self) -> None:
        self._stalled = False
        exchange = self._exchange
        if exchange is not None:
            self.deadline = NEVER if self._state == REPLY else self._body_deadline()
            if exchange.on_resume is not None:
                exchange.on_resume()
        elif self._state == HEAD:
            self.deadline = self._hub.idle_deadline
            self._next()

    # ── the head ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_head(self, data: bytes) -> None:
        hub = self._hub
        self._pending += data
        self.deadline = hub.after(hub.settings.head_timeout_us)
        try:
            check_partial(data, 0, hub.max_url, hub.max_head)
        except BadHead as refused:
            self._refuse(refused)

    def _continue_head(self, data: bytes) -> None:
        hub = self._hub
        pending = self._pending
        start = len(pending)
        pending += data
        end = pending.find(_HEAD_END, start - 3 if start > 3 else 0) + 4
        if end >= 4:
            self._pending = bytearray()
            self._held = bytes(pending)
            self._next()
            return
        try:
            check_partial(pending, start, hub.max_url, hub.max_head)
        except BadHead as refused:
            self._refuse(refused)

    def _request(self, data: bytes, end: int) -> None:
        """A head is complete: `data[:end]`."""
        head = data[:end]
        repeated = self._repeated
        known = repeated.read(head) if repeated is not None and end <= self._hub.max_head else None
        if repeated is None or known is None or known[2] > self._hub.max_body:
            self._read_head(head, data)
            return
        self._misses = 0
        headers, fields, length = known
        self._accept(repeated.start, headers, fields, length, KEEP_ALIVE, data[end:], repeated.alike)

    def _read_head(self, head: bytes, data: bytes) -> None:
        """Where llhttp, which validates it, finds no fault, every line but the first is `name: value`."""
        hub = self._hub
        end = len(head)
        lines = head.split(b"\r\n")
        try:
            start = start_line(lines[0])
            if end > hub.max_head or len(start[1]) > hub.max_url:
                raise too_long(start[1], hub.max_url, hub.max_head)
            self._parser.feed_data(head)
            headers = list(map(hub.field, lines[1:-2]))
            fields, length, flags = framing(headers, start[4])
            if length > hub.max_body and length > (longest := hub.longest(start[0], start[2])):
                raise body_too_large(longest)
        except BadHead as refused:
            self._refuse(refused, lines[0])
        except HttpParserUpgrade:
            self._ignore_upgrade(lines, data[end:])
        except HttpParserError as error:
            self._refuse(bad(f"The request is malformed: {error}."), lines[0])
        else:
            self._feeding = length != 0
            alike = None
            if self._plain and start[5] and flags == KEEP_ALIVE and self._misses < _MISSES:
                self._misses += 1
                repeated = self._repeated = repeatable(head, lines, start, headers, fields, length)
                alike = repeated.alike if repeated is not None else None
            self._accept(start, headers, fields, length, flags, data[end:], alike)

    def _accept(
        self,
        start: StartLine,
        headers: Headers,
        fields: Fields,
        length: int,
        flags: int,
        rest: bytes,
        alike: Likeness | None,
    ) -> None:
        method, target, path, query, minor, usual = start
        self._hub.requests += 1
        self._plain = usual and flags == KEEP_ALIVE
        self._keep = flags & KEEP_ALIVE != 0
        self._minor = minor
        exchange = self._exchange = Exchange(self, method, target, path, query, headers, fields, self.peer, alike)
        if len(rest) == length:
            self._whole(exchange, rest)
        else:
            self._begin_body(exchange, length, flags, rest)

    def _ignore_upgrade(self, lines: list[bytes], rest: bytes) -> None:
        """Read the request as if it had not asked for another protocol, as RFC 9110, 7.8 allows, or refuse it.

        Only `h2c` is ignored: some clients always offer it, and do without.
        """
        self._parser = HttpRequestParser(self)  # the old one has switched to the other protocol
        if upgrades(lines) != [b"h2c"]:
            refused = BadHead(501, "not_implemented", "Upgrading to another protocol is not supported.")
            self._refuse(refused, lines[0])
            return
        kept = [line for line in lines if not line.lower().startswith(b"upgrade:")]
        head = b"\r\n".join(kept)
        self._request(head + rest, len(head))

    def _whole(self, exchange: Exchange, body: bytes) -> None:
        """The usual case: all of the request is here, and nothing but it."""
        if self._feeding:
            self._feeding = False
            self._parser.feed_data(body)
        self._state = REPLY
        self.deadline = NEVER
        handler = self._hub.handler
        try:
            if handler.head(exchange) is STREAM:
                source = exchange.source = Incoming(self._hub.loop, self._resume_reading)
                source.push(body)
                source.finish()
            else:
                exchange.body = body
            if self._exchange is exchange and not exchange.replied:
                handler.call(exchange)
        except Exception:  # noqa: BLE001 - whatever the handler raises, the client gets an answer
            self._handler_failed(exchange)

    # ── the body ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_body(self, exchange: Exchange, length: int, flags: int, rest: bytes) -> None:
        hub = self._hub
        self._state = BODY
        self._left = length
        self._continue = flags & CONTINUE != 0 and length != 0
        if length == CHUNKED:
            self._chunked = ChunkedBody(hub.max_body)
            self._parser = HttpRequestParser(self)  # the old one would wait for chunks that it never gets
            self._feeding = False
        try:
            intake = hub.handler.head(exchange)
        except Exception:  # noqa: BLE001 - as above
            self._handler_failed(exchange)
            return
        if self._state != BODY:
            return
        if self._exchange is exchange and not exchange.replied:
            self._open_body(exchange, intake, rest)
        if self._state != BODY:
            return
        if length == 0:
            self._body_done(rest)
        elif rest:
            self._read_body(rest)

    def _open_body(self, exchange: Exchange, intake: Intake, rest: bytes) -> None:
        hub, chunked = self._hub, self._chunked
        if intake is not STREAM and self._left > hub.max_body:
            self._refuse(body_too_large(hub.max_body))
            return
        if chunked is not None and intake is STREAM:
            chunked.allow(hub.longest(exchange.method, exchange.path))
        self.deadline = self._body_deadline()
        if self._continue and not rest:
            self._transport.write(reply.CONTINUE)
        self._continue = False
        if intake is STREAM:
            self._source = exchange.source = Incoming(self._hub.loop, self._resume_reading)
            self._call(exchange)
        else:
            self._parts = []

    def _read_body(self, data: bytes) -> None:
        if self._chunked is not None:
            self._read_chunks(self._chunked, data)
            return
        left = self._left - len(data)
        rest = b""
        if left < 0:
            rest = data[left:]
            data = data[:left]
            left = 0
        self._left = left
        if self._feeding:
            self._parser.feed_data(data)
            self._feeding = left != 0
        self._take(data)
        if left == 0:
            self._body_done(rest)

    def _read_chunks(self, chunked: ChunkedBody, data: bytes) -> None:
        try:
            pieces, rest = chunked.feed(data)
        except BadHead as refused:
            self._refuse(refused)
            return
        for piece in pieces:
            self._take(piece)
        if chunked.done:
            self._chunked = None
            self._left = 0
            self._body_done(rest)

    def _take(self, piece: bytes) -> None:
        if self._parts is not None:
            self._parts.append(piece)
        elif self._source is not None:
            self._source.push(piece)
            if self._source.full:
                self._pause_reading()
        self._progress += len(piece)
        if self._progress >= _PROGRESS:
            self._progress = 0
            self.deadline = self._body_deadline()

    def _body_deadline(self) -> int:
        return self._hub.after(self._hub.settings.body_timeout_us)

    def _body_done(self, rest: bytes) -> None:
        self._state = REPLY
        self.deadline = NEVER
        self._progress = 0
        parts, self._parts = self._parts, None
        source, self._source = self._source, None
        exchange = self._exchange
        self._resume_reading()
        if rest:
            self._hold(rest)
        if exchange is None:
            self._ready()
        elif source is not None:
            source.finish()
        elif parts is not None:
            exchange.body = parts[0] if len(parts) == 1 else b"".join(parts)
            self._call(exchange)

    def _call(self, exchange: Exchange) -> None:
        try:
            self._hub.handler.call(exchange)
        except Exception:  # noqa: BLE001 - as above
            self._handler_failed(exchange)

    def _handler_failed(self, exchange: Exchange) -> None:
        _log.exception("the handler failed on %s", exchange.path)
        if exchange is not self._exchange:
            return
        if exchange.replied:
            exchange.abort()
        else:
            self._refuse(BadHead(500, "internal_error", "The gate failed on this request."))

    # ── what comes too early ────────────────────────────────────────────────────────────────────────────────────────

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _HELD:
            self._pause_reading()

    def _next(self) -> None:
        if self._state == HEAD and self._held and not self._stalled:
            data, self._held = self._held, b""
            self._resume_reading()
            self.data_received(data)

    def _pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._reading and len(self._held) <= _HELD:
            self._reading = True
            self._transport.resume_reading()
