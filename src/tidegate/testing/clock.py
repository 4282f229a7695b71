"""A clock that moves only when it is told to."""

import asyncio
import heapq
from collections.abc import Callable
from functools import partial

SECOND = 1_000_000
_START_WALL = 1_700_000_000 * SECOND


class ManualTimer:
    """A pending callback of a `ManualClock`."""

    __slots__ = ("callback", "cancelled", "order", "when")

    def __init__(self, when: int, order: int, callback: Callable[[], None]) -> None:
        self.when = when
        self.order = order
        self.callback = callback
        self.cancelled = False

    def cancel(self) -> None:
        """Never run it."""
        self.cancelled = True

    def __lt__(self, other: "ManualTimer") -> bool:
        return (self.when, self.order) < (other.when, other.order)


class ManualClock:
    """`ports.Clock` in virtual time. Timers run in order while `advance` moves over them."""

    def __init__(self, start: int = SECOND) -> None:
        self._now = start
        self._timers: list[ManualTimer] = []
        self._order = 0

    def now(self) -> int:
        """Virtual microseconds."""
        return self._now

    def wall(self) -> int:
        """Virtual microseconds since 1970."""
        return _START_WALL + self._now

    def call_at(self, when: int, callback: Callable[[], None]) -> ManualTimer:
        """Run `callback` when `advance` reaches `when`."""
        self._order += 1
        timer = ManualTimer(max(when, self._now), self._order, callback)
        heapq.heappush(self._timers, timer)
        return timer

    async def sleep(self, duration: int) -> None:
        """Return when the clock was moved on by `duration`."""
        if duration <= 0:
            return
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = self.call_at(self._now + duration, partial(_finish, over))
        try:
            await over
        finally:
            timer.cancel()

    @property
    def pending(self) -> list[int]:
        """When the timers that still stand will run, in microseconds from now, soonest first."""
        return sorted(timer.when - self._now for timer in self._timers if not timer.cancelled)

    def stall(self, duration: int) -> None:
        """The process stood still: time has passed, and timers that were due run late, with the next `advance`."""
        self._now += duration

    async def advance(self, duration: int) -> None:
        """Move on, running what comes due on the way and letting tasks run in between."""
        end = self._now + duration
        await settle()
        while self._timers and self._timers[0].when <= end:
            timer = heapq.heappop(self._timers)
            if timer.cancelled:
                continue
            self._now = max(self._now, timer.when)
            timer.callback()
            await settle()
        self._now = end
        await settle()


def _finish(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)


async def settle(turns: int = 20) -> None:
    """Let every task run until it waits for something that is not ready."""
    loop = asyncio.get_running_loop()
    for _ in range(turns):
        turn: asyncio.Future[None] = loop.create_future()
        loop.call_soon(turn.set_result, None)
        await turn
