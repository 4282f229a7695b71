"""Opening a connection to an upstream: straight or through a proxy, with TLS or without, or by a Unix socket."""

import asyncio
import re
import ssl
from typing import Final, NamedTuple, cast

from tidegate.wire.endpoint import UNIX, Endpoint
from tidegate.wire.proxy import connect_request
from tidegate.wire.sending import Owner
from tidegate.wire.upstream_connection import UpstreamConnection

_MAX_ANSWER: Final = 16_384
_STATUS: Final = re.compile(rb"HTTP/1\.[01] ([0-9]{3})")


class Route(NamedTuple):
    """How to get to an upstream. `tls` is None for http; there is no fall-back from one to the other."""

    target: Endpoint
    tls: ssl.SSLContext | None
    proxy: Endpoint | None


async def dial(route: Route, owner: Owner, loop: asyncio.AbstractEventLoop) -> UpstreamConnection:
    """A connection ready for a request. Raises `OSError` (which TLS, name and proxy errors are)."""
    target, tls, proxy = route
    if proxy is not None and tls is not None:
        return await _tunnel(target, tls, proxy, owner, loop)
    first = proxy or target
    if first.scheme == UNIX:
        _, protocol = await loop.create_unix_connection(lambda: UpstreamConnection(owner, loop), first.host)
        return protocol
    _, protocol = await loop.create_connection(
        lambda: UpstreamConnection(owner, loop),
        first.host,
        first.port,
        ssl=tls,
        server_hostname=target.host if tls is not None else None,
    )
    return protocol


async def _tunnel(
    target: Endpoint, tls: ssl.SSLContext, proxy: Endpoint, owner: Owner, loop: asyncio.AbstractEventLoop
) -> UpstreamConnection:
    transport, answer = await loop.create_connection(lambda: _Answer(loop), proxy.host, proxy.port)
    try:
        transport.write(connect_request(target, proxy))
        await answer.ready
        connection = UpstreamConnection(owner, loop)
        secured = await loop.start_tls(transport, connection, tls, server_hostname=target.host)
    except BaseException:
        transport.abort()
        raise
    connection.connection_made(cast("asyncio.BaseTransport", secured))
    return connection


class _Answer(asyncio.Protocol):
    """Waits for a proxy's answer to CONNECT. No byte may follow it: the TLS handshake is ours to begin."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.ready: asyncio.Future[None] = loop.create_future()
        self._data = b""

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0 and len(self._data) <= _MAX_ANSWER:
            return
        match = _STATUS.match(self._data)
        if match is None or end < 0:
            self._fail("the proxy's answer to CONNECT is malformed")
        elif not match[1].startswith(b"2"):
            self._fail(f"the proxy refused the tunnel with status {match[1].decode()}")
        elif len(self._data) > end + 4:
            self._fail("the proxy sent more than its answer to CONNECT")
        elif not self.ready.done():
            self.ready.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        self._fail("the proxy closed the connection before the tunnel was open")

    def _fail(self, message: str) -> None:
        if not self.ready.done():
            self.ready.set_exception(ConnectionError(message))
