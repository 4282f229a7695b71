"""What a thread of Celery's does with a message, on real rows whose database is away now and then."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from tests.jobs.run.setting import a_job, luck, snapshot
from tests.jobs.run.standin import Standin, reply
from tidegate.clock import SystemClock
from tidegate.jobs.celery import hands as room
from tidegate.jobs.celery.hands import LOST, OLD, GivenBack, Hands
from tidegate.jobs.records import Dispatch, End, Lease
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.run.executor import executor_of
from tidegate.jobs.run.work import Work
from tidegate.model.jobs import DONE, QUEUED
from tidegate.observe.log import Log

SECOND = 1_000_000


class Flaky(JobRows):
    """Rows whose database is away for the next `away` leases."""

    __slots__ = ("away",)

    def lease(self, dispatch: Dispatch, runner: str, lease_us: int, wall: int) -> Lease | None:
        if getattr(self, "away", 0) > 0:
            self.away -= 1
            raise OperationalError("lease", {}, Exception("away"))
        return super().lease(dispatch, runner, lease_us, wall)


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Flaky]:
    opened = open_rows(snapshot().jobs, "", tmp_path)
    yield Flaky(opened.engine)
    opened.engine.dispose()


@pytest.fixture
async def gate() -> AsyncIterator[Standin]:
    standin = Standin()
    yield standin
    await standin.close()


@pytest.fixture
async def work(rows: Flaky, gate: Standin, tmp_path: Path) -> AsyncIterator[Work]:
    clock = SystemClock()
    settings = snapshot(gate_url=await gate.at_port())
    made = Work(rows, executor_of(settings, tmp_path, rows.secret(), clock, luck), 6 * SECOND, clock, Log("test"))
    made.start()
    yield made
    await made.stop(0, SECOND)
    await asyncio.sleep(0)


@pytest.fixture
async def hands(work: Work, monkeypatch: pytest.MonkeyPatch) -> Hands:
    monkeypatch.setattr(room, "_PAUSES", (0.001, 0.001, 0.001))
    return Hands(work, 6 * SECOND, "a thread")


def given(rows: JobRows, name: str) -> Dispatch:
    rows.submit([a_job(name)], SystemClock().wall())
    return Dispatch(name, 0)


async def test_a_message_runs_its_job(hands: Hands, rows: Flaky) -> None:
    """Once: shown again, the row says that it is old; and so for what is no message of ours."""
    given(rows, "job_1")
    assert await asyncio.to_thread(hands.take, "job_1", 0) == DONE
    assert await asyncio.to_thread(hands.take, "job_1", 0) == OLD
    assert await asyncio.to_thread(hands.take, "job_1", 1) == OLD
    assert [hands.take(job, fence) for job, fence in [("none", 0), (7, 0), ("job_1", "0"), (None, None)]] == [OLD] * 4


async def test_a_database_that_is_away_for_a_moment(hands: Hands, rows: Flaky) -> None:
    """It is asked again; when that is of no use the message is given back, and the row was not touched."""
    given(rows, "job_1")
    rows.away = 2
    assert await asyncio.to_thread(hands.take, "job_1", 0) == DONE
    given(rows, "job_2")
    rows.away = 99
    with pytest.raises(GivenBack, match="the database of jobs cannot be reached"):
        await asyncio.to_thread(hands.take, "job_2", 0)
    rows.away = 0
    assert await asyncio.to_thread(hands.take, "job_2", 0) == DONE


async def test_who_rests_takes_nothing(hands: Hands, rows: Flaky) -> None:
    """A message that comes then is given back, and its job is as it was."""
    given(rows, "job_1")
    await hands.rest()
    with pytest.raises(GivenBack, match="this worker is ending"):
        hands.take("job_1", 0)
    job = rows.find("job_1")
    assert job is not None
    assert (job.state, job.fence) == (QUEUED, 0)


async def test_what_was_lost_does_not_count(hands: Hands, rows: Flaky, gate: Standin) -> None:
    """A job that was taken back and run elsewhere meanwhile: its first run says so, and changes nothing."""
    given(rows, "job_1")
    gate.answer = lambda _request: b""
    first = asyncio.create_task(asyncio.to_thread(hands.take, "job_1", 0))
    await gate.wait_for(1)
    gate.answer = lambda _request: reply()
    later = SystemClock().wall() + 60 * SECOND
    rows.reap(3, later)
    lease = rows.lease(Dispatch("job_1", 1), "another", 6 * SECOND, later)
    assert lease is not None
    assert rows.finish([End(id="job_1", fence=2, state=DONE)], later) == [True]
    assert await first == LOST
