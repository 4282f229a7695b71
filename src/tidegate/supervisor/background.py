"""Work beside what a child is there for: it ends in silence never, and begins anew when it failed.

A task that nobody awaits keeps its exception to itself. Here each failure is told, and followed by another try, by the
back-off that the supervisor has for processes. What a process must not go on without has a *patience*: after so many
failures in a row the process ends, and the supervisor starts it again.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Final, Protocol

from tidegate.observe.log import Log
from tidegate.supervisor.backoff import Backoff
from tidegate.supervisor.child import end_now
from tidegate.units import SECOND_US

FOR_EVER: Final = 0  # of patience
_FAILED: Final = 1  # the status of a process that ends


class Clock(Protocol):
    """What of a clock is needed here, in microseconds."""

    def now(self) -> int:
        """Monotonic."""

    async def sleep(self, duration: int) -> None:
        """So long."""


class Setbacks:
    """The failures of one work, and what follows from the next one. Pure; microseconds."""

    __slots__ = ("_backoff", "_patience")

    def __init__(self, patience: int = FOR_EVER) -> None:
        self._backoff = Backoff()
        self._patience = patience

    def failed(self, lived_us: int) -> int | None:
        """How long to wait before it begins anew, after a life of `lived_us`; None = that was once too often."""
        delay = self._backoff.died(lived_us / SECOND_US)
        if self._patience != FOR_EVER and self._backoff.deaths >= self._patience:
            return None
        return round(delay * SECOND_US)


class Background:
    """All such work of a process. Needs a running event loop."""

    __slots__ = ("_clock", "_end", "_log", "_tasks")

    def __init__(self, clock: Clock, log: Log, end: Callable[[int], object] = end_now) -> None:
        """`end` ends the process with a status."""
        self._clock = clock
        self._log = log
        self._end = end
        self._tasks: set[asyncio.Task[None]] = set()

    def __len__(self) -> int:
        return len(self._tasks)

    def keep(self, name: str, work: Callable[[], Awaitable[None]], patience: int = FOR_EVER) -> None:
        """Have it done for as long as the process lives, or until it returns."""
        self._hold(self._kept(name, work, Setbacks(patience)))

    def every(self, name: str, period_us: int, work: Callable[[], Awaitable[None]], patience: int = FOR_EVER) -> None:
        """Have it done for ever, with so long a pause before each time."""

        async def rounds() -> None:
            while True:
                await self._clock.sleep(period_us)
                await work()

        self.keep(name, rounds, patience)

    def once(self, name: str, work: Coroutine[None, None, None]) -> None:
        """Have it done; that it failed is told, and that is all."""
        self._hold(self._tried(name, work))

    def cancel(self) -> None:
        """End all of it."""
        for task in tuple(self._tasks):
            task.cancel()

    def _hold(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _kept(self, name: str, work: Callable[[], Awaitable[None]], setbacks: Setbacks) -> None:
        while True:
            began = self._clock.now()
            try:
                await work()
            except Exception as error:  # noqa: BLE001 - whatever it is, it is told
                pause = setbacks.failed(self._clock.now() - began)
                if pause is None:
                    self._log.error(f"{name} failed: the process ends, to be started again", problem=repr(error))
                    self._end(_FAILED)
                    return
                self._log.error(f"{name} failed, and begins anew", problem=repr(error))
            else:
                return
            await self._clock.sleep(pause)

    async def _tried(self, name: str, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - as above
            self._log.error(f"{name} failed", problem=repr(error))
