"""Two attempts at one stream, of which the first to have content wins (Dean and Barroso, "The Tail at Scale", 2013)."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Protocol, TypeVar

from tidegate.ports import Clock


class Runner(Protocol):
    """An attempt that has come to its end."""

    @property
    def answered(self) -> bool:
        """Whether it may win."""


T = TypeVar("T", bound=Runner)


async def race(
    first: Coroutine[Any, Any, T],
    after_us: int,
    clock: Clock,
    second: Callable[[], Coroutine[Any, Any, T] | None],
    spare: Callable[[T], None],
) -> T:
    """What `first` came to, or `second` when that one is answered sooner; the last failure when neither is.

    `second` is asked once, after `after_us` microseconds without an outcome; None: there is nobody to try. The loser is
    cancelled; whatever came to an end all the same, and is not returned, is given to `spare`, also when who waits is
    cancelled while the loser ends. O(1).
    """
    loop = asyncio.get_running_loop()
    running = [loop.create_task(first)]
    won: T | None = None
    try:
        if not await _within(running, after_us, clock) and (other := second()) is not None:
            running.append(loop.create_task(other))
        won = await _first(running)
    finally:
        cancelled = await _stop(running)
        taken = won if cancelled is None else None
        for task in running:
            if not task.cancelled() and task.exception() is None and task.result() is not taken:
                spare(task.result())
        if cancelled is not None:
            raise cancelled
    return won


async def _stop(running: "list[asyncio.Task[T]]") -> asyncio.CancelledError | None:
    """Cancel what still runs, and wait until nothing does: what it has done is known then, whoever leaves meanwhile."""
    cancelled: asyncio.CancelledError | None = None
    for task in running:
        task.cancel()
    while not all(task.done() for task in running):
        try:
            await asyncio.wait(running)
        except asyncio.CancelledError as error:
            cancelled = error
    return cancelled


async def _within(running: "list[asyncio.Task[T]]", after_us: int, clock: Clock) -> bool:
    """Whether one of them is done by then."""
    alarm = asyncio.get_running_loop().create_task(clock.sleep(after_us))
    try:
        await asyncio.wait({*running, alarm}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        alarm.cancel()
    return any(task.done() for task in running)


async def _first(running: "list[asyncio.Task[T]]") -> T:
    """The first that is answered; the last failure when none is."""
    waiting = set(running)
    while True:
        done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended = [task.result() for task in done]
        for one in ended:
            if one.answered:
                return one
        if not waiting:
            return ended[-1]
