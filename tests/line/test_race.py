"""Two attempts at one stream, on a manual clock."""

import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest

from tidegate.line.race import race
from tidegate.testing import ManualClock
from tidegate.testing.clock import settle

AFTER = 1_000


class Ended:
    """What an attempt came to."""

    def __init__(self, *, answered: bool) -> None:
        self.answered = answered


BROKEN = Ended(answered=False)


class Course:
    """Two attempts whose outcomes the test decides."""

    def __init__(self, *, free: bool = True) -> None:
        self.clock = ManualClock()
        loop = asyncio.get_running_loop()
        self.outcomes: list[asyncio.Future[Ended]] = [loop.create_future(), loop.create_future()]
        self.cancelled = [False, False]
        self.begun = 1
        self.free = free
        self.spared: list[Ended] = []
        self.running = loop.create_task(race(self.attempt(0), AFTER, self.clock, self.second, self.spared.append))

    def second(self) -> Coroutine[Any, Any, Ended] | None:
        if not self.free:
            return None
        self.begun += 1
        return self.attempt(1)

    async def attempt(self, number: int) -> Ended:
        try:
            return await self.outcomes[number]
        except asyncio.CancelledError:
            self.cancelled[number] = True
            raise


def answered() -> Ended:
    return Ended(answered=True)


async def test_who_answers_in_time_runs_alone() -> None:
    """Nobody else is asked, and no timer stays."""
    course = Course()
    await course.clock.advance(AFTER - 1)
    course.outcomes[0].set_result(answered())
    assert (await course.running).answered
    await course.clock.advance(10 * AFTER)
    assert course.begun == 1
    assert course.clock.pending == []


@pytest.mark.parametrize("winner", [0, 1])
async def test_the_first_answer_wins(winner: int) -> None:
    """The other attempt is cancelled."""
    course = Course()
    await course.clock.advance(AFTER)
    assert course.begun == 2
    course.outcomes[winner].set_result(won := answered())
    assert await course.running is won
    assert course.cancelled[1 - winner]


@pytest.mark.parametrize("first", [0, 1])
async def test_a_failure_is_no_win(first: int) -> None:
    """The other one may still answer; when both fail, that is the outcome."""
    for last in (answered(), BROKEN):
        course = Course()
        await course.clock.advance(AFTER)
        course.outcomes[first].set_result(BROKEN)
        await settle()
        assert not course.running.done()
        course.outcomes[1 - first].set_result(last)
        assert await course.running is last


async def test_two_answers_in_one_moment() -> None:
    """One is the outcome, the other is given back."""
    course = Course()
    await course.clock.advance(AFTER)
    for outcome in course.outcomes:
        outcome.set_result(answered())
    won = await course.running
    assert len(course.spared) == 1
    assert course.spared[0] is not won


async def test_where_nobody_is_free_it_waits_on() -> None:
    """For the one that was asked."""
    course = Course(free=False)
    await course.clock.advance(10 * AFTER)
    assert not course.running.done()
    course.outcomes[0].set_result(BROKEN)
    assert await course.running is BROKEN


@pytest.mark.parametrize("at", [0, AFTER])
async def test_who_leaves_takes_both_along(at: int) -> None:
    """Whether or not the second one runs."""
    course = Course()
    await course.clock.advance(at)
    course.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await course.running
    assert course.cancelled == [True, at > 0]


async def test_a_defect_is_not_swallowed() -> None:
    """It goes on to who asked."""
    course = Course()
    course.outcomes[0].set_exception(ValueError("a defect"))
    with pytest.raises(ValueError, match="a defect"):
        await course.running


@pytest.mark.parametrize("late", [0, 1])
async def test_an_answer_that_comes_while_it_is_cancelled_is_not_lost(late: int) -> None:
    """Nobody gets it: it is given back."""
    course = Course()
    await course.clock.advance(AFTER)
    course.outcomes[late].set_result(won := answered())
    course.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await course.running
    assert course.spared == [won]


async def test_an_answer_beside_a_defect_is_not_lost() -> None:
    """The defect goes on to who asked, the answer is given back."""
    course = Course()
    await course.clock.advance(AFTER)
    course.outcomes[0].set_exception(ValueError("a defect"))
    course.outcomes[1].set_result(won := answered())
    with pytest.raises(ValueError, match="a defect"):
        await course.running
    assert course.spared == [won]


@pytest.mark.parametrize("turns", range(8))
async def test_who_leaves_while_the_loser_ends_loses_no_answer(turns: int) -> None:
    """Whenever it is: the answer is either returned or given back."""
    course = Course()
    await course.clock.advance(AFTER)
    course.outcomes[0].set_result(won := answered())
    for _ in range(turns):
        await asyncio.sleep(0)
    course.running.cancel()
    (outcome,) = await asyncio.gather(course.running, return_exceptions=True)
    assert (outcome is won) != (course.spared == [won])
    assert course.cancelled == [False, True]


async def test_what_was_being_stopped_is_waited_for_by_who_is_cancelled_twice() -> None:
    """An attempt books itself as it ends: nobody goes on before."""
    course = Course()
    await course.clock.advance(AFTER)
    course.running.cancel()
    await asyncio.sleep(0)
    course.running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await course.running
    assert course.cancelled == [True, True]
