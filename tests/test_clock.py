"""The system clock on real event loops."""

import asyncio
from collections.abc import Callable

import pytest
import uvloop

from tidegate.clock import SystemClock

LOOPS = pytest.mark.parametrize("new_loop", [asyncio.new_event_loop, uvloop.new_event_loop], ids=["asyncio", "uvloop"])


def run(new_loop: Callable[[], asyncio.AbstractEventLoop], main: Callable[[], object]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(main())  # type: ignore[arg-type]


@LOOPS
def test_a_timer_never_fires_early(new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """Whatever part of a millisecond is asked for, `now()` has reached the moment when the callback runs."""

    async def main() -> None:
        clock = SystemClock()
        for offset in (1, 499, 500, 999, 1_000, 1_001, 1_499, 2_700):
            fired: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            when = clock.now() + offset
            clock.call_at(when, lambda fired=fired: fired.set_result(clock.now()))
            assert await fired >= when

    run(new_loop, main)


@LOOPS
def test_a_cancelled_timer_stays_silent_and_a_past_moment_is_soon(
    new_loop: Callable[[], asyncio.AbstractEventLoop],
) -> None:
    """Cancelling works before and after; a moment that has passed runs on the next turn, never inside the call."""

    async def main() -> None:
        clock, heard = SystemClock(), []
        clock.call_at(clock.now() + 500, lambda: heard.append("cancelled")).cancel()
        timer = clock.call_at(clock.now() - 5, lambda: heard.append("past"))
        assert heard == []
        await clock.sleep(3_000)
        timer.cancel()
        assert heard == ["past"]

    run(new_loop, main)


async def test_sleep_lasts_and_the_past_does_not_wait() -> None:
    """`sleep` returns no earlier than asked, and at once for zero and below."""
    clock = SystemClock()
    start = clock.now()
    await clock.sleep(1_500)
    assert clock.now() - start >= 1_500
    await clock.sleep(0)
    await clock.sleep(-1)


def test_wall_and_now_are_integers_of_microseconds() -> None:
    """`wall` counts from 1970 and `now` never goes back."""
    loop = asyncio.new_event_loop()
    clock = SystemClock(loop)
    first, second = clock.now(), clock.now()
    assert isinstance(first, int)
    assert second >= first
    assert clock.wall() > 1_600_000_000_000_000
    loop.close()
