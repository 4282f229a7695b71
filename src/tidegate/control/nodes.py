"""A node among those of its cluster: what control processes call out to each other, and what they share.

One connection to ask by and one to listen on, opened when the configuration in force names a shared state, and opened
anew when it names another. Nothing of it is imported before.
"""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tidegate.control.declared import Declaration
from tidegate.control.sharing import Sharing
from tidegate.model.cluster import SOCKET, ClusterSettings
from tidegate.observe.log import Log
from tidegate.ports import Clock

if TYPE_CHECKING:
    from tidegate.cluster.news import News

DIRECTORY: Final = b"directory"  # something stands in the database's news
CONFIGURATION: Final = b"configuration"  # something stands in the record of the configuration
_LOOK_US: Final = 250_000
_TIMEOUT_US: Final = 1_000_000


class Nodes:
    """`run` until it is cancelled. `ring` may be called by any thread."""

    __slots__ = ("_clock", "_declaration", "_log", "_loop", "_news", "_poke", "_sharing", "_tasks")

    def __init__(
        self, declaration: Declaration, sharing: Sharing, poke: Callable[[], None], clock: Clock, log: Log
    ) -> None:
        """`poke`: another node changed something in the database; for any thread."""
        self._declaration = declaration
        self._sharing = sharing
        self._poke = poke
        self._clock = clock
        self._log = log
        self._loop: asyncio.AbstractEventLoop | None = None
        self._news: News | None = None
        self._tasks: set[asyncio.Task[bool]] = set()

    @property
    def deaf(self) -> bool:
        """There are other nodes, and what they call out is not heard: who follows them looks more often."""
        return self._news is not None and not self._news.listening

    def ring(self) -> None:
        """The other nodes have something to follow in the database."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._tell, DIRECTORY)

    async def run(self) -> None:
        """Follow what the configuration in force names."""
        self._loop = asyncio.get_running_loop()
        while True:
            settings = self._declaration.now.cluster
            if not settings.url or settings.url.endswith(f"/{SOCKET}"):  # none, or that of this node alone
                await self._while(settings)
                continue
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(self._join(settings))
                    await self._while(settings)
                    raise _Another
            except* _Another:
                self._news = None

    async def _while(self, settings: ClusterSettings) -> None:
        while self._declaration.now.cluster == settings:
            await self._clock.sleep(_LOOK_US)

    async def _join(self, settings: ClusterSettings) -> None:
        from tidegate.cluster.client import StoreClient  # noqa: PLC0415 - a gate by itself needs none of it
        from tidegate.cluster.configuration import Record  # noqa: PLC0415
        from tidegate.cluster.news import News  # noqa: PLC0415
        from tidegate.cluster.url import parse  # noqa: PLC0415

        client = StoreClient(parse(settings.url), self._clock, max(settings.timeout_us, _TIMEOUT_US))
        try:
            news = self._news = News(client, settings.prefix, self._clock)
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(news.follow(self._heard, self._missed))
                if settings.configuration == "shared":
                    record = Record(client, settings.prefix, settings.node)
                    tasks.create_task(self._sharing.run(record, self._propose))
        finally:
            client.close()

    def _propose(self) -> None:
        self._tell(CONFIGURATION)

    def _tell(self, kind: bytes) -> None:
        """Who does not hear it looks by itself, a little later."""
        if self._news is not None:
            task = asyncio.get_running_loop().create_task(self._news.insist(kind))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _heard(self, kind: bytes, _payload: bytes) -> None:
        if kind == DIRECTORY:
            self._poke()
        elif kind == CONFIGURATION:
            self._sharing.poke()

    def _missed(self) -> None:
        self._poke()
        self._sharing.poke()


class _Another(Exception):
    """The configuration in force names another shared state."""
