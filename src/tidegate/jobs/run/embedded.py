"""The embedded runner: rows are its queue. It claims as places get free, in groups, and runs what it is handed.

One tenant has at most `concurrency` places, however long his provider takes; a third more are kept for others.
"""

import asyncio
from functools import partial
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.records import End, Lease
from tidegate.jobs.run.work import Work
from tidegate.model.jobs import JobSettings
from tidegate.policy.jobs import shares

LOOK_US: Final = 500_000  # without a hint: hints may be lost, and jobs come of age
_GATHER_US: Final = 2_000  # places that get free together are filled together
_LONGEST_US: Final = 5_000_000  # between two looks at a database that is away


class Embedded:
    """Takes the jobs of one backend. `run` until `stop`."""

    __slots__ = (
        "_backend", "_broken", "_concurrency", "_freed", "_lease_us", "_name", "_poked", "_stopping", "_tasks", "_work",
    )  # fmt: skip

    def __init__(self, work: Work, backend: str, settings: JobSettings, name: str) -> None:
        """`name`: as attempts tell who ran them."""
        self._work = work
        self._backend = backend
        self._name = name
        self._poked = asyncio.Event()
        self._freed = asyncio.Event()
        self._tasks: set[asyncio.Task[End | None]] = set()
        self._stopping = False
        self._broken = 0  # looks in a row that the database refused
        self._concurrency = settings.concurrency
        self._lease_us = settings.lease_us

    def change(self, settings: JobSettings) -> None:
        """Other settings from now on."""
        self._concurrency = settings.concurrency
        self._poked.set()
        self._freed.set()

    def poke(self) -> None:
        """There may be something to claim."""
        self._poked.set()

    async def run(self) -> None:
        """Claim and begin. Returns after `stop`."""
        while not self._stopping:
            self._poked.clear()
            self._freed.clear()
            free = shares.places(self._concurrency) - len(self._tasks)
            leases = await self._claimed(free) if free > 0 else []
            for lease in leases:
                self._begin(lease)
            if leases:
                self._work.hints.changed([lease.id for lease in leases])
            if len(leases) < free:
                await self._look_again()
            elif len(self._tasks) >= shares.places(self._concurrency):
                await self._freed.wait()
                await self._work.clock.sleep(_GATHER_US)

    def stop(self) -> None:
        """Claim nothing more. What runs is the work's to end."""
        self._stopping = True
        self._poked.set()
        self._freed.set()

    async def _look_again(self) -> None:
        """When somebody says that there is something, else after a while."""
        clock = self._work.clock
        pause = min(LOOK_US << self._broken, _LONGEST_US)
        timer = clock.call_at(clock.now() + pause, self._poked.set)
        await self._poked.wait()
        timer.cancel()
        if self._freed.is_set():
            await clock.sleep(_GATHER_US)

    async def _claimed(self, most: int) -> list[Lease]:
        work = self._work
        loop = asyncio.get_running_loop()
        now, wall, lease_us = work.clock.now(), work.clock.wall(), self._lease_us + work.leases.slow_us
        claim = partial(work.rows.claim, share=True)
        try:
            leases = await loop.run_in_executor(work.threads, claim, self._backend, most, self._name, lease_us, wall)
        except SQLAlchemyError as error:
            if not self._broken:
                work.log.error("jobs cannot be claimed: the database is away", problem=type(error).__name__)
            self._broken = min(self._broken + 1, 8)
            return []
        if self._broken:
            work.log.info("jobs are claimed again")
        self._broken = 0
        if leases:
            work.leases.took(work.clock.now() - now)
        return leases

    def _begin(self, lease: Lease) -> None:
        task = asyncio.get_running_loop().create_task(self._work.do(lease))
        self._tasks.add(task)
        task.add_done_callback(self._over)

    def _over(self, task: "asyncio.Task[End | None]") -> None:
        if len(self._tasks) >= self._concurrency - 1:  # fewer, and nobody had his share
            self._poked.set()
        self._tasks.discard(task)
        self._freed.set()
        if task.cancelled():
            return
        error = task.exception()
        if error is not None:
            self._work.log.error("a job could not be run: it is taken back with its lease", problem=repr(error))
            return
        end = task.result()
        if end is not None and end.not_before_us:
            self._come_at(end.not_before_us)

    def _come_at(self, wall: int) -> None:
        """A place may be kept for it then: where that is soon, it is not left to chance who looks."""
        clock = self._work.clock
        pause = wall - clock.wall()
        if pause < LOOK_US:
            clock.call_at(clock.now() + pause + 1_000, self._poked.set)
