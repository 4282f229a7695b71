"""How attempts ended, on their way to the rows: many in one transaction, and none given up while its job is held."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor as Threads
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from tidegate.jobs.faces import Hints, Rows
from tidegate.jobs.records import End
from tidegate.model.jobs import QUEUED
from tidegate.observe.log import Log
from tidegate.ports import Clock

GATHER_US: Final = 8_000  # what ends so soon after another goes with it
MOST: Final = 256  # of a transaction
MOST_BYTES: Final = 16_777_216  # of its answers; a larger one goes alone
_PAUSE_US: Final = 100_000  # after the database refused, doubled each time
_LONGEST_US: Final = 2_000_000


class Waiting:
    """An end that is not in the rows yet. `taken`: whether it counts, once somebody knows."""

    __slots__ = ("end", "size", "taken")

    def __init__(self, end: End, taken: "asyncio.Future[bool]") -> None:
        self.end = end
        self.size = len(end.result.body) if end.result is not None else 0
        self.taken = taken


class Ends:
    """Writes ends in groups, on the running event loop: `run` until it is cancelled. Memory: what its callers hold."""

    __slots__ = ("_clock", "_down", "_hints", "_log", "_many", "_new", "_rows", "_threads", "_waiting")

    def __init__(self, rows: Rows, threads: Threads, hints: Hints, clock: Clock, log: Log) -> None:
        self._rows = rows
        self._threads = threads
        self._hints = hints
        self._clock = clock
        self._log = log
        self._waiting: list[Waiting] = []
        self._new = asyncio.Event()
        self._down = False
        self._many = False  # ended together of late: a lone one is not held up

    async def put(self, end: End) -> bool:
        """Returns when it is in the rows, however long the database is away. False: it came too late, and is dropped.

        Cancelled, it is written all the same while `run` runs.
        """
        one = Waiting(end, asyncio.get_running_loop().create_future())
        self._waiting.append(one)
        self._new.set()
        return await asyncio.shield(one.taken)

    async def run(self) -> None:
        """Write what ends. While one transaction is under way, the next one gathers."""
        while True:
            await self._new.wait()
            self._new.clear()
            if self._many and len(self._waiting) < MOST:
                await self._clock.sleep(GATHER_US)
            while self._waiting:
                group = self._next()
                await self._write(group)
                self._many = len(group) > 1

    def _next(self) -> list[Waiting]:
        size = count = 0
        for one in self._waiting[:MOST]:
            size += one.size
            if count and size > MOST_BYTES:
                break
            count += 1
        group, self._waiting = self._waiting[:count], self._waiting[count:]
        return group

    async def _write(self, group: Sequence[Waiting]) -> None:
        pause = _PAUSE_US
        while (taken := await self._tried(group)) is None:
            await self._clock.sleep(pause)
            pause = min(2 * pause, _LONGEST_US)
        self._tell([one.end for one, counts in zip(group, taken, strict=True) if counts])
        for one, counts in zip(group, taken, strict=True):
            if not one.taken.done():
                one.taken.set_result(counts)

    def _tell(self, written: Sequence[End]) -> None:
        if written:
            self._hints.changed([end.id for end in written])
        if any(end.state == QUEUED and not end.not_before_us for end in written):
            self._hints.work()  # what was handed back is another runner's at once

    async def _tried(self, group: Sequence[Waiting]) -> list[bool] | None:
        """None: the database is away."""
        loop = asyncio.get_running_loop()
        ends = [one.end for one in group]
        try:
            taken = await loop.run_in_executor(self._threads, self._rows.finish, ends, self._clock.wall())
        except SQLAlchemyError as error:
            if not self._down:
                self._log.error("ends of jobs cannot be written: they are kept, and tried again", problem=_told(error))
            self._down = True
            return None
        if self._down:
            self._log.info("ends of jobs are written again")
        self._down = False
        return taken


def _told(error: SQLAlchemyError) -> str:
    """Without the statement and what stood in it."""
    return str(getattr(error, "orig", None) or type(error).__name__).partition("\n")[0][:300]
