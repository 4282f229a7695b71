"""Two attempts at one stream, of which the first to have content wins (Dean and Barroso, "The Tail at Scale", 2013)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from tidegate.line.records import Answered
from tidegate.model.reply import Failure
from tidegate.ports import Clock

_Attempt = Coroutine[Any, Any, Answered | Failure]


async def race(
    first: _Attempt,
    after_us: int,
    clock: Clock,
    second: Callable[[], _Attempt | None],
    spare: Callable[[Answered], None],
) -> Answered | Failure:
    """The outcome of `first`, or of `second` when that one is answered sooner.

    `second` is asked once, after `after_us` microseconds without an outcome; None: there is nobody to try. The loser is
    cancelled, or given to `spare` when it was answered in the same moment. On cancellation both are. O(1).
    """
    loop = asyncio.get_running_loop()
    running = {loop.create_task(first)}
    try:
        if await _within(running, after_us, clock) is None and (other := second()) is not None:
            running.add(loop.create_task(other))
        return await _best(running, spare)
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


async def _within(
    running: "set[asyncio.Task[Answered | Failure]]", after_us: int, clock: Clock
) -> "asyncio.Task[Answered | Failure] | None":
    """The one that is done by then."""
    alarm = asyncio.get_running_loop().create_task(clock.sleep(after_us))
    try:
        await asyncio.wait({*running, alarm}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
    return next((task for task in running if task.done()), None)


async def _best(
    running: "set[asyncio.Task[Answered | Failure]]", spare: Callable[[Answered], None]
) -> Answered | Failure:
    """The first answer; the last failure when there is none. What is left in `running` has not won."""
    while True:
        done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        outcomes = [task.result() for task in done]
        running -= done
        answers = [outcome for outcome in outcomes if isinstance(outcome, Answered)]
        for answered in answers[1:]:
            spare(answered)
        if answers:
            return answers[0]
        if not running:
            return outcomes[0]
