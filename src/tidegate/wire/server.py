"""The public HTTP/1.1 server: listening sockets, connections, a graceful end."""

import asyncio
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tidegate.model.snapshot import ServerSettings
from tidegate.ports import Clock
from tidegate.wire.connection import ServerConnection
from tidegate.wire.exchange import Handler
from tidegate.wire.hub import Hub, Longer, ServerStatistics

_BACKLOG: Final = 4_096

__all__ = ["Server", "ServerConnection", "ServerStatistics", "serve"]


class Server:
    """A running server. Made by `serve`."""

    __slots__ = ("_clock", "_hub", "_paths", "listeners")

    def __init__(self, hub: Hub, clock: Clock) -> None:
        self._hub = hub
        self._clock = clock
        self.listeners: list[asyncio.Server] = []
        self._paths: list[Path] = []

    @property
    def port(self) -> int:
        """The port of the first socket."""
        return int(self.listeners[0].sockets[0].getsockname()[1])

    async def listen_at(self, path: Path) -> None:
        """Serve on a Unix socket too, without TLS: who has no address comes from this machine, and is its user.

        One that a dead process left is replaced. Raises `OSError`.
        """
        hub, listener = self._hub, private(path)
        try:
            server = await hub.loop.create_unix_server(lambda: ServerConnection(hub), sock=listener, backlog=_BACKLOG)
        except BaseException:
            listener.close()
            raise
        self.listeners.append(server)
        self._paths.append(path)

    def allow(self, longer: Longer) -> None:
        """Take bodies beyond `max_body_bytes` where `longer` says so and the handler reads them as they arrive."""
        self._hub.longer = longer

    def statistics(self) -> ServerStatistics:
        """O(connections)."""
        return self._hub.statistics()

    def relieve(self) -> None:
        """Accept no more, and let each connection end with its next reply, for another process serves the port too.

        Nobody's request is cut off: a connection that is closed while it is idle may have one under way.
        """
        self._stop_listening()
        self._hub.relieve()

    @property
    def empty(self) -> bool:
        """Is there no connection?"""
        return not self._hub.members

    async def drain(self, deadline: int) -> int:
        """Accept no more, let idle connections go and calls finish; cut what is left at `deadline` (monotonic).

        Returns how many connections had to be cut.
        """
        self._stop_listening()
        empty = self._hub.drain()
        timer = self._clock.call_at(deadline, partial(_give_up, empty))
        try:
            await asyncio.wait((empty,))
        finally:
            timer.cancel()
        left = len(self._hub.members)
        self._hub.close()
        return left

    def close(self) -> None:
        """Accept no more and cut every connection."""
        self._stop_listening()
        self._hub.close()

    def _stop_listening(self) -> None:
        for listener in self.listeners:
            listener.close()
        while self._paths:
            self._paths.pop().unlink(missing_ok=True)  # nobody tries it any more


def private(path: Path) -> socket.socket:
    """A Unix socket that only this user may reach. Raises `OSError`, also where its path is too long."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


def _give_up(waiting: asyncio.Future[None]) -> None:
    waiting.cancel()


async def serve(
    sockets: socket.socket | Sequence[socket.socket],
    handler: Handler,
    settings: ServerSettings,
    clock: Clock,
    ssl_context: ssl.SSLContext | None = None,
) -> Server:
    """Serve `handler` on bound sockets, which stay the caller's to close: it duplicates them. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    hub = Hub(handler, settings, clock, loop)
    given = (sockets,) if isinstance(sockets, socket.socket) else sockets
    handshake = settings.head_timeout_us / 1_000_000 if ssl_context is not None else None
    server = Server(hub, clock)
    try:
        for sock in given:
            server.listeners.append(
                await loop.create_server(
                    lambda: ServerConnection(hub),
                    sock=sock.dup(),
                    backlog=_BACKLOG,
                    ssl=ssl_context,
                    ssl_handshake_timeout=handshake,
                )
            )
    except BaseException:
        server.close()
        raise
    return server
