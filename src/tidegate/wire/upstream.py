"""A pool of keep-alive connections to one upstream service.

The connection used last is used first, so that few stay open. Beyond `max_connections` requests wait in order, each up
to its deadline. Nothing here costs a timer per request: one sweep looks at all deadlines every 100 ms.
"""

import asyncio
import ssl
from collections import deque
from typing import Final, NamedTuple

from tidegate.model.snapshot import Provider
from tidegate.ports import BodySource, Clock, TransportError
from tidegate.wire.dial import Route, dial
from tidegate.wire.endpoint import UNIX, endpoint_of
from tidegate.wire.limit import TimeLimit
from tidegate.wire.proxy import absolute_form, authorization
from tidegate.wire.reply import LAST_CHUNK
from tidegate.wire.sending import BARE, STREAMED, WHOLE, Owner, Sending
from tidegate.wire.stream import Reply
from tidegate.wire.sweep import NEVER, Sweep

_SWEEP_US: Final = 100_000
_KEEP_US: Final = 30_000_000  # an idle connection is closed before the usual 60 s of the other side
_MAX_BODY: Final = 67_108_864
_MAX_WAITING: Final = 10_000
_BODILESS: Final = (b"GET ", b"HEAD ", b"DELETE ", b"OPTIONS ", b"TRACE ")


class PoolStatistics(NamedTuple):
    """A moment's counts; `opened` since the start."""

    connections: int
    idle: int
    connecting: int
    waiting: int
    opened: int


class _Waiting(NamedTuple):
    turn: "asyncio.Future[Sending | None]"  # None: a place is free, open a connection of your own
    deadline: int


class UpstreamPool(Owner):
    """`ports.Transport` for one provider's base URL."""

    __slots__ = (
        "_all",
        "_clock",
        "_closed",
        "_connect_timeout",
        "_connecting",
        "_first_byte_timeout",
        "_idle",
        "_idle_timeout",
        "_keep_deadline",
        "_loop",
        "_max",
        "_opened",
        "_proxy_headers",
        "_queue",
        "_route",
        "_sweep",
    )

    def __init__(
        self, provider: Provider, clock: Clock, tls: ssl.SSLContext | None = None, max_body: int = _MAX_BODY
    ) -> None:
        """`tls`: required for an https base URL (`tls.client_context`). `max_body`: bytes of a reply that is buffered.

        Raises `ValueError` when a URL is malformed or https has no context. Needs a running event loop.
        """
        target = endpoint_of(provider.base_url)
        if target.tls and tls is None:
            raise ValueError(f"provider {provider.name}: an https base_url needs a TLS context")
        proxy = endpoint_of(provider.proxy) if provider.proxy else None
        if proxy is not None and proxy.scheme != "http":
            raise ValueError(f"provider {provider.name}: a proxy is reached by http, not {proxy.scheme}")
        if proxy is not None and target.scheme == UNIX:
            raise ValueError(f"provider {provider.name}: no proxy leads to a socket of this machine")
        super().__init__(max_body)
        self._route = Route(target, tls if target.tls else None, proxy)
        self._proxy_headers = authorization(proxy) if proxy is not None and not target.tls else None
        self._loop = asyncio.get_running_loop()
        self._clock = clock
        self._connect_timeout = provider.connect_timeout_us
        self._max = provider.max_connections
        self._first_byte_timeout = provider.first_byte_timeout_us
        self._idle_timeout = provider.idle_timeout_us
        self._all: set[Sending] = set()
        self._idle: dict[Sending, None] = {}  # in the order of last use
        self._queue: deque[_Waiting] = deque()
        self._connecting = 0  # places taken by connections that are not open yet
        self._opened = 0
        self._closed = False
        self._sweep = Sweep(clock, _SWEEP_US, self._tick)
        self._set_deadlines(self._sweep.now)

    # ── ports.Transport ─────────────────────────────────────────────────────────────────────────────────────────────

    async def send(self, head: bytes, body: bytes | BodySource, *, stream: bool, deadline: int) -> Reply:
        """Send one request and return its reply; see `ports.Transport.send`."""
        if self._proxy_headers is not None:
            head = absolute_form(head, self._route.target, self._proxy_headers)
        if not isinstance(body, bytes):
            return await self._send_source(head, body, stream, deadline)
        mode = STREAMED if stream else WHOLE
        if body or not head.startswith(_BODILESS):
            request = b"%bcontent-length: %d\r\n\r\n%b" % (head, len(body), body)
        else:
            request = head + b"\r\n"
            mode = BARE if head.startswith(b"HEAD ") else mode
        if deadline <= self._sweep.now:
            raise TransportError("the deadline has passed", sent=False)
        while True:
            connection = self._idle.popitem()[0] if self._idle else await self._obtain(deadline)
            waiter = connection.begin(request, mode, deadline)
            if waiter is None:
                continue
            try:
                return await waiter
            except asyncio.CancelledError:
                connection.abandon(waiter)
                raise

    def close(self) -> None:
        """Close idle connections now, busy ones when their reply is complete. Later requests fail."""
        self._closed = True
        idle, self._idle = self._idle, {}
        for connection in idle:
            connection.abort()
        for waiting in self._queue:
            self._refuse(waiting, "the connection pool is closed")
        self._queue.clear()

    def abort(self) -> None:
        """Close everything now."""
        self.close()
        for connection in tuple(self._all):
            connection.break_off("the connection pool is closed")
        self._sweep.stop()

    def statistics(self) -> PoolStatistics:
        """O(1)."""
        return PoolStatistics(len(self._all), len(self._idle), self._connecting, len(self._queue), self._opened)

    # ── a request whose body is still arriving ──────────────────────────────────────────────────────────────────────

    async def _send_source(self, head: bytes, source: BodySource, stream: bool, deadline: int) -> Reply:
        request = head + b"transfer-encoding: chunked\r\n\r\n"
        while True:
            connection = self._idle.popitem()[0] if self._idle else await self._obtain(deadline)
            waiter = connection.begin(request, STREAMED if stream else WHOLE, deadline)
            if waiter is not None:
                break
        connection.upload(self._loop.create_task(_pump(source, connection)))
        try:
            return await waiter
        except asyncio.CancelledError:
            connection.abandon(waiter)
            raise

    # ── connections ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _obtain(self, deadline: int) -> Sending:
        """A connection from the queue, or a new one. Raises `TransportError`."""
        if not self._sweep.running:
            self._sweep.start()
            self._set_deadlines(self._sweep.now)
        if self._closed:
            raise TransportError("the connection pool is closed", sent=False)
        if len(self._all) + self._connecting >= self._max:
            connection = await self._wait(deadline)
            if connection is not None:
                return connection
        else:
            self._connecting += 1
        return await self._open(deadline)

    async def _wait(self, deadline: int) -> Sending | None:
        if len(self._queue) >= _MAX_WAITING:
            raise TransportError("all connections are busy and too many requests wait for one", sent=False)
        turn: asyncio.Future[Sending | None] = self._loop.create_future()
        self._queue.append(_Waiting(turn, deadline))
        try:
            return await turn
        except asyncio.CancelledError:
            if not turn.cancelled() and turn.exception() is None:
                self._pass_on(turn.result())
            raise

    def _pass_on(self, connection: Sending | None) -> None:
        """Give back what came too late."""
        if connection is None:
            self._connecting -= 1
            self._place_free()
        else:
            self.release(connection)

    async def _open(self, deadline: int) -> Sending:
        """Fill a place that is counted in `_connecting`."""
        limit = min(deadline, self._clock.now() + self._connect_timeout)
        try:
            async with TimeLimit(self._clock, limit):
                connection = await dial(self._route, self, self._loop)
            if not connection.closing:
                self._all.add(connection)
        except TimeoutError:
            raise self._unreachable("no connection in time") from None
        except (OSError, UnicodeError) as error:  # UnicodeError: no host can have this name
            raise self._unreachable(str(error) or type(error).__name__) from error
        finally:
            self._connecting -= 1
            self._place_free()
        self._opened += 1
        return connection

    def _unreachable(self, why: str) -> TransportError:
        target, _, proxy = self._route
        through = f" through the proxy {proxy.authority}" if proxy is not None else ""
        return TransportError(f"cannot connect to {target.authority}{through}: {why}", sent=False)

    def _place_free(self) -> None:
        queue = self._queue
        while queue and len(self._all) + self._connecting < self._max:
            turn = queue.popleft().turn
            if not turn.done():
                self._connecting += 1
                turn.set_result(None)

    def _refuse(self, waiting: _Waiting, message: str) -> None:
        if not waiting.turn.done():
            waiting.turn.set_exception(TransportError(message, sent=False))

    def _set_deadlines(self, now: int) -> None:
        """Ready-made deadlines for what begins before the next tick: at most two sweeps late, never early."""
        later = now + _SWEEP_US
        self.first_byte_deadline = later + self._first_byte_timeout
        self.idle_deadline = later + self._idle_timeout
        self._keep_deadline = later + _KEEP_US

    def _tick(self, now: int) -> None:
        self._set_deadlines(now)
        expired = [connection for connection in self._all if connection.deadline <= now]
        for connection in expired:
            connection.expire()
        if self._queue:
            self._expire_queue(now)
        if not (self._all or self._connecting or self._queue):
            self._sweep.stop()

    def _expire_queue(self, now: int) -> None:
        queue, self._queue = self._queue, deque()
        for waiting in queue:
            if waiting.deadline <= now:
                self._refuse(waiting, "the deadline passed while waiting for a free connection")
            elif not waiting.turn.done():
                self._queue.append(waiting)

    # ── for the connections ─────────────────────────────────────────────────────────────────────────────────────────

    def release(self, connection: Sending) -> None:
        """Its reply is complete and it can take another request."""
        if self._closed:
            connection.abort()
            return
        queue = self._queue
        while queue:
            turn = queue.popleft().turn
            if not turn.done():
                connection.deadline = NEVER
                turn.set_result(connection)
                return
        connection.deadline = self._keep_deadline
        self._idle[connection] = None

    def lost(self, connection: Sending) -> None:
        """It is closed."""
        self._all.discard(connection)
        self._idle.pop(connection, None)
        self._place_free()


async def _pump(source: BodySource, connection: Sending) -> None:
    """Write a body as it arrives, no faster than the upstream takes it."""
    try:
        while data := await source.read():
            await connection.write(b"%x\r\n%b\r\n" % (len(data), data))
        await connection.write(LAST_CHUNK)
    except Exception as error:  # noqa: BLE001 - whatever the source raises, nobody must wait for the rest
        connection.break_off(f"the request's body broke off ({error})")
    else:
        connection.uploaded()
