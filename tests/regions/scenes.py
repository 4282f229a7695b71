"""A node of a region beside one worker, around a real store, by a clock that is turned by hand."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec

from tidegate.model.portions import FRAME, Dimension, Portion, Row, Spending
from tidegate.model.regions import SOCKET, RegionSettings
from tidegate.observe.log import Log
from tidegate.regions.keeper import RegionAgent
from tidegate.regions.open import open_store
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle

NAMES = ("ap", "eu", "us")
QUOTA = "service/keys/model"
LIMIT = 60_000
LEASE = 8 * SECOND
FLOOR = 50_000


class Heard(Log):
    """Keeps what would be written."""

    __slots__ = ("events",)

    def __init__(self) -> None:
        super().__init__("test")
        self.events: list[str] = []

    def _write(self, level: str, event: str, fields: dict[str, object]) -> None:
        self.events.append(f"{level}: {event}")


class Worker:
    """A worker that speaks the protocol. It keeps to what it was told when `obeys`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self.obeys = True
        self.told: Portion | None = None
        self.sent = self.waits = 0
        self._kept = (0, 0)

    async def speak(self) -> None:
        """Report, and hear what may be spent."""
        if self.obeys and self.told is not None:
            self._kept = self.told.epoch, self.told.seq
        dims = [Dimension(self.sent, self.waits, LIMIT, 60 * SECOND)]
        payload = msgspec.msgpack.encode(Spending(0, [Row(QUOTA, "openai/main/m", 0, *self._kept, dims)]))
        self.writer.write(FRAME.pack(len(payload)) + payload)
        await self.hear()

    async def hear(self) -> None:
        """One answer."""
        (size,) = FRAME.unpack(await self._reader.readexactly(FRAME.size))
        for portion in msgspec.msgpack.decode(await self._reader.readexactly(size), type=list[Portion]):
            self.told = portion


class Node:
    """One region."""

    def __init__(self, name: str, url: str, prefix: str, clock: ManualClock) -> None:
        self.settings = RegionSettings(name, NAMES, url, prefix, "node", FLOOR, LEASE, SECOND, 3 * SECOND)
        self.log = Heard()
        self.clock = clock
        self.url = url
        self.begin()

    def begin(self) -> None:
        """The process starts, without memory."""
        settings = self.settings
        self.keeper = RegionAgent(
            settings, open_store(self.url, settings.prefix, settings.timeout_us), self.clock, self.log
        )

    @property
    def part(self) -> int:
        return self.keeper.party.part(QUOTA, self.clock.now())


class World:
    """Three regions, each with a worker."""

    def __init__(self, url: str, prefix: str) -> None:
        self.clock = ManualClock(100 * SECOND)
        self.nodes = [Node(name, url, prefix, self.clock) for name in NAMES]
        self.workers: list[Worker] = []

    async def play(self, seconds: int, nodes: Sequence[int] = (0, 1, 2)) -> None:
        """A beat a second; workers report before each, and hear after it."""
        for _ in range(seconds):
            await self.clock.advance(SECOND)
            for number in nodes:
                await self.workers[number].speak()
                await self.nodes[number].keeper.beat()
                await self.workers[number].hear()
                assert sum(node.part for node in self.nodes) <= 1_000_000

    @property
    def parts(self) -> dict[str, int]:
        return {node.settings.name: node.part for node in self.nodes}


@asynccontextmanager
async def world(url: str, prefix: str) -> AsyncIterator[World]:
    """Servers and lines until the end of the block."""
    made = World(url, prefix)
    async with AsyncExitStack() as stack:
        for node in made.nodes:
            made.workers.append(await attached(stack, node))
        yield made
        for worker in made.workers:
            worker.writer.close()
        for node in made.nodes:
            await node.keeper._store.close()
        await settle()


async def attached(stack: AsyncExitStack, node: Node) -> Worker:
    """A worker on the node's socket."""
    home = Path(tempfile.mkdtemp(prefix="tidegate-regions-"))
    server = await asyncio.start_unix_server(node.keeper.workers.serve, str(home / SOCKET))

    async def close() -> None:
        server.close()
        shutil.rmtree(home)

    stack.push_async_callback(close)
    reader, writer = await asyncio.open_unix_connection(str(home / SOCKET))
    return Worker(reader, writer)
