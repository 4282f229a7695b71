"""The jobs that this process holds: their leases are renewed, and the rows' word about them is heard."""

import asyncio
from concurrent.futures import Executor as Threads
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.faces import Rows
from tidegate.jobs.records import End, Lease
from tidegate.observe.log import Log
from tidegate.ports import Clock

LOST: Final = "lost"  # it is another's now
CANCEL: Final = "cancel"  # somebody wants it cancelled
STOP: Final = "stop"  # this process is to end
_SOONEST_US: Final = 100_000  # between two renewals, however many pokes come
_SLOWEST_US: Final = 20_000_000


class Leased:
    """One job that runs here. `why` it is broken off, "" = it is not."""

    __slots__ = ("lease", "running", "why")

    def __init__(self, lease: Lease, running: "asyncio.Task[End]") -> None:
        self.lease = lease
        self.running = running
        self.why = ""

    def break_off(self, why: str) -> None:
        """Its call is cancelled; the first reason counts, but for one: what is lost is lost."""
        if not self.why or why == LOST:
            self.why = why
        self.running.cancel()


class Leases:
    """All of them, and the renewal of their leases: `run` until it is cancelled. One transaction for all."""

    __slots__ = (
        "_clock", "_lease_us", "_leased", "_log", "_poked", "_rows", "_threads", "_trouble", "empty", "slow_us",
    )  # fmt: skip

    def __init__(self, rows: Rows, threads: Threads, lease_us: int, clock: Clock, log: Log) -> None:
        self._rows = rows
        self._threads = threads
        self._lease_us = lease_us
        self._clock = clock
        self._log = log
        self._leased: dict[str, Leased] = {}
        self._poked = asyncio.Event()
        self._trouble = False
        self.slow_us = 0  # what the database takes, as of late
        self.empty = asyncio.Event()
        self.empty.set()

    def __len__(self) -> int:
        return len(self._leased)

    def add(self, leased: Leased) -> None:
        """It runs here. What was held of the same job is an older lease, and lost."""
        before = self._leased.get(leased.lease.id)
        if before is not None:
            before.break_off(LOST)
        self._leased[leased.lease.id] = leased
        self.empty.clear()

    def drop(self, leased: Leased) -> None:
        """It has ended, or is lost."""
        if self._leased.get(leased.lease.id) is leased:
            del self._leased[leased.lease.id]
        if not self._leased:
            self.empty.set()

    def changed(self, jobs: list[str]) -> None:
        """Somebody says that these have another state: where one is ours, the rows are asked at once."""
        if not self._leased.keys().isdisjoint(jobs):
            self._poked.set()

    def took(self, us: int) -> None:
        """A transaction about leases took so long: theirs are longer by that, since a lease begins before it does."""
        self.slow_us = min(us, _SLOWEST_US)
        if us > self._lease_us // 3:
            self._poked.set()

    def break_all(self, why: str) -> None:
        """Let go of everything."""
        for leased in self._leased.values():
            leased.break_off(why)

    async def run(self) -> None:
        """Renew, three times in the length of a lease."""
        while True:
            await self._pause()
            if self._leased:
                await self._renew()

    async def _pause(self) -> None:
        await self._clock.sleep(_SOONEST_US)
        timer = self._clock.call_at(self._clock.now() + self._lease_us // 3 - _SOONEST_US, self._poked.set)
        await self._poked.wait()
        timer.cancel()
        self._poked.clear()

    async def _renew(self) -> None:
        known = dict(self._leased)
        fences = {job: leased.lease.fence for job, leased in known.items()}
        loop = asyncio.get_running_loop()
        now, wall, lease_us = self._clock.now(), self._clock.wall(), self._lease_us + self.slow_us
        try:
            told = await loop.run_in_executor(self._threads, self._rows.renew, fences, lease_us, wall)
        except SQLAlchemyError:
            if not self._trouble:
                self._log.error("leases of jobs cannot be renewed: who runs them may be taken for dead")
            self._trouble = True
            return
        self._trouble = False
        self.took(self._clock.now() - now)
        for job, word in told.items():
            leased = known[job]
            if self._leased.get(job) is leased:
                leased.break_off(word)
