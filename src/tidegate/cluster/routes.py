"""Which server a command goes to, and what becomes of one that was sent to the wrong one: one server, or sentinels'."""

import asyncio
import ssl
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from tidegate.cluster.call import Pending
from tidegate.cluster.connection import Connection, dial
from tidegate.cluster.failure import DENIED, Failure, away
from tidegate.cluster.node import Node
from tidegate.cluster.url import Host, StoreAddress
from tidegate.ports import Clock

TRIES: Final = 4  # of one command, whatever it is told


class Route(Protocol):
    """The servers of one place."""

    @property
    def nodes(self) -> Iterable[Node]:
        """Those that are known now."""

    def submit(self, pending: Pending) -> None:
        """To the server that has its key."""

    def retry(self, pending: Pending, reply: str) -> bool:
        """After an error reply that nobody has been told yet: it goes again. False: there is no use in that."""

    async def dial(self, key: bytes | None) -> Connection:
        """A connection of one's own to the server that has this key. Raises `Failure`."""

    def close(self) -> None:
        """Let go of everything."""


class Single:
    """One server, which is where the URL says, or where the sentinels say that the primary is now."""

    __slots__ = ("_node", "_place", "_tls")

    def __init__(self, place: StoreAddress, tls: ssl.SSLContext | None, clock: Clock, timeout_us: int) -> None:
        self._place = place
        self._tls = tls
        self._node = Node(self._made, clock, timeout_us, _nothing)

    @property
    def nodes(self) -> tuple[Node]:
        """One."""
        return (self._node,)

    def submit(self, pending: Pending) -> None:
        """There is but one."""
        self._node.submit(pending)

    def retry(self, pending: Pending, reply: str) -> bool:
        """A script that it does not know goes in full; what a replica refuses goes to who is the primary by now."""
        return retry_at(self._node, pending, reply)

    async def dial(self, key: bytes | None) -> Connection:
        """Another connection."""
        return await self._made(None)

    def close(self) -> None:
        """For good."""
        self._node.close()

    async def _made(self, gone: Callable[[Connection], None] | None) -> Connection:
        return await dial(self._place.hosts[0], self._place, self._tls, gone)


class Watched(Single):
    """The primary that sentinels name. They are asked anew for each connection."""

    __slots__ = ()

    async def _made(self, gone: Callable[[Connection], None] | None) -> Connection:
        host = await primary_of(self._place, self._tls)
        connection = await dial(host, self._place, self._tls, gone)
        try:
            role = await connection.ask("ROLE")
        except Failure as failure:
            if failure.kind != DENIED:  # its user may not ask; a replica shows itself by refusing writes
                connection.drop()
                raise
        else:
            if isinstance(role, list) and role[0] != b"master":
                connection.drop()
                raise away("the sentinels name a server that is no primary yet")
        return connection


def retry_at(node: Node, pending: Pending, reply: str) -> bool:
    """What holds for every server."""
    pending.tries += 1
    if pending.tries >= TRIES:
        return False
    if reply.startswith("NOSCRIPT") and pending.eval is not None:
        pending.data = pending.eval()
    elif "READONLY" in reply[:64]:
        node.drop(away("it has become a replica", sent=True))
    else:
        return False
    node.submit(pending)
    return True


async def primary_of(place: StoreAddress, tls: ssl.SSLContext | None) -> Host:
    """What the sentinels name: the first that answers says. Raises `Failure`. All are asked at once."""
    loop = asyncio.get_running_loop()
    asked = [loop.create_task(_named_by(host, place, tls)) for host in place.hosts]
    unknown = False
    try:
        for one in asyncio.as_completed(asked):
            try:
                found = await one
            except Failure:
                continue
            if found is not None:
                return found
            unknown = True
    finally:
        for task in asked:
            task.cancel()
    if unknown:
        raise away(f"no sentinel knows a primary of the name {place.service}")
    raise away("no sentinel can be asked")


async def _named_by(host: Host, place: StoreAddress, tls: ssl.SSLContext | None) -> Host | None:
    at = StoreAddress(place.kind, (host,), place.sentinel_user, place.sentinel_password)
    connection = await dial(host, at, tls)
    try:
        found = await connection.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", place.service)
    finally:
        connection.drop()
    if not isinstance(found, list) or len(found) != 2:
        return None
    name, port = found
    if not isinstance(name, bytes) or not isinstance(port, bytes):
        return None
    return Host(name.decode(), int(port))


def _nothing() -> None:
    """With one server there is nowhere else to look."""
