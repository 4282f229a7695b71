"""The half of a server connection that writes, and its endings.

The other half, `connection.py`, reads. Both go round with the state: HEAD → BODY → REPLY → HEAD. A connection ends in
LINGER (an error was answered; wait until the client has read it) or CLOSED.
"""

import asyncio
import logging
import socket
import struct
from typing import Final, cast

from tidegate.wire import reply
from tidegate.wire.chunked import ChunkedBody
from tidegate.wire.exchange import IN_CHUNKS, NO_CONTENT, UNTIL_CLOSE, Exchange
from tidegate.wire.head import BadHead, glimpse
from tidegate.wire.hub import Hub
from tidegate.wire.incoming import Incoming
from tidegate.wire.sweep import NEVER

_log = logging.getLogger(__name__)

# What the next bytes are.
HEAD: Final = 0
BODY: Final = 1
REPLY: Final = 2  # the next request's, which has to wait
LINGER: Final = 3
CLOSED: Final = 4

BODILESS: Final = frozenset((204, 304))
_JOIN_BELOW: Final = 65_536  # bytes of body; copying less is cheaper than a second write
_SKIPPED: Final = 65_536  # bytes of an unwanted body read for the sake of the connection
_LINGER_US: Final = 10_000_000
_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)


class Link(asyncio.Protocol):
    """Writes replies; knows how to end."""

    __slots__ = (
        "_chunked",
        "_continue",
        "_exchange",
        "_held",
        "_hub",
        "_keep",
        "_left",
        "_minor",
        "_parts",
        "_pending",
        "_plain",
        "_source",
        "_stalled",
        "_state",
        "_transport",
        "deadline",
        "peer",
    )

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # set by connection_made
        self._state = HEAD
        self._exchange: Exchange | None = None
        self._minor = 1
        self._keep = True  # may another request follow?
        self._plain = False  # HTTP/1.1, connection kept, a reply with a body: the usual
        self._continue = False  # the client waits for `100 Continue`
        self._pending = bytearray()  # a head that is not complete
        self._held = b""  # what came after the current request
        self._left = 0  # bytes of the body still to come; in LINGER, still to be thrown away
        self._chunked: ChunkedBody | None = None
        self._parts: list[bytes] | None = None  # of a buffered body
        self._source: Incoming | None = None  # of a streamed body
        self._stalled = False  # the client does not read as fast as we write
        self.deadline = NEVER
        self.peer = ""

    @property
    def busy(self) -> bool:
        """Whether a reply is due."""
        return self._exchange is not None

    @property
    def transport(self) -> asyncio.Transport:
        """Where replies are written."""
        return self._transport

    def _resume_reading(self) -> None:
        """For the half that reads."""
        raise NotImplementedError

    def _next(self) -> None:
        """For the half that reads: go on with what is held."""
        raise NotImplementedError

    # ── the exchange's face ─────────────────────────────────────────────────────────────────────────────────────────

    def respond(self, exchange: Exchange, status: int, head: bytes, body: bytes) -> None:
        """Write a whole reply."""
        hub = self._hub
        size = len(body)
        if self._plain and self._state == REPLY and size < _JOIN_BELOW and status not in BODILESS and not hub.draining:
            top = hub.tops.get(status) or hub.top(status)
            self._transport.write(b"%b%bcontent-length: %d\r\n\r\n%b" % (top, head, size, body))
            exchange.connection = self._exchange = None
            self._state = HEAD
            if not self._stalled:
                self.deadline = hub.idle_deadline
            if self._held:
                hub.loop.call_soon(self._next)
        else:
            self._respond_specially(exchange, status, head, body)
            self.finished(exchange)

    def _respond_specially(self, exchange: Exchange, status: int, head: bytes, body: bytes) -> None:
        top = self._hub.top(status)
        length = b"" if status == 204 else b"content-length: %d\r\n" % len(body)
        head = b"%b%b%b%b\r\n" % (top, self._connection_line(), head, length)
        if exchange.method == b"HEAD" or status in BODILESS:
            self._transport.write(head)
        elif len(body) < _JOIN_BELOW:
            self._transport.write(head + body)
        else:
            self._transport.writelines((head, body))

    def begin(self, exchange: Exchange, status: int, head: bytes) -> int:
        """Write the head of a reply whose length is not known; returns how its body travels."""
        coding, framing = IN_CHUNKS, reply.CHUNKED
        if exchange.method == b"HEAD" or status in BODILESS:
            coding = NO_CONTENT
            framing = b"\r\n" if status == 204 else reply.CHUNKED
        elif not self._minor:
            coding, framing = UNTIL_CLOSE, b"\r\n"
            self._keep = False
        self._transport.write(b"%b%b%b%b" % (self._hub.top(status), self._connection_line(), head, framing))
        return coding

    def finished(self, exchange: Exchange) -> None:
        """The reply is complete."""
        exchange.connection = None
        self._exchange = None
        if self._state == REPLY:
            self._ready()
        elif self._unwanted():
            self._linger()
        else:
            self._drop_body()  # read on to the end of the request, for the sake of the connection

    def cut(self, exchange: Exchange) -> None:
        """Without a clean end in whatever coding: an HTTP/1.0 client takes an orderly close for the end."""
        self._exchange = None
        if not self._minor:
            self._reset_on_close()
        self._drop_body()
        self._state = CLOSED
        self._transport.abort()

    def _reset_on_close(self) -> None:
        sock = self._transport.get_extra_info("socket")
        if sock is not None:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)

    def _connection_line(self) -> bytes:
        if self._hub.draining or (self._state == BODY and self._unwanted()):
            self._keep = False
        if self._keep:
            return b"" if self._minor else reply.KEEP_ALIVE
        return reply.CLOSE

    def _unwanted(self) -> bool:
        """Whether the rest of the request is not worth reading for the sake of the connection."""
        return self._chunked is not None or self._left > _SKIPPED or self._continue

    def _ready(self) -> None:
        """A reply is complete and so is its request: the next one may come."""
        hub = self._hub
        if not self._keep or (hub.draining and not hub.patient):
            self._close_after_flush()
            return
        self._state = HEAD
        if not self._stalled:
            self.deadline = hub.idle_deadline
        if self._held:
            # From the loop: a handler that answers at once would otherwise recurse once per pipelined request.
            hub.loop.call_soon(self._next)

    # ── endings ─────────────────────────────────────────────────────────────────────────────────────────────────────

    def expire(self) -> None:
        """The deadline has passed."""
        if self._state == HEAD and self._pending:
            self._refuse(BadHead(408, "request_timeout", "The request's head did not arrive in time."))
        elif self._state == HEAD and not self._transport.get_write_buffer_size():
            self._close_after_flush()
        elif self._state == BODY and self._exchange is not None and not self._exchange.replied:
            self._refuse(BadHead(408, "request_timeout", "The request's body did not arrive in time."))
        else:
            self.close()

    def drain(self) -> None:
        """Close when idle; else after the reply."""
        if self._state == HEAD and not self._pending and not self._held:
            self._close_after_flush()

    def close(self) -> None:
        """Cut the connection now."""
        self._state = CLOSED
        self._leave()
        self._transport.abort()

    def _refuse(self, refused: BadHead, line: bytes = b"") -> None:
        """Answer with an error and close, in such a way that the client can read the answer.

        `line`: the request line, when there is no exchange yet.
        """
        hub = self._hub
        hub.refused += 1
        path, mute = (self._exchange.path, self._exchange.method == b"HEAD") if self._exchange else glimpse(line)
        begun = self._exchange is not None and self._exchange.replied
        self._leave()
        if begun:
            self.close()  # an error in the middle of a reply would be taken for a part of it
            return
        body = hub.handler.refusal(path, refused.status, refused.code, refused.message)
        top = hub.top(refused.status)
        head = b"%b%b%bcontent-length: %d\r\n\r\n" % (top, reply.CLOSE, reply.JSON, len(body))
        self._transport.write(head if mute else head + body)
        self._linger()

    def _linger(self) -> None:
        """Half-close and read on for a while: closing with unread bytes would reset, and the client lose the reply."""
        self._state = LINGER
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
            self.close()

    def _close_after_flush(self) -> None:
        self._state = CLOSED
        self.deadline = self._hub.after(self._hub.settings.write_timeout_us)
        self._transport.close()

    def _leave(self) -> None:
        """The exchange, if there is one, will never be completed: tell the handler, once."""
        self._drop_body()
        exchange, self._exchange = self._exchange, None
        if exchange is None:
            return
        exchange.connection = None
        if exchange.on_gone is not None:
            try:
                exchange.on_gone()
            except Exception:  # noqa: BLE001 - the connection's end must not depend on it
                _log.exception("the handler failed on a client's leaving")

    def _drop_body(self) -> None:
        self._parts = None
        self._chunked = None
        source, self._source = self._source, None
        if source is not None:
            source.fail()
