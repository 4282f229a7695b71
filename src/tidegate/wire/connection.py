"""The server's side of one connection.

It goes round: HEAD → BODY → REPLY → HEAD, and ends in LINGER (an error was answered; wait until the client has read
it) or CLOSED. Bytes are given to llhttp one exact message at a time, so pipelined requests wait as bytes, bounded, and
are answered in order. Reading goes on during REPLY, so that a client's leaving is noticed at once.
"""

import asyncio
import logging
import socket
import struct
from enum import Enum
from typing import Final, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser

from tidegate.wire import reply
from tidegate.wire.chunked import ChunkedBody
from tidegate.wire.exchange import Coding, Exchange, Intake
from tidegate.wire.head import (
    CHUNKED,
    CONTINUE,
    KEEP_ALIVE,
    REQUEST_LINE,
    Refused,
    bad,
    bad_line,
    body_too_large,
    check_partial,
    framing,
    headers_too_large,
    split_target,
    uri_too_long,
)
from tidegate.wire.hub import Hub
from tidegate.wire.incoming import Incoming
from tidegate.wire.sweep import NEVER

_log = logging.getLogger(__name__)

_HEAD_END: Final = b"\r\n\r\n"
_JOIN_BELOW: Final = 65_536  # bytes of body; copying less is cheaper than a second write
_HELD: Final = 65_536  # bytes of pipelined requests, then reading pauses
_SKIPPED: Final = 65_536  # bytes of an unwanted body read for the sake of the connection
_PROGRESS: Final = 65_536  # bytes of body that earn another `body_timeout`
_LINGER_US: Final = 10_000_000
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class State(Enum):
    """What the next bytes are."""

    HEAD = 0
    BODY = 1
    REPLY = 2
    LINGER = 3
    CLOSED = 4


class ServerConnection(asyncio.Protocol):
    """Reads requests, hands them over, writes replies."""

    __slots__ = (
        "_chunked",
        "_continue",
        "_exchange",
        "_headers",
        "_held",
        "_hub",
        "_keep",
        "_left",
        "_loop",
        "_minor",
        "_mute",
        "_parser",
        "_parts",
        "_path",
        "_pending",
        "_progress",
        "_reading",
        "_source",
        "_stalled",
        "_state",
        "_transport",
        "deadline",
        "peer",
    )

    def __init__(self, hub: Hub, loop: asyncio.AbstractEventLoop) -> None:
        self._hub = hub
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # set by connection_made
        self._parser: HttpRequestParser | None = None
        self._headers: list[tuple[bytes, bytes]] = []
        self._state = State.HEAD
        self._exchange: Exchange | None = None
        self._pending = bytearray()  # a head that is not complete
        self._held = b""  # what came after the current request
        self._path = b""
        self._keep = True  # may another request follow?
        self._minor = 1
        self._mute = False  # the reply has no body, whatever its headers say
        self._continue = False  # the client waits for `100 Continue`
        self._left = 0  # bytes of the body still to come
        self._chunked: ChunkedBody | None = None
        self._parts: list[bytes] | None = None  # of a buffered body
        self._source: Incoming | None = None  # of a streamed body
        self._progress = 0
        self._reading = True
        self._stalled = False  # the client does not read as fast as we write
        self.deadline = NEVER
        self.peer = ""

    @property
    def busy(self) -> bool:
        """Whether a reply is due."""
        return self._exchange is not None

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
        state = self._state
        if state is State.HEAD:
            if self._stalled or self._held:
                self._hold(data)
            else:
                self._read_head(data)
        elif state is State.BODY:
            self._read_body(data)
        elif state is State.REPLY:
            self._hold(data)
        elif state is State.LINGER:
            self._discard(len(data))

    def eof_received(self) -> None:
        if self._exchange is not None:
            self._leave()
            self._transport.abort()
        else:
            self._close_after_flush()

    def connection_lost(self, exc: Exception | None) -> None:
        self._hub.members.discard(self)
        self._state = State.CLOSED
        self._leave()

    def pause_writing(self) -> None:
        self._stalled = True
        if self._state is not State.LINGER:
            self.deadline = self._hub.after(self._hub.settings.write_timeout_us)
        exchange = self._exchange
        if exchange is not None and exchange.on_pause is not None:
            exchange.on_pause()

    def resume_writing(self) -> None:
        self._stalled = False
        exchange = self._exchange
        if exchange is not None:
            self.deadline = NEVER if self._state is State.REPLY else self._body_deadline()
            if exchange.on_resume is not None:
                exchange.on_resume()
        elif self._state is State.HEAD:
            self.deadline = self._hub.after(self._hub.settings.idle_timeout_us)
            self._next()

    def on_header(self, name: bytes, value: bytes) -> None:
        """For the parser."""
        self._headers.append((name.lower(), value.rstrip()))

    # ── reading ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def _read_head(self, data: bytes) -> None:
        try:
            if self._pending:
                data = self._joined_head(data)
                end = data.find(_HEAD_END)
            else:
                end = data.find(_HEAD_END)
                if end < 0:
                    self._begin_head(data)
            if end < 0:
                return
            length, flags = self._parse(data, end + 4)
        except Refused as refused:
            self._refuse(refused)
        else:
            self._accept(length, flags, data[end + 4 :])

    def _begin_head(self, data: bytes) -> None:
        settings = self._hub.settings
        self._pending += data
        self.deadline = self._hub.after(settings.head_timeout_us)
        check_partial(data, 0, settings.max_url_bytes, settings.max_header_bytes)

    def _joined_head(self, data: bytes) -> bytes:
        """All of the head so far, when it is complete now; else empty."""
        settings = self._hub.settings
        pending = self._pending
        start = len(pending)
        pending += data
        if pending.find(_HEAD_END, max(0, start - 3)) < 0:
            check_partial(pending, start, settings.max_url_bytes, settings.max_header_bytes)
            return b""
        self._pending = bytearray()
        return bytes(pending)

    def _parse(self, data: bytes, end: int) -> tuple[int, int]:
        """Read the head `data[:end]` into a new exchange; return its framing. Raises `Refused`."""
        settings = self._hub.settings
        self._path = b""
        match = REQUEST_LINE.match(data)
        if match is None:
            raise bad_line(data[:end], settings.max_url_bytes)
        method, target, minor = match.groups()
        if len(target) > settings.max_url_bytes:
            raise uri_too_long(settings.max_url_bytes)
        self._minor = 1 if minor == b"1" else 0
        self._mute = method == b"HEAD"
        path, query = split_target(method, target)
        self._path = path
        if end > settings.max_header_bytes:
            raise headers_too_large(settings.max_header_bytes)
        headers = self._headers = []
        self._feed_head(data[:end])
        length, flags = framing(headers, self._minor)
        if length > settings.max_body_bytes:
            raise body_too_large(settings.max_body_bytes)
        self._exchange = Exchange(self, method, target, path, query, headers, self.peer)
        return length, flags

    def _feed_head(self, head: bytes) -> None:
        parser = self._parser
        if parser is None:
            parser = self._parser = HttpRequestParser(self)
        try:
            parser.feed_data(head)
        except HttpParserUpgrade:
            # llhttp has switched to another protocol; we have not, and give it no body to read.
            self._parser = None
            if self._upgrades() != [b"h2c"]:
                raise Refused(501, "not_implemented", "Upgrading to another protocol is not supported.") from None
        except HttpParserError as error:
            raise bad(f"The request is malformed: {error}.") from None

    def _upgrades(self) -> list[bytes]:
        """The protocols asked for. `h2c` alone is ignored, as RFC 9110, 7.8 allows: some clients always send it."""
        return [value.strip().lower() for name, value in self._headers if name == b"upgrade"]

    def _accept(self, length: int, flags: int, rest: bytes) -> None:
        """The head is good: ask the handler what to do with the body, and go on with it."""
        exchange = cast("Exchange", self._exchange)
        hub = self._hub
        hub.requests += 1
        self._keep = flags & KEEP_ALIVE != 0
        self._continue = flags & CONTINUE != 0 and length != 0
        self._left = length
        self._state = State.BODY
        if length == CHUNKED:
            self._chunked = ChunkedBody(hub.settings.max_body_bytes)
            self._parser = None  # it would wait for chunks that it never gets
        try:
            intake = hub.handler.head(exchange)
        except Exception:  # noqa: BLE001 - whatever the handler raises, the client gets an answer
            self._handler_failed(exchange)
            return
        if self._state is not State.BODY:
            return
        if self._exchange is exchange and not exchange.replied:
            self._open_body(exchange, intake, rest)
        if length == 0:
            self._body_done(rest)
        elif rest:
            self._read_body(rest)

    def _open_body(self, exchange: Exchange, intake: Intake, rest: bytes) -> None:
        if len(rest) < self._left or self._chunked is not None:
            self.deadline = self._body_deadline()
        if self._continue and not rest:
            self._transport.write(reply.CONTINUE)
        self._continue = False
        if intake is Intake.BUFFER:
            self._parts = []
        else:
            self._source = Incoming(self._loop, self._resume_reading)
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
        if chunked.done and self._state is State.BODY:
            self._chunked = None
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
        self._state = State.REPLY
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
        except Exception:  # noqa: BLE001 - whatever the handler raises, the client gets an answer
            self._handler_failed(exchange)

    def _handler_failed(self, exchange: Exchange) -> None:
        _log.exception("the handler failed on %s", self._path)
        if exchange is not self._exchange:
            return
        if exchange.replied:
            exchange.abort()
        else:
            self._refuse(Refused(500, "internal_error", "The gate failed on this request."))

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > _HELD:
            self._pause_reading()

    def _pause_reading(self) -> None:
        if self._reading:
            self._reading = False
            self._transport.pause_reading()

    def _resume_reading(self) -> None:
        if not self._reading and len(self._held) <= _HELD:
            self._reading = True
            self._transport.resume_reading()

    # ── replying: the exchange's face ───────────────────────────────────────────────────────────────────────────────

    def respond(self, exchange: Exchange, status: int, head: bytes, body: bytes) -> None:
        line = reply.status_line(status)
        connection = self._connection_line()
        length = b"" if status == 204 else b"content-length: %d\r\n" % len(body)
        if self._mute or reply.bodiless(status):
            body = b""
        if len(body) < _JOIN_BELOW:
            self._transport.write(b"%b%b%b%b%b\r\n%b" % (line, self._hub.date, connection, head, length, body))
        else:
            top = b"%b%b%b%b%b\r\n" % (line, self._hub.date, connection, head, length)
            self._transport.writelines((top, body))
        self.finished(exchange)

    def begin(self, exchange: Exchange, status: int, head: bytes) -> Coding:
        line = reply.status_line(status)
        coding = Coding.CHUNKED
        framing_lines = reply.CHUNKED
        if self._mute or reply.bodiless(status):
            coding = Coding.NONE
            framing_lines = b"\r\n" if status == 204 else reply.CHUNKED
        elif not self._minor:
            coding = Coding.UNTIL_CLOSE
            framing_lines = b"\r\n"
            self._keep = False
        self._transport.write(b"%b%b%b%b%b" % (line, self._hub.date, self._connection_line(), head, framing_lines))
        return coding

    def write(self, data: bytes) -> None:
        self._transport.write(data)

    def writelines(self, pieces: tuple[bytes, ...]) -> None:
        self._transport.writelines(pieces)

    def finished(self, exchange: Exchange) -> None:
        exchange.detach()
        self._exchange = None
        if self._state is State.REPLY:
            self._ready()
        elif self._unwanted():
            self._linger()
        else:
            self._parts = self._source = None  # read on to the end of the request, and drop it

    def cut(self, exchange: Exchange) -> None:
        """Without a clean end in whatever coding: an HTTP/1.0 client takes an orderly close for the end."""
        self._exchange = None
        if not self._minor:
            self._reset_on_close()
        self._stop_source()
        self._state = State.CLOSED
        self._transport.abort()

    def _reset_on_close(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def _connection_line(self) -> bytes:
        if self._hub.draining or (self._state is State.BODY and self._unwanted()):
            self._keep = False
        if self._keep:
            return b"" if self._minor else reply.KEEP_ALIVE
        return reply.CLOSE

    def _unwanted(self) -> bool:
        """Whether the rest of the request is not worth reading for the sake of the connection."""
        return self._chunked is not None or self._left > _SKIPPED or self._continue

    def _ready(self) -> None:
        """A reply is complete and so is its request: the next one may come."""
        self._state = State.HEAD
        if not self._keep or self._hub.draining:
            self._close_after_flush()
            return
        if not self._stalled:
            self.deadline = self._hub.after(self._hub.settings.idle_timeout_us)
        if self._held:
            # From the loop: a handler that answers at once would otherwise recurse once per pipelined request.
            self._loop.call_soon(self._next)

    def _next(self) -> None:
        if self._state is State.HEAD and self._held and not self._stalled:
            data, self._held = self._held, b""
            self._resume_reading()
            self._read_head(data)

    # ── endings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def expire(self) -> None:
        """The deadline has passed."""
        if self._state is State.HEAD:
            if self._pending:
                self._refuse(Refused(408, "request_timeout", "The request's head did not arrive in time."))
            else:
                self._transport.abort() if self._transport.get_write_buffer_size() else self._transport.close()
                self.deadline = NEVER
        elif self._state is State.BODY and self._exchange is not None and not self._exchange.replied:
            self._refuse(Refused(408, "request_timeout", "The request's body did not arrive in time."))
        else:
            self._leave()
            self._transport.abort()

    def drain(self) -> None:
        """Close when idle; else after the reply."""
        if self._state is State.HEAD and not self._pending and not self._held:
            self._close_after_flush()

    def close(self) -> None:
        """Cut the connection now."""
        self._leave()
        self._transport.abort()

    def _refuse(self, refused: Refused) -> None:
        """Answer with an error and close, in such a way that the client can read the answer."""
        hub = self._hub
        hub.refused += 1
        begun = self._exchange is not None and self._exchange.replied
        self._leave()
        if begun:
            self._transport.abort()  # an error in the middle of a reply would be taken for a part of it
            return
        body = hub.handler.refusal(self._path, refused.status, refused.code, refused.message)
        head = b"%b%b%b%bcontent-length: %d\r\n\r\n" % (
            reply.status_line(refused.status), hub.date, reply.CLOSE, reply.JSON, len(body),
        )  # fmt: skip
        self._transport.write(head if self._mute else head + body)
        self._linger()

    def _linger(self) -> None:
        """Half-close and read on for a while: closing with unread bytes would reset, and the client lose the reply."""
        self._state = State.LINGER
        self._pending = bytearray()
        self._held = b""
        self._left = max(4 * self._hub.settings.max_body_bytes, _SKIPPED)
        self.deadline = self._hub.after(_LINGER_US)
        self._resume_reading()
        if self._transport.can_write_eof():
            self._transport.write_eof()

    def _discard(self, count: int) -> None:
        self._left -= count
        if self._left < 0:
            self._transport.abort()

    def _close_after_flush(self) -> None:
        self._state = State.CLOSED
        self.deadline = self._hub.after(self._hub.settings.write_timeout_us)
        self._transport.close()

    def _leave(self) -> None:
        """The exchange, if there is one, will never be completed: tell the handler, once."""
        self._stop_source()
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        exchange.detach()
        if exchange.on_gone is not None:
            exchange.on_gone()

    def _stop_source(self) -> None:
        self._parts = None
        self._chunked = None
        source, self._source = self._source, None
        if source is not None:
            source.fail()
