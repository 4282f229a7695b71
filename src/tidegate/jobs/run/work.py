"""A job from its lease to its end in the rows. Used by whoever hands out leases: the embedded runner, and Celery's."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

from tidegate.jobs.faces import Hints, Rows
from tidegate.jobs.records import End, Lease
from tidegate.jobs.run.ends import Ends
from tidegate.jobs.run.executor import Executor
from tidegate.jobs.run.leases import CANCEL, LOST, STOP, Leased, Leases
from tidegate.model.jobs import CANCELLED, QUEUED
from tidegate.observe.log import Log
from tidegate.ports import Clock
from tidegate.wire.limit import TimeLimit

_THREADS: Final = 3  # claim, finish and renew: none waits for another


class Silent:
    """`faces.Hints` that nobody hears."""

    __slots__ = ()

    def work(self) -> None:
        return

    def changed(self, jobs: Sequence[str]) -> None:
        return


class Work:
    """What one process runs. Made on its event loop: `start`, any number of `do`, `stop`."""

    __slots__ = ("_ends", "_tasks", "broken", "clock", "executor", "hints", "leases", "log", "rows", "threads")

    def __init__(
        self, rows: Rows, executor: Executor, lease_us: int, clock: Clock, log: Log, hints: Hints | None = None
    ) -> None:
        """`hints`: who waits for these jobs is told when they end."""
        self.hints = hints or Silent()
        self.rows = rows
        self.executor = executor
        self.clock = clock
        self.log = log
        self.threads = ThreadPoolExecutor(_THREADS, "rows")
        self.leases = Leases(rows, self.threads, lease_us, clock, log)
        self._ends = Ends(rows, self.threads, self.hints, clock, log)
        self._tasks: list[asyncio.Task[None]] = []
        self.broken: asyncio.Future[None] = asyncio.get_running_loop().create_future()  # fails: nothing goes on here

    def start(self) -> None:
        """Renew and write, from now on."""
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(self.leases.run()), loop.create_task(self._ends.run())]
        for task in self._tasks:
            task.add_done_callback(self._over)

    def __len__(self) -> int:
        """How many run here."""
        return len(self.leases)

    def changed(self, jobs: list[str]) -> None:
        """A hint: these have another state. One that is cancelled is broken off at once."""
        self.leases.changed(jobs)

    async def do(self, lease: Lease) -> End | None:
        """Run it; returns when its end is in the rows. None: it was lost, and nothing of it counts."""
        if lease.cancelling:
            return await self._finished(_broken_off(lease, CANCEL, 0))
        began = self.clock.wall()
        leased = Leased(lease, asyncio.get_running_loop().create_task(self.executor.run(lease)))
        self.leases.add(leased)
        try:
            end = await self._end_of(leased, began)
            return None if end is None else await self._finished(end)
        finally:
            leased.running.cancel()
            self.leases.drop(leased)

    async def stop(self, grace_us: int, commit_us: int) -> None:
        """What runs has so long to end; the rest is handed back, as if it had not begun, and written in `commit_us`."""
        await self._empty(grace_us)
        self.leases.break_all(STOP)
        await self._empty(commit_us)
        for task in self._tasks:
            task.cancel()
        self.threads.shutdown(wait=False, cancel_futures=True)
        self.executor.close()

    async def _empty(self, within_us: int) -> None:
        with suppress(TimeoutError):
            async with TimeLimit(self.clock, self.clock.now() + within_us):
                await self.leases.empty.wait()

    def _over(self, task: "asyncio.Task[None]") -> None:
        if not task.cancelled() and not self.broken.done():
            self.broken.set_exception(task.exception() or RuntimeError("it ended"))

    async def _end_of(self, leased: Leased, began: int) -> End | None:
        """None: it is lost. Raises `CancelledError` when it is us who are cancelled."""
        await asyncio.wait([leased.running])
        if leased.why == LOST:
            return None
        if leased.running.cancelled():
            return _broken_off(leased.lease, leased.why, began)
        return leased.running.result()

    async def _finished(self, end: End) -> End | None:
        return end if await self._ends.put(end) else None


def _broken_off(lease: Lease, why: str, began: int) -> End:
    if why == CANCEL:
        return End(id=lease.id, fence=lease.fence, state=CANCELLED, reason="cancelled: as it was asked", began_us=began)
    reason = "stopped: its runner was told to end; another one takes it"
    return End(id=lease.id, fence=lease.fence, state=QUEUED, reason=reason, counts=False, began_us=began)
