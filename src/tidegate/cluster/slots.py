"""A Redis Cluster: which node has which slot, and how that changes while commands are on their way.

A slot is CRC-16 of the key's hash tag (of the key, where it has none) modulo 16,384: redis.io, Cluster specification.
The table is read from any node that answers, again after `MOVED`, `CLUSTERDOWN` and lost connections, at most ten
times a second. O(1) a command.
"""

import asyncio
import ssl
from binascii import crc_hqx
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from tidegate.cluster.call import Pending
from tidegate.cluster.connection import Connection, Reply, dial
from tidegate.cluster.failure import Failure, away, late
from tidegate.cluster.node import Dial, Node
from tidegate.cluster.routes import TRIES, retry_at
from tidegate.cluster.url import Host, StoreAddress
from tidegate.ports import Clock, Timer

SLOTS: Final = 16_384
AGAIN_US: Final = 100_000  # between two readings of the table


def slot_of(key: bytes) -> int:
    """The slot of a key: of what stands between its first { and the next }, if anything does."""
    begin = key.find(b"{")
    if begin >= 0:
        end = key.find(b"}", begin + 1)
        if end > begin + 1:
            key = key[begin + 1 : end]
    return crc_hqx(key, 0) % SLOTS


class Slots:
    """The nodes of one cluster: a `Route`."""

    __slots__ = (
        "_clock", "_hosts", "_lost", "_place", "_read_at", "_reading", "_seeds", "_table", "_timeout_us", "_timer",
        "_tls", "_unrouted",
    )  # fmt: skip

    def __init__(self, place: StoreAddress, tls: ssl.SSLContext | None, clock: Clock, timeout_us: int) -> None:
        self._place = place
        self._tls = tls
        self._clock = clock
        self._timeout_us = timeout_us
        self._seeds = place.hosts
        self._hosts: dict[Host, Node] = {}
        self._table: list[Node | None] = [None] * SLOTS
        self._unrouted: list[Pending] = []  # until the table has been read
        self._reading: asyncio.Task[None] | None = None
        self._read_at: int | None = None
        self._lost: Failure | None = None  # why the table cannot be read
        self._timer: Timer | None = None

    @property
    def nodes(self) -> Iterable[Node]:
        """Those that are known now."""
        return self._hosts.values()

    def submit(self, pending: Pending) -> None:
        """To the node of its slot; without a key, to any."""
        node = self._table[slot_of(pending.key)] if pending.key is not None else self._any()
        if node is not None:
            node.submit(pending)
            return
        self._unrouted.append(pending)
        if self._timer is None:
            self._timer = self._clock.call_at(pending.deadline, self._late)
        self._read()

    def retry(self, pending: Pending, reply: str) -> bool:
        """A slot that has moved, or is moving, is followed."""
        word, _, rest = reply.partition(" ")
        node = self._table[slot_of(pending.key)] if pending.key is not None else self._any()
        if word in {"MOVED", "ASK"}:
            pending.tries += 1
            slot, _, address = rest.partition(" ")
            host = _address(address, self._seeds[0].name)
            if pending.tries >= TRIES or host is None or not slot.isdecimal():
                return False
            node = self._node(host)
            if word == "MOVED":
                self._table[int(slot) % SLOTS] = node
                self._read()
            pending.asking = word == "ASK"
            node.submit(pending)
            return True
        if word == "CLUSTERDOWN":
            self._read()
            return False
        if node is None:
            return False
        if "READONLY" in reply[:64]:
            self._read()
        return retry_at(node, pending, reply)

    async def dial(self, key: bytes | None) -> Connection:
        """To the node of this key's slot. Raises `Failure`."""
        if not self._hosts:
            await self._look()
        node = self._table[slot_of(key)] if key is not None else self._any()
        host = next((one for one, known in self._hosts.items() if known is node), None)
        if host is None:
            self._read()
            raise away("no node has this slot")
        return await self._dialler(host)(None)

    def close(self) -> None:
        """For good."""
        if self._timer is not None:
            self._timer.cancel()
        if self._reading is not None:
            self._reading.cancel()
        for node in self._hosts.values():
            node.close()
        self._fail(away("it was closed"))

    def _any(self) -> Node | None:
        nodes = list(self._hosts.values())
        return next((node for node in nodes if node.connected), nodes[0] if nodes else None)

    def _node(self, host: Host) -> Node:
        node = self._hosts.get(host)
        if node is None:
            node = self._hosts[host] = Node(self._dialler(host), self._clock, self._timeout_us, self._read)
        return node

    def _dialler(self, host: Host) -> Dial:
        async def made(gone: Callable[[Connection], None] | None) -> Connection:
            return await dial(host, self._place, self._tls, gone)

        return made

    def _read(self) -> None:
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._reread())

    async def _reread(self) -> None:
        try:
            if self._read_at is not None:
                await self._clock.sleep(self._read_at + AGAIN_US - self._clock.now())
            self._read_at = self._clock.now()
            await self._look()
        except Failure as failure:
            self._fail(failure)
        finally:
            self._reading = None

    async def _look(self) -> None:
        """Ask all that are known and all seeds at once: the first good table holds. Raises `Failure`."""
        loop = asyncio.get_running_loop()
        hosts = dict.fromkeys([*self._hosts, *self._seeds])
        asked = [loop.create_task(self._table_of(host)) for host in hosts]
        failure = away("none of its nodes can be reached")
        limit = self._clock.call_at(self._clock.now() + 4 * self._timeout_us, partial(_cancel, asked))
        try:
            for one in asyncio.as_completed(asked):
                try:
                    host, table = await one
                except Failure as error:
                    failure = error
                    continue
                except asyncio.CancelledError:
                    if not any(task.cancelled() for task in asked):
                        raise
                    continue
                if self._take(table, host):
                    return
                failure = away("its cluster is down: slots without a primary")
            raise failure
        finally:
            limit.cancel()
            _cancel(asked)

    async def _table_of(self, host: Host) -> tuple[Host, Reply]:
        connection = await dial(host, self._place, self._tls)
        try:
            return host, await connection.ask("CLUSTER", "SLOTS")
        finally:
            connection.drop()

    def _take(self, table: Reply, host: Host) -> bool:
        """Rows of CLUSTER SLOTS: first, last, [host, port, …] of the primary, replicas. False: not all are covered."""
        found: list[Node | None] = [None] * SLOTS
        named: set[Host] = set()
        for row in table if isinstance(table, list) else []:
            if not isinstance(row, list) or len(row) < 3 or not isinstance(row[2], list):
                continue
            first, last, primary = row[0], row[1], row[2]
            name, port = primary[0], primary[1]
            if not isinstance(first, int) or not isinstance(last, int) or not isinstance(port, int):
                continue
            at = Host(name.decode() if isinstance(name, bytes) and name not in {b"", b"?"} else host.name, port)
            named.add(at)
            found[first : last + 1] = [self._node(at)] * (last + 1 - first)
        if None in found:
            return False
        self._table = found
        for gone in [one for one in self._hosts if one not in named]:
            self._hosts.pop(gone).close()
        unrouted, self._unrouted = self._unrouted, []
        for pending in unrouted:
            self.submit(pending)
        return True

    def _late(self) -> None:
        self._timer = None
        now = self._clock.now()
        unrouted, self._unrouted = self._unrouted, []
        for pending in unrouted:
            if pending.deadline <= now:
                pending.failed(late(self._timeout_us, sent=False))
            else:
                self._unrouted.append(pending)
        if self._unrouted:
            self._timer = self._clock.call_at(min([one.deadline for one in self._unrouted]), self._late)

    def _fail(self, failure: Failure) -> None:
        unrouted, self._unrouted = self._unrouted, []
        for pending in unrouted:
            pending.failed(failure)


def _cancel(tasks: "list[asyncio.Task[tuple[Host, Reply]]]") -> None:
    for task in tasks:
        task.cancel()


def _address(text: str, usual: str) -> Host | None:
    """`HOST:PORT`, as MOVED and ASK name it; no host = the same as before."""
    name, _, port = text.rpartition(":")
    return Host(name.strip("[]") or usual, int(port)) if port.isdecimal() else None
