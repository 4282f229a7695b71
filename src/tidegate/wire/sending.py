"""The half of an upstream connection that sends.

The other half, `upstream_connection.py`, reads the replies.
"""

import asyncio
import os
from typing import Final, cast

from tidegate.wire.forms import Forms
from tidegate.wire.stream import Reply
from tidegate.wire.sweep import NEVER

# How much of a reply is wanted.
WHOLE: Final = 0
STREAMED: Final = 1  # when it is 2xx: returned when its head is complete
BARE: Final = 2  # the reply to HEAD has no body, whatever its headers say

# How far the reply is.
AWAITED: Final = 0
ARRIVING: Final = 1
COMPLETE: Final = 2  # or not asked for


class Owner:
    """The pool, as its connections see it. No protocol: its deadlines are read with every piece of a stream."""

    __slots__ = ("first_byte_deadline", "forms", "idle_deadline", "max_body")

    def __init__(self, max_body: int) -> None:
        self.max_body = max_body  # bytes of a reply that is not streamed
        self.idle_deadline = NEVER  # for bytes that should follow those that arrive now
        self.first_byte_deadline = NEVER  # for the reply to what is sent now
        self.forms = Forms()

    def release(self, connection: "Sending") -> None:
        """It has had its reply, and may be used again."""
        raise NotImplementedError

    def lost(self, connection: "Sending") -> None:
        """It is closed."""
        raise NotImplementedError


class Sending(asyncio.Protocol):
    """Writes requests, one after the other, each when the reply before it is complete."""

    __slots__ = (
        "_fd",
        "_limit",
        "_loop",
        "_mode",
        "_owner",
        "_phase",
        "_pump",
        "_transport",
        "_waiter",
        "_writable",
        "deadline",
    )

    def __init__(self, owner: Owner, loop: asyncio.AbstractEventLoop) -> None:
        self._owner = owner
        self._loop = loop
        self._transport: asyncio.Transport = cast("asyncio.Transport", None)  # set by connection_made
        self._fd = -1
        self._waiter: asyncio.Future[Reply] | None = None
        self._writable: asyncio.Future[None] | None = None
        self._pump: asyncio.Task[None] | None = None  # sends a body that is still arriving
        self._mode = WHOLE
        self._phase = COMPLETE
        self._limit = NEVER  # the deadline of the call
        self.deadline = NEVER

    @property
    def closing(self) -> bool:
        return self._transport.is_closing()

    def abort(self) -> None:
        """Close at once; nobody hears of it."""
        raise NotImplementedError

    def break_off(self, message: str) -> None:
        """Close at once; who waits gets a `TransportError`."""
        raise NotImplementedError

    def expire(self) -> None:
        """The deadline has passed."""
        raise NotImplementedError

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        if transport.get_extra_info("sslcontext") is None:
            self._fd = transport.get_extra_info("socket").fileno()

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

    def upload(self, pump: "asyncio.Task[None]") -> None:
        """`pump` sends the body, by `write`, up to `uploaded`; it is stopped when the reply is over before that.

        Until then the first byte of the reply is not expected.
        """
        self._pump = pump
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
        self._pump = None
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

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def _stop_pump(self) -> None:
        pump, self._pump = self._pump, None
        if pump is not None:
            pump.cancel()
