"""Servers, clients and upstreams on loopback and uvloop, on a clock that moves by hand."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvloop

from tests.wire.app import App, Client, Origin, Script, provider_of, until
from tidegate.model.snapshot import ServerSettings
from tidegate.testing.clock import ManualClock
from tidegate.wire.server import Server, serve
from tidegate.wire.upstream import UpstreamPool


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What the gate runs on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def app() -> App:
    return App()


@pytest.fixture
async def servers(app: App, clock: ManualClock) -> AsyncIterator[Callable[..., Awaitable[Server]]]:
    """Makes servers of `app`: settings by name, and a TLS context."""
    running: list[Server] = []

    async def make(tls: Any = None, **settings: Any) -> Server:
        listener = socket.create_server(("127.0.0.1", 0))
        server = await serve(listener, app, ServerSettings(**settings), clock, tls)
        listener.close()
        running.append(server)
        return server

    yield make
    for server in running:
        server.close()
        await until(lambda server=server: server.statistics().connections == 0)


@pytest.fixture
async def clients() -> AsyncIterator[Callable[..., Awaitable[Client]]]:
    """Opens connections to a server."""
    opened: list[Client] = []

    async def make(server: Server, tls: Any = None) -> Client:
        opened.append(await Client.open(server.port, tls))
        return opened[-1]

    yield make
    for client in opened:
        client.abort()


@pytest.fixture
async def server(servers: Callable[..., Awaitable[Server]]) -> Server:
    return await servers()


@pytest.fixture
async def client(clients: Callable[..., Awaitable[Client]], server: Server) -> Client:
    return await clients(server)


@pytest.fixture
async def origins() -> AsyncIterator[Callable[..., Awaitable[Origin]]]:
    """Starts upstreams; a string of bytes stands for the one reply to every request."""
    running: list[Origin] = []

    async def make(*scripts: Script | bytes, tls: Any = None) -> Origin:
        origin = Origin()
        origin._scripts = [origin.forever(script) if isinstance(script, bytes) else script for script in scripts]
        running.append(await origin.start(tls))
        return origin

    yield make
    for origin in running:
        await origin.stop()


@pytest.fixture
async def pools(clock: ManualClock) -> AsyncIterator[Callable[..., UpstreamPool]]:
    """Makes pools to an upstream or a URL: fields of the provider by name."""
    made: list[UpstreamPool] = []

    def make(origin: Origin | str, tls: Any = None, max_body: int = 1 << 26, **fields: Any) -> UpstreamPool:
        provider = provider_of(origin if isinstance(origin, str) else origin.url, **fields)
        made.append(UpstreamPool(provider, clock, tls, max_body))
        return made[-1]

    yield make
    for pool in made:
        pool.abort()
        await until(lambda pool=pool: pool.statistics().connections == 0)
