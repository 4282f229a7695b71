"""An embedded runner over real rows, and how a test waits for what becomes of its jobs."""

import asyncio
from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.exc import OperationalError

from tests.jobs.run.setting import a_job, snapshot
from tests.jobs.run.standin import Standin
from tidegate.clock import SystemClock
from tidegate.jobs.records import End, Job, Lease, Reaped
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.run.embedded import Embedded
from tidegate.jobs.run.executor import Executor
from tidegate.jobs.run.work import Work
from tidegate.model.jobs import EMBEDDED, JobSettings
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log

RUNNER = "runner-0"


class Flaky(JobRows):
    """Real rows whose database can be cut off; and how often each of a runner's transactions was done."""

    __slots__ = ("away", "defect", "done", "loop", "turn")

    def __init__(self, rows: JobRows) -> None:
        super().__init__(rows.engine)
        self.away: set[str] = set()
        self.defect = ""
        self.done: dict[str, int] = {}
        self.turn = asyncio.Condition()
        self.loop = asyncio.get_running_loop()

    def claim(
        self, backend: str, most: int, runner: str, lease_us: int, wall: int, *, share: bool = False
    ) -> list[Lease]:
        self._count("claim")
        return super().claim(backend, most, runner, lease_us, wall, share=share)

    def renew(self, held: Mapping[str, int], lease_us: int, wall: int) -> dict[str, str]:
        self._count("renew")
        return super().renew(held, lease_us, wall)

    def finish(self, ends: Sequence[End], wall: int) -> list[bool]:
        self._count("finish")
        return super().finish(ends, wall)

    def reap(self, max_crashes: int, wall: int) -> Reaped:
        self._count("reap")
        return super().reap(max_crashes, wall)

    def _count(self, name: str) -> None:
        self.done[name] = self.done.get(name, 0) + 1
        asyncio.run_coroutine_threadsafe(self._notify(), self.loop)
        if name == self.defect:
            raise ZeroDivisionError
        if name in self.away:
            raise OperationalError("statement", {}, Exception("away"))

    async def _notify(self) -> None:
        async with self.turn:
            self.turn.notify_all()

    async def until(self, name: str, times: int) -> None:
        """It was tried so often."""
        async with self.turn:
            await self.turn.wait_for(lambda: self.done.get(name, 0) >= times)


class Told:
    """`Hints`, and a way to wait for them."""

    def __init__(self) -> None:
        self.jobs: list[str] = []
        self.worked = 0
        self._any = asyncio.Event()

    def work(self) -> None:
        self.worked += 1
        self._any.set()

    def changed(self, jobs: Sequence[str]) -> None:
        self.jobs += jobs
        self._any.set()

    async def until(self, true: Callable[[], bool]) -> None:
        """Looked at after each hint."""
        async with asyncio.timeout(20):
            while not true():
                self._any.clear()
                await self._any.wait()


class Stage:
    """A runner and its gate."""

    def __init__(self, rows: JobRows, gate: Standin, executor: Executor, settings: Snapshot, log: Log) -> None:
        self.rows = Flaky(rows)
        self.gate = gate
        self.clock = SystemClock()
        self.told = Told()
        self.settings: JobSettings = settings.jobs
        self.work = Work(self.rows, executor, self.settings.lease_us, self.clock, log, self.told)
        self.embedded = Embedded(self.work, EMBEDDED, self.settings, RUNNER)
        self._running: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to run what is due."""
        self.work.start()
        self._running = asyncio.get_running_loop().create_task(self.embedded.run())

    def submit(self, *names: str, **changed: object) -> None:
        """Jobs that are due, and a hint."""
        self.rows.submit([a_job(name, **changed) for name in names], self.clock.wall())
        self.embedded.poke()

    def job(self, name: str) -> Job:
        """As it stands."""
        found = self.rows.find(name)
        assert found is not None
        return found

    async def ended(self, *names: str) -> list[Job]:
        """The jobs, when somebody was told that each is in one of its last states."""
        await self.told.until(lambda: all(self.job(name).finished_us for name in names))
        return [self.job(name) for name in names]

    async def stop(self, grace_us: int = 0) -> None:
        """As a process that is told to end."""
        if self._running is not None:
            self.embedded.stop()
            await self._running
            self._running = None
            await self.work.stop(grace_us, 5_000_000)


def settings_for(url: str, **jobs: object) -> Snapshot:
    """Fast, where nothing else is said."""
    return snapshot(**({"gate_url": url, "base_us": 1_000, "cap_us": 2_000} | jobs))
