"""A stand-in for the gate, and what is run against it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import uvloop

from tests.jobs.run.setting import SECRET, Executors, luck
from tests.jobs.run.stage import Stage, settings_for
from tests.jobs.run.standin import Standin
from tidegate.clock import SystemClock
from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.run.executor import Executor, executor_of
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.ports import Clock

Stages = Callable[..., Awaitable[Stage]]


def pytest_asyncio_loop_factories() -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """What runners run on."""
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def executor() -> AsyncIterator[Executors]:
    made: list[Executor] = []

    def make(settings: Snapshot, state_dir: Path = Path("/nowhere"), clock: Clock | None = None) -> Executor:
        made.append(executor_of(settings, state_dir, SECRET, clock or SystemClock(), luck))
        return made[-1]

    yield make
    for one in made:
        one.close()
    await asyncio.sleep(0)


@pytest.fixture
async def gate() -> AsyncIterator[Standin]:
    standin = Standin()
    yield standin
    await standin.close()
    await asyncio.sleep(0)


@pytest.fixture
async def stage(gate: Standin, fresh_rows: JobRows, executor: Executors) -> AsyncIterator[Stages]:
    made: list[Stage] = []

    async def make(**jobs: object) -> Stage:
        settings = settings_for(await gate.at_port(), **jobs)
        made.append(Stage(fresh_rows, gate, executor(settings), settings, Log("test")))
        made[-1].start()
        return made[-1]

    yield make
    for one in made:
        await one.stop()
