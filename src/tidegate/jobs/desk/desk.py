"""What all who work at the desk share: the rows, the settings in force, time, and threads for what blocks."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Final, TypeVar, TypeVarTuple

from tidegate.jobs.desk.budget import Budget
from tidegate.jobs.desk.errors import Unavailable
from tidegate.jobs.faces import Hints
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import EMBEDDED, JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.ports import Clock

_THREADS: Final = 8  # for requests; more would only wait for the database's lock
_LONG_THREADS: Final = 4
_MOST: Final = 256  # requests that run in threads or wait for one
_LATE_SECONDS: Final = 30.0  # a database that has said nothing for so long hangs

_T = TypeVar("_T")
_A = TypeVarTuple("_A")


class Desk:
    """Nothing here blocks the event loop. `rows` is set when the database is open, and `down` when somebody knows."""

    __slots__ = (
        "_backends", "_long", "_places", "_rows", "_threads", "budget", "clock", "down", "hints", "log",
        "max_body_bytes", "settings", "state_dir", "tls", "tried",
    )  # fmt: skip

    def __init__(self, snapshot: Snapshot, state_dir: Path, clock: Clock, hints: Hints, log: Log) -> None:
        self.settings = JobSettings()
        self.max_body_bytes = 0
        self.tls = False  # the gate's own port speaks it
        self.state_dir = state_dir
        self.clock = clock
        self.hints = hints
        self.log = log
        self.down: Callable[[str], str] = _standing  # why a backend cannot be reached, "" = it can
        self.budget = Budget()
        self._backends: dict[str, str] = {}
        self._rows: JobRows | None = None
        self.tried = asyncio.Event()  # the database was opened, or could not be
        self._threads = ThreadPoolExecutor(_THREADS, "rows")
        self._long = ThreadPoolExecutor(_LONG_THREADS, "long")
        self._places = threading.BoundedSemaphore(_MOST)
        self.follow(snapshot)

    def follow(self, snapshot: Snapshot) -> None:
        """Another configuration is in force. What is under way ends as it began. O(strategies)."""
        self.settings = snapshot.jobs
        if self._rows is not None:
            self._rows.max_queued = snapshot.jobs.max_queued
        self.max_body_bytes = snapshot.server.max_body_bytes
        self.tls = snapshot.server.tls is not None
        named = ((one.name, one.queue_backend) for one in snapshot.strategies if one.queue_backend)
        self._backends = {name: embedded_or(backend) for name, backend in named}

    @property
    def rows(self) -> JobRows:
        """The truth. Raises `Unavailable` while the database is not open."""
        if self._rows is None:
            raise Unavailable("The gate's database for jobs cannot be opened yet. Try again in a moment.")
        return self._rows

    @rows.setter
    def rows(self, rows: JobRows) -> None:
        rows.max_queued = self.settings.max_queued
        self._rows = rows
        self.tried.set()

    @property
    def open(self) -> bool:
        """Whether there are rows."""
        return self._rows is not None

    def backend_of(self, model: str) -> str:
        """What carries a job for this model or strategy. O(1)."""
        backend = self._backends.get(model)
        return embedded_or(self.settings.backend) if backend is None else backend

    async def call(self, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        """Run what a request waits for in a thread.

        Raises what it raises, and `Unavailable` where too many wait already or nothing was said for 30 s; what runs
        then runs on, and nobody hears how it ends.
        """
        if not self._places.acquire(blocking=False):
            raise Unavailable("The gate's database for jobs does not keep up. Try again in a moment.")
        running = self._threads.submit(function, *arguments)
        running.add_done_callback(self._left)
        late = asyncio.timeout(_LATE_SECONDS)
        try:
            async with late:
                return await asyncio.wrap_future(running)
        except TimeoutError:
            if not late.expired():
                raise
            raise Unavailable("The gate's database for jobs does not answer. Try again in a moment.") from None

    async def call_long(self, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        """The same for what no request waits for, however long it takes, in threads of its own."""
        return await asyncio.wrap_future(self._long.submit(function, *arguments))

    def close(self) -> None:
        """Take nothing new; what runs is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._long.shutdown(wait=False, cancel_futures=True)

    def _left(self, _running: "Future[_T]") -> None:
        self._places.release()


def _standing(_backend: str) -> str:
    return ""


def embedded_or(backend: str) -> str:
    """A backend as jobs know it: "" for the rows themselves, however the file says it."""
    return EMBEDDED if backend.startswith("sqlite") else backend
