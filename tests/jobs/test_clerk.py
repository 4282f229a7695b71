"""The clerk: what died is taken back, what is late is buried, what is old is forgotten, brokers come and go."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.jobs.run.setting import HOUR, SECOND, a_job, snapshot
from tests.jobs.run.stage import RUNNER, Flaky, Told
from tidegate.jobs.clerk import Clerk
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.records import End
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DEAD, DONE, QUEUED
from tidegate.observe.log import Log
from tidegate.testing import ManualClock

NOWHERE = "redis://127.0.0.1:1/0"


class Office:
    """A clerk at a desk, on a clock that is turned by hand."""

    def __init__(self, rows: Flaky, state_dir: Path) -> None:
        self.clock = ManualClock()
        self.told = Told()
        self.rows = rows
        self.desk = Desk(snapshot(max_crashes=2), state_dir, self.clock, self.told, Log("test"))
        self.clerk = Clerk(self.desk, snapshot(max_crashes=2))
        self.running = asyncio.get_running_loop().create_task(self.clerk.run())

    def submit(self, name: str, deadline_us: int = HOUR) -> None:
        self.rows.submit([a_job(name, deadline_us=self.clock.wall() + deadline_us)], self.clock.wall())

    def take(self, name: str) -> int:
        """Its fence, for a runner that dies at once."""
        (lease,) = self.rows.claim("", 1, RUNNER, 6 * SECOND, self.clock.wall())
        assert lease.id == name
        return lease.fence

    async def pass_by(self, us: int) -> None:
        """So much time passes; what was begun in threads ends."""
        for _ in range(max(us // SECOND, 1)):
            await self.clock.advance(min(us, SECOND))
            for _ in range(3):
                await self.desk.call_long(int)

    async def until(self, true: Callable[[], bool]) -> None:
        """Time passes until this is so."""
        async with asyncio.timeout(20):
            while not true():
                await self.pass_by(SECOND)

    async def until_told(self, jobs: list[str]) -> None:
        """Time passes until who waits was told of these."""
        await self.until(lambda: self.told.jobs == jobs)


@pytest.fixture
async def office(fresh_rows: JobRows, tmp_path: Path) -> AsyncIterator[Office]:
    made = Office(Flaky(fresh_rows), tmp_path)
    yield made
    made.running.cancel()
    await asyncio.wait([made.running])
    made.desk.close()


async def test_until_the_database_is_open_the_clerk_waits(office: Office) -> None:
    """And then begins."""
    office.submit("job_1")
    office.take("job_1")
    await office.pass_by(10 * SECOND)
    assert office.told.worked == 0
    office.desk.rows = office.rows
    await office.until(lambda: office.told.worked == 1)


async def test_what_died_is_taken_back(office: Office) -> None:
    """When its lease is over; runners and who waits are told. A job over which they die is dead."""
    office.desk.rows = office.rows
    office.submit("job_1")
    for crashes, state in ((1, QUEUED), (2, DEAD)):
        office.take("job_1")
        await office.pass_by(5 * SECOND)
        job = office.rows.find("job_1")
        assert job is not None
        assert job.crashes == crashes - 1
        await office.until_told(["job_1"] * crashes)
        job = office.rows.find("job_1")
        assert job is not None
        assert (job.state, job.crashes) == (state, crashes)
    assert office.told.worked == 1


async def test_what_is_too_late_is_dead(office: Office) -> None:
    """Though nobody ever ran it."""
    office.desk.rows = office.rows
    office.submit("job_1", 3 * SECOND)
    await office.until_told(["job_1"])
    job = office.rows.find("job_1")
    assert job is not None
    assert job.state == DEAD
    assert job.reason.startswith("deadline: ")


async def test_what_is_old_is_forgotten(office: Office) -> None:
    """As long after its end as was said."""
    office.desk.rows = office.rows
    office.submit("job_1")
    office.rows.finish([End(id="job_1", fence=office.take("job_1"), state=DONE)], office.clock.wall())
    office.desk.settings = snapshot(keep_us=90 * SECOND).jobs
    await office.pass_by(70 * SECOND)
    assert office.rows.find("job_1") is not None
    await office.clock.advance(HOUR)
    await office.until(lambda: office.rows.find("job_1") is None)


async def test_a_database_that_is_away_is_told_once(office: Office, capfd: pytest.CaptureFixture[str]) -> None:
    """And again when it is back; the clerk goes on."""
    office.desk.rows = office.rows
    office.rows.away = {"reap"}
    await office.until(lambda: office.rows.done.get("reap", 0) >= 3)
    office.rows.away = set()
    office.submit("job_1", SECOND)
    await office.until_told(["job_1"])
    said: list[str] = []

    def is_back() -> bool:
        said.append(capfd.readouterr().err)
        return "jobs are seen to again" in "".join(said)

    await office.until(is_back)
    assert "".join(said).count("jobs cannot be seen to") == 1


async def test_a_broker_that_is_away_is_known(office: Office) -> None:
    """While the configuration has it."""
    office.desk.rows = office.rows
    assert office.clerk.standing(NOWHERE) == ""
    office.clerk.follow(snapshot(backend=NOWHERE))
    async with asyncio.timeout(20):
        while not office.clerk.standing(NOWHERE):
            await office.pass_by(SECOND)
            await asyncio.get_running_loop().run_in_executor(office.clerk._carriers[NOWHERE]._thread, int)
    assert office.clerk.standing(NOWHERE).startswith("redis://127.0.0.1:1/0 takes no jobs: ")
    office.clerk.follow(snapshot())
    await office.pass_by(SECOND)
    assert office.clerk.standing(NOWHERE) == ""
