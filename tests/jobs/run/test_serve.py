"""A runner as its process composes it, with the gate's socket in the state directory."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.jobs.run.setting import SECOND, a_job, snapshot
from tests.jobs.run.stage import Told
from tests.jobs.run.standin import Request, Standin
from tidegate.clock import SystemClock
from tidegate.jobs.hints import Ear, UnixHints
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.run.serve import Serving
from tidegate.jobs.runner import run_alone
from tidegate.model.jobs import DONE, KEY, QUEUED
from tidegate.model.snapshot import ServerSettings, Snapshot
from tidegate.observe.log import Log
from tidegate.policy.access.job_tokens import read


@pytest.fixture
async def waiting(tmp_path: Path) -> AsyncIterator[Told]:
    """Who waits for jobs in another process."""
    told = Told()
    ear = Ear(tmp_path, "desk", told.work, told.changed)
    yield told
    ear.close()


def submit(rows: JobRows, state_dir: Path, *names: str) -> None:
    rows.submit([a_job(name) for name in names], SystemClock().wall())
    hints = UnixHints(state_dir)
    hints.work()
    hints.close()


async def over(rows: JobRows, waiting: Told, name: str) -> None:
    """It has ended, and who waits was told."""

    def ended() -> bool:
        job = rows.find(name)
        return job is not None and bool(job.finished_us)

    await waiting.until(ended)


async def test_a_runner_serves_until_it_is_stopped(
    gate: Standin, fresh_rows: JobRows, tmp_path: Path, waiting: Told
) -> None:
    """The workers' key is there before it begins; it hears of work and tells of ends; what runs is handed back."""
    await gate.at_socket(tmp_path / "calls.sock")
    serving = Serving(snapshot(), tmp_path, "", "runner-0", Log("test"))
    secret = (tmp_path / KEY).read_bytes()
    assert secret == fresh_rows.secret()
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    submit(fresh_rows, tmp_path, "job_1")
    await over(fresh_rows, waiting, "job_1")
    (request,) = gate.requests
    assert read(request.header("x-tidegate-job-ticket").encode(), secret, SystemClock().wall()).job == "job_1"
    gate.answer = lambda _request: b""
    submit(fresh_rows, tmp_path, "job_2")
    await gate.wait_for(2)
    hasty = ServerSettings(drain_timeout_us=0)
    assert serving.follow(Snapshot(version=2, providers=(), jobs=snapshot().jobs, server=hasty))
    await serving.stop()
    job = fresh_rows.find("job_2")
    assert job is not None
    assert (job.state, job.attempts) == (QUEUED, 0)
    assert [path.name for path in (tmp_path / "hints").iterdir()] == ["desk"]


async def test_another_configuration(gate: Standin, fresh_rows: JobRows, tmp_path: Path, waiting: Told) -> None:
    """What can be changed while it runs is, what cannot needs another process; calls under way end as they began."""
    other = Standin()
    await gate.at_socket(tmp_path / "calls.sock")
    serving = Serving(snapshot(), tmp_path, "", "runner-0", Log("test"))
    held: list[Request] = []

    def hold(request: Request) -> bytes:
        held.append(request)
        return b""

    gate.answer = hold
    submit(fresh_rows, tmp_path, "job_1")
    await gate.wait_for(1)
    assert serving.follow(snapshot(gate_url=await other.at_port(), concurrency=2))
    submit(fresh_rows, tmp_path, "job_2")
    await over(fresh_rows, waiting, "job_2")
    assert [len(gate.requests), len(other.requests)] == [1, 1]
    assert not held[0].gone.is_set()
    assert not serving.follow(snapshot(database="sqlite:////elsewhere.db"))
    assert not serving.follow(snapshot(lease_us=SECOND))
    fresh_rows.cancel("job_1", None, SystemClock().wall())
    await over(fresh_rows, waiting, "job_1")
    await serving.stop()
    await other.close()


async def test_without_a_supervisor(gate: Standin, fresh_rows: JobRows, tmp_path: Path, waiting: Told) -> None:
    """It runs until SIGTERM, under a name that nobody else has."""
    await gate.at_socket(tmp_path / "calls.sock")
    alone = asyncio.create_task(run_alone(snapshot(), tmp_path, Log("test")))
    submit(fresh_rows, tmp_path, "job_1")
    await over(fresh_rows, waiting, "job_1")
    job = fresh_rows.find("job_1")
    assert job is not None
    assert job.state == DONE
    os.kill(os.getpid(), signal.SIGTERM)
    await alone
    (attempt,) = fresh_rows.attempts("job_1")
    assert attempt.runner == f"guest-{os.getpid()}"


async def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    """Before anything is claimed."""
    with pytest.raises(ValueError, match="URL"):
        Serving(snapshot(gate_url="ftp://gate"), tmp_path, "", "runner-0", Log("test"))
