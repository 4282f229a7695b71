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
from tidegate.wire.exchange import BUFFER, Exchange, Intake
from tidegate.wire.head import (
    CHUNKED,
    CONTINUE,
    KEEP_ALIVE,
    Refused,
    bad,
    body_too_large,
    check_partial,
    framing,
    headers_too_large,
    start_line,
    uri_too_long,
)
from tidegate.wire.hub import Hub
from tidegate.wire.incoming import Incoming
from tidegate.wire.link import BODY, CLOSED, HEAD, LINGER, REPLY, Link
from tidegate.wire.sweep import NEVER

_log = logging.getLogger(__name__)

_HEAD_END: Final = b"\r\n\r\n"
_HELD: Final = 65_536  # bytes of pipelined requests, then reading pauses
_PROGRESS: Final = 65_536  # bytes of body that earn another `body_timeout`


class ServerConnection(Link):
    """Reads requests, hands them over, writes replies."""

    __slots__ = ("_headers", "_parser", "_progress", "_reading")

    def __init__(self, hub: Hub) -> None:
        super().__init__(hub)
        self._parser: HttpRequestParser | None = None
        self._headers: list[tuple[bytes, bytes]] = []
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
            self._refuse(Refused(503, "too_many_connections", "Too many connections are open; try again soon."))
        elif hub.draining:
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

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser."""
        self._headers.append((name.lower(), value.rstrip()))

    # ── the head ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _begin_head(self, data: bytes) -> None:
        settings = self._hub.settings
        self._pending += data
        self._path = b""
        self._mute = False
        self.deadline = self._hub.after(settings.head_timeout_us)
        try:
            check_partial(data, 0, settings.max_url_bytes, settings.max_header_bytes)
        except Refused as refused:
            self._refuse(refused)

    def _continue_head(self, data: bytes) -> None:
        settings = self._hub.settings
        pending = self._pending
        start = len(pending)
        pending += data
        end = pending.find(_HEAD_END, start - 3 if start > 3 else 0) + 4
        if end >= 4:
            self._pending = bytearray()
            self._request(bytes(pending), end)
            return
        try:
            check_partial(pending, start, settings.max_url_bytes, settings.max_header_bytes)
        except Refused as refused:
            self._refuse(refused)

    def _request(self, data: bytes, end: int) -> None:
        try:
            exchange, length, flags = self._parse(data[:end])
        except Refused as refused:
            self._refuse(refused)
        else:
            self._accept(exchange, length, flags, data[end:])

    def _parse(self, head: bytes) -> tuple[Exchange, int, int]:
        """The exchange of a head and how its body is framed. Raises `Refused`."""
        settings = self._hub.settings
        self._path = b""
        self._mute = False
        method, target, path, query, minor = start_line(head[: head.find(b"\r\n") + 2])
        self._path = path
        self._minor = minor
        self._mute = method == b"HEAD"
        if len(target) > settings.max_url_bytes:
            raise uri_too_long(settings.max_url_bytes)
        if len(head) > settings.max_header_bytes:
            raise headers_too_large(settings.max_header_bytes)
        headers = self._headers = []
        parser = self._parser
        try:
            if parser is None:
                parser = self._parser = HttpRequestParser(self)
            parser.feed_data(head)
        except HttpParserUpgrade:
            self._ignore_upgrade()
        except HttpParserError as error:
            raise bad(f"The request is malformed: {error}.") from None
        fields, length, flags = framing(headers, minor)
        if length > settings.max_body_bytes:
            raise body_too_large(settings.max_body_bytes)
        return Exchange(self, method, target, path, query, headers, fields, self.peer), length, flags

    def _ignore_upgrade(self) -> None:
        """`h2c` alone is ignored, as RFC 9110, 7.8 allows: some clients always ask for it. Raises `Refused`."""
        self._parser = None  # it has switched to another protocol; we have not, and give it no body to read
        asked = [value.lower() for name, value in self._headers if name == b"upgrade"]
        if asked != [b"h2c"]:
            raise Refused(501, "not_implemented", "Upgrading to another protocol is not supported.")

    def _accept(self, exchange: Exchange, length: int, flags: int, rest: bytes) -> None:
        """The head is good: ask the handler what to do with the body, and go on with it."""
        hub = self._hub
        self._exchange = exchange
        hub.requests += 1
        self._keep = flags & KEEP_ALIVE != 0
        self._plain = flags == KEEP_ALIVE and self._minor == 1 and not self._mute
        self._continue = flags & CONTINUE != 0 and length != 0
        self._left = length
        self._state = BODY
        if length == CHUNKED:
            self._chunked = ChunkedBody(hub.settings.max_body_bytes)
            self._parser = None  # it would wait for chunks that it never gets
        try:
            intake = hub.handler.head(exchange)
        except Exception:  # noqa: BLE001 - whatever the handler raises, the client gets an answer
            self._handler_failed(exchange)
            return
        if len(rest) == length and intake is BUFFER and not exchange.replied and self._exchange is exchange:
            self._complete(exchange, rest)
        elif self._state == BODY:
            self._read_on(exchange, intake, rest)

    def _complete(self, exchange: Exchange, body: bytes) -> None:
        """The usual case: the whole request is here, and nothing but it."""
        if body and self._parser is not None:
            self._parser.feed_data(body)
        exchange.body = body
        self._state = REPLY
        self.deadline = NEVER
        try:
            self._hub.handler.call(exchange)
        except Exception:  # noqa: BLE001 - as above
            self._handler_failed(exchange)

    def _read_on(self, exchange: Exchange, intake: Intake, rest: bytes) -> None:
        if self._exchange is exchange and not exchange.replied:
            self._open_body(exchange, intake, rest)
        if self._left == 0:
            self._body_done(rest)
        elif rest:
            self._read_body(rest)

    # ── the body ────────────────────────────────────────────────────────────────────────────────────────────────────

    def _open_body(self, exchange: Exchange, intake: Intake, rest: bytes) -> None:
        self.deadline = self._body_deadline()
        if self._continue and not rest:
            self._transport.write(reply.CONTINUE)
        self._continue = False
        if intake is BUFFER:
            self._parts = []
        else:
            self._source = Incoming(self._hub.loop, self._resume_reading)
            exchange.source = self._source
            self._call(exchange)

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
        if self._parser is not None:
            self._parser.feed_data(data)
        self._take(data)
        if left == 0:
            self._body_done(rest)

    def _read_chunks(self, chunked: ChunkedBody, data: bytes) -> None:
        try:
            pieces, rest = chunked.feed(data)
        except Refused as refused:
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
        _log.exception("the handler failed on %s", self._path)
        if exchange is not self._exchange:
            return
        if exchange.replied:
            exchange.abort()
        else:
            self._refuse(Refused(500, "internal_error", "The gate failed on this request."))

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
