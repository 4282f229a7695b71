"""Work beside the calls: what fails is told and begins anew, and what must not be missed ends the process."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tests.control.admin.desk import Lines
from tidegate.supervisor.background import Background, Setbacks
from tidegate.testing.clock import ManualClock, settle

SECOND = 1_000_000


class Stage:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.log = Lines()
        self.ended: list[int] = []
        self.background = Background(self.clock, self.log, self.ended.append)
        self.runs: list[int] = []

    def failing(self, times: int, error: Exception | None = None) -> Callable[[], Awaitable[None]]:
        """Work that fails so often and then goes on for ever."""

        async def work() -> None:
            self.runs.append(self.clock.now())
            if len(self.runs) <= times:
                raise error or RuntimeError("a defect")
            await asyncio.Event().wait()

        return work


@pytest.fixture
async def stage() -> Stage:
    return Stage()


def test_setbacks_wait_longer_each_time_and_have_a_patience() -> None:
    """The first is forgiven at once; a calm life forgives all before it; too many in a row are the end."""
    setbacks = Setbacks()
    assert [setbacks.failed(0) for _ in range(8)] == [
        0, 100_000, 200_000, 400_000, 800_000, 1_600_000, 3_200_000, 5_000_000,
    ]  # fmt: skip
    assert setbacks.failed(10 * SECOND) == 0
    strict = Setbacks(patience=3)
    assert [strict.failed(SECOND), strict.failed(SECOND), strict.failed(SECOND)] == [0, 100_000, None]
    assert Setbacks(patience=1).failed(60 * SECOND) is None


async def test_whatever_it_fails_of_it_is_told_and_begins_anew(stage: Stage) -> None:
    """Not only of what was foreseen: each failure has its line, and the work goes on."""
    stage.background.keep("looking", stage.failing(3))
    await stage.clock.advance(SECOND)
    assert len(stage.runs) == 4
    assert [line for line in stage.log.lines if "looking failed, and begins anew" in line and "a defect" in line] == (
        stage.log.lines
    )
    assert len(stage.log.lines) == 3
    assert len(stage.background) == 1
    stage.background.cancel()
    await settle()
    assert len(stage.background) == 0


async def test_rounds_go_on_after_one_that_failed(stage: Stage) -> None:
    """With the pause before each of them."""
    done: list[int] = []

    async def work() -> None:
        done.append(stage.clock.now())
        if len(done) == 1:
            raise OSError("the disk is full")

    stage.background.every("saving", SECOND, work)
    await stage.clock.advance(3 * SECOND)
    assert len(done) == 3
    assert len(stage.log.lines) == 1
    stage.background.cancel()
    await settle()


async def test_what_is_vital_ends_the_process(stage: Stage) -> None:
    """After so many failures in a row, with the reason, and nothing of it is tried again."""
    stage.background.keep("hearing", stage.failing(9), patience=2)
    await stage.clock.advance(60 * SECOND)
    assert stage.ended == [1]
    assert len(stage.runs) == 2
    assert "hearing failed: the process ends, to be started again" in stage.log.lines[-1]


async def test_what_is_over_is_let_go_of(stage: Stage) -> None:
    """Neither what was done once nor what failed once is kept, and the failure is told."""

    async def good() -> None:
        return

    async def bad() -> None:
        raise ValueError("closing")

    for _ in range(50):
        stage.background.once("closing", good())
    stage.background.once("closing", bad())
    stage.background.keep("ending by itself", good)
    assert len(stage.background) == 52
    await settle()
    assert len(stage.background) == 0
    assert len(stage.log.lines) == 1
    assert "closing failed" in stage.log.lines[0]
