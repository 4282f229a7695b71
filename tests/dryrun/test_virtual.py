"""Virtual time."""

import asyncio

import pytest

from tidegate.dryrun.virtual import Standstill, VirtualClock, loop_over

HOUR = 3_600_000_000


def test_an_hour_passes_at_once_and_exactly() -> None:
    """Who sleeps wakes at the next millisecond, as in a worker; the wall clock goes along."""
    clock = VirtualClock(5 * HOUR)

    async def sleeper() -> int:
        began = clock.now()
        await clock.sleep(HOUR)
        return clock.now() - began

    async def elsewhere() -> int:
        began = clock.now()
        await clock.exactly(1)
        await clock.sleep(1)
        return clock.now() - began

    loop = loop_over(clock)
    assert loop.run_until_complete(sleeper()) == HOUR
    assert clock.wall() == 6 * HOUR
    assert clock.moment(6 * HOUR) == clock.now()
    assert loop.run_until_complete(elsewhere()) == 1_000
    loop.close()


def test_timers_run_in_order_and_tasks_between_them() -> None:
    """Those of one moment in the order in which they were set; a cancelled one never."""
    clock, seen = VirtualClock(0), list[str]()

    async def task(name: str) -> None:
        seen.append(name)

    async def all_of_it() -> None:
        loop, began = asyncio.get_running_loop(), clock.now()
        held = []
        clock.call_at(began + 20_000, lambda: seen.append("second"))
        clock.call_at(began + 10_000, lambda: held.append(loop.create_task(task("its task"))))
        clock.call_at(began + 20_000, lambda: seen.append("third"))
        clock.call_at(began + 15_000, lambda: seen.append("never")).cancel()
        await clock.sleep(30_000)

    loop = loop_over(clock)
    loop.run_until_complete(all_of_it())
    loop.close()
    assert seen == ["its task", "second", "third"]


def test_timers_that_were_cancelled_are_let_go() -> None:
    """However many patient calls were served before their patience ended."""
    clock = VirtualClock(0)
    kept = clock.call_at(HOUR, lambda: None)
    for _ in range(20_000):
        clock.call_at(HOUR, lambda: None).cancel()
    assert len(clock._timers) < 10_000
    kept.cancel()


def test_who_waits_for_nothing_is_told_so() -> None:
    """A defect ends the run instead of hanging it."""
    clock = VirtualClock(0)
    loop = loop_over(clock)

    async def forever() -> None:
        await loop.create_future()

    with pytest.raises(Standstill):
        loop.run_until_complete(forever())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.gather(*asyncio.all_tasks(loop), return_exceptions=True))
    loop.close()
