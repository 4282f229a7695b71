"""Answers in an SQLite file of the state directory, which all workers of the gate share.

SQLite is used in a thread of its own: reads before writes, so that a call never waits behind what nobody waits for. The
loop hands over jobs and is told by callback; a job whose caller has gone is skipped.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tidegate.cache.layer import Log
from tidegate.cache.shelf import Shelf
from tidegate.ports import Clock, StoreError

NAME = "cache.sqlite"
MAX_JOBS = 2_000  # a disk that stands still is not asked for more
TRIES = 40  # of 5 ms, while another process writes

T = TypeVar("T")


class _Job:
    """One thing to do on the thread."""

    __slots__ = ("future", "loop", "tries", "work")

    def __init__(self, work: Callable[[], object]) -> None:
        self.work = work
        self.tries = TRIES
        self.loop = asyncio.get_running_loop()
        self.future: asyncio.Future[Any] = self.loop.create_future()

    def run(self) -> bool:
        """Do it, unless nobody waits for it any more. False: another process writes, it is to be tried again."""
        if self.future.cancelled():
            return True
        try:
            done: object = self.work()
        except sqlite3.Error as error:
            self.tries -= 1
            if self.tries > 0 and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                return False
            self._tell(partial(_fail, self.future, StoreError(_words(error))))
        except OSError as error:
            self._tell(partial(_fail, self.future, StoreError(f"the disk: {error.strerror}")))
        except Exception as error:  # noqa: BLE001 - a defect of ours must not end the thread
            self._tell(partial(_fail, self.future, error))
        else:
            self._tell(partial(_succeed, self.future, done))
        return True

    def _tell(self, callback: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended
            self.loop.call_soon_threadsafe(callback)


class Disk:
    """`ports.AnswerStore`. The file is made when it is first used; it has at most `max_bytes` and its log beside it."""

    __slots__ = ("_closed", "_reads", "_shelf", "_thread", "_turn", "_writes")

    def __init__(self, path: Path, max_bytes: int, clock: Clock, log: Log) -> None:
        """Nothing is opened yet. The directory of `path` exists."""
        self._shelf = Shelf(path, max_bytes, clock, log)
        self._reads: deque[_Job] = deque()
        self._writes: deque[_Job] = deque()
        self._turn = threading.Condition()
        self._closed = False
        self._thread: threading.Thread | None = None

    @property
    def name(self) -> str:
        """`disk`."""
        return "disk"

    @property
    def holds(self) -> tuple[int, int]:
        """Frames, and bytes of the file that are in use, as of the last write of this process."""
        return self._shelf.entries, self._shelf.bytes

    async def get(self, key: bytes) -> bytes | None:
        """The frame under this key. Raises `StoreError`."""
        return await self._do(self._reads, partial(self._shelf.get, key))

    async def put(self, key: bytes, frame: bytes, until_us: int) -> None:
        """Keep it until then. Raises `StoreError`."""
        await self._do(self._writes, partial(self._shelf.put, key, frame, until_us))

    async def drop(self, key: bytes) -> None:
        """Forget it. Raises `StoreError`."""
        await self._do(self._writes, partial(self._shelf.drop, key))

    async def close(self) -> None:
        """Let go of the file when what was asked is done. Harmless the second time."""
        if self._closed:
            return
        job = _Job(self._shelf.close)
        with self._turn:
            self._closed = True
            self._writes.append(job)
            self._turn.notify()
        if self._thread is None:
            job.run()
        await job.future

    async def _do(self, line: deque[_Job], work: Callable[[], T]) -> T:
        job = _Job(work)
        with self._turn:
            if self._closed:
                raise StoreError("it is closed")
            if len(line) >= MAX_JOBS:
                raise StoreError("the disk is too slow: too much waits for it")
            line.append(job)
            self._turn.notify()
        if self._thread is None:
            # It must not hold the process that ends, however slow the disk is.
            self._thread = threading.Thread(target=self._run, name="tidegate-cache-disk", daemon=True)
            self._thread.start()
        done: T = await job.future
        return done

    def _run(self) -> None:
        """The thread. It ends when the file is closed and nothing is left."""
        while True:
            with self._turn:
                while not self._reads and not self._writes:
                    if self._closed:
                        return
                    self._turn.wait()
                job = self._reads.popleft() if self._reads else self._writes.popleft()
            if not job.run():
                with self._turn:
                    self._writes.appendleft(job)  # reads go on meanwhile


def _succeed(future: "asyncio.Future[Any]", done: object) -> None:
    if not future.done():
        future.set_result(done)


def _fail(future: "asyncio.Future[Any]", error: Exception) -> None:
    if not future.done():
        future.set_exception(error)


def _words(error: sqlite3.Error) -> str:
    """SQLite's own, which hold nothing of what is stored."""
    return f"SQLite: {error}"
