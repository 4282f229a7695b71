"""Composition of the desk's process: what it opens, whom it answers, and who works beside."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

from tidegate.jobs.batches import BatchWorker, routes
from tidegate.jobs.clerk import Clerk
from tidegate.jobs.desk.app import app
from tidegate.jobs.desk.base import open_base
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.server import DeskServer
from tidegate.jobs.desk.watch import Watch
from tidegate.jobs.hints import DESK, Ear, UnixHints
from tidegate.jobs.hooks.sender import Sender
from tidegate.jobs.run.footing import COMMIT_US, GRACE_US
from tidegate.model.jobs import SOCKET
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.ports import Clock

_AGAIN_US: Final = 1_000_000  # after a defect
_LOOK_US: Final = 50_000
_SAYING_US: Final = 2_000_000  # for those who wait to be told that it ends


class Process:
    """All of it. `start`, then `drain`, then `close`. Needs a running event loop."""

    __slots__ = (
        "_clerk", "_clock", "_desk", "_drain_us", "_ear", "_hints", "_log", "_sender", "_server", "_serving",
        "_tasks", "_unmoved", "_watch",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, state_dir: Path, clock: Clock, log: Log, ready: Callable[[], None]) -> None:
        """`ready` is called when it listens. Raises `OSError`."""
        self._clock = clock
        self._log = log
        self._hints = UnixHints(state_dir)  # to the desk too: what is taken here is the clerk's to give
        self._desk = Desk(snapshot, state_dir, clock, self._hints, log)
        self._clerk = Clerk(self._desk, snapshot)
        self._desk.down = self._clerk.standing
        self._watch = Watch(self._desk)
        self._sender = Sender(self._desk)
        self._drain_us = snapshot.server.drain_timeout_us
        self._unmoved = _unmoved(snapshot)
        more = routes(self._desk, lambda: self._watch.ending)
        self._server = DeskServer(app(self._desk, self._watch, more), state_dir / SOCKET, ready)
        self._ear = Ear(state_dir, DESK, self._worked, self._changed)
        self._tasks: list[asyncio.Task[None]] = []
        self._serving: asyncio.Task[None] | None = None
        if self._ear.deaf:
            log.warning("the desk hears no hints: it looks by itself, and a little later", problem=self._ear.deaf)

    def start(self) -> None:
        """Serve at once, and open the database meanwhile."""
        loop = asyncio.get_running_loop()
        self._serving = loop.create_task(self._server.serve())
        works: list[Callable[[], Awaitable[None]]] = [
            self._watch.run,
            self._clerk.run,
            self._sender.run,
            BatchWorker(self._desk).run,
        ]
        self._tasks = [loop.create_task(self._keep(work)) for work in works]
        self._tasks.append(loop.create_task(open_base(self._desk, self._unmoved[1])))

    def follow(self, snapshot: Snapshot) -> bool:
        """Another configuration. False: it needs another process."""
        if _unmoved(snapshot) != self._unmoved:
            return False
        self._drain_us = snapshot.server.drain_timeout_us
        self._desk.follow(snapshot)
        self._clerk.follow(snapshot)
        return True

    async def drain(self) -> None:
        """Answer the calls that are held here while the gate's runners may still end their jobs; others may come back.

        Those runners were told to end at the same time: what they have not ended by then goes on when the gate is back.
        """
        self._watch.end()
        if await self._idle(min(self._drain_us - _SAYING_US, GRACE_US + COMMIT_US)):
            return
        self._watch.close()
        await self._idle(_SAYING_US)

    async def close(self) -> None:
        """Serve no more. What is under way in threads is not waited for."""
        self._server.should_exit = True
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._serving is not None:
            await asyncio.gather(self._serving, return_exceptions=True)
        self._ear.close()
        self._hints.close()
        self._desk.close()

    async def _idle(self, longest_us: int) -> bool:
        """Wait until nobody is being answered. False: it took too long."""
        until = self._clock.now() + longest_us
        while self._server.busy and self._clock.now() < until:
            await self._clock.sleep(_LOOK_US)
        return not self._server.busy

    async def _keep(self, work: Callable[[], Awaitable[None]]) -> None:
        """A defect of one does not end the others, nor itself."""
        while True:
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told and tried again
                self._log.error("a part of the desk failed and begins anew", problem=repr(error))
            await self._clock.sleep(_AGAIN_US)

    def _worked(self) -> None:
        """Somebody has put jobs in the rows."""
        self._clerk.poke()

    def _changed(self, jobs: list[str]) -> None:
        self._watch.poke(jobs)
        self._clerk.poke()
        self._sender.poke()


def _unmoved(snapshot: Snapshot) -> tuple[str, str, str]:
    """What a process cannot change while it lives."""
    return snapshot.jobs.database, snapshot.ledger.database, snapshot.jobs.files
