"""Virtual time: an event loop that never waits, and the clock that it moves.

The loop is asyncio's own, over a selector that finds nothing and, when nobody is left to run, moves the clock on to the
next timer. So the gate's line runs as it does in a worker, task by task, in the order in which time passes.
"""

import asyncio
import heapq
import selectors
from collections.abc import Callable
from functools import partial
from typing import Final

from tidegate.ports import Timer

_TICK_US: Final = 1_000
_CANCELLED_LOOK: Final = 4_096  # timers; of fewer, those that were cancelled may lie about


class VirtualTimer:
    """A pending callback; `callback` is None when it is never to be run."""

    __slots__ = ("_clock", "callback")

    def __init__(self, clock: "VirtualClock", callback: Callable[[], None]) -> None:
        self._clock = clock
        self.callback: Callable[[], None] | None = callback

    def cancel(self) -> None:
        """Never run it."""
        if self.callback is not None:
            self.callback = None
            self._clock.cancelled()


class VirtualClock:
    """`ports.Clock` whose time `pass_on` moves. `wall` at the beginning is `begins_us`."""

    __slots__ = ("_cancelled", "_now", "_order", "_start", "_timers")

    def __init__(self, begins_us: int) -> None:
        self._now = 1_000_000
        self._start = begins_us - self._now
        self._timers: list[tuple[int, int, VirtualTimer]] = []
        self._order = 0
        self._cancelled = 0

    def now(self) -> int:
        """Virtual microseconds."""
        return self._now

    def wall(self) -> int:
        """Virtual microseconds since 1970."""
        return self._start + self._now

    def moment(self, wall: int) -> int:
        """`now` at this moment since 1970."""
        return wall - self._start

    def call_at(self, when: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` at the first whole millisecond from `when` on, as `SystemClock` does. O(log timers)."""
        return self.at(-(-when // _TICK_US) * _TICK_US, callback)

    def at(self, when: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` at `when`: for what happens elsewhere, and not in the gate. O(log timers)."""
        self._order += 1
        timer = VirtualTimer(self, callback)
        heapq.heappush(self._timers, (when if when > self._now else self._now, self._order, timer))
        return timer

    async def sleep(self, duration: int) -> None:
        """Return when so much time has passed, and the next millisecond has begun."""
        if duration > 0:
            await self._wait(self.call_at, duration)

    async def exactly(self, duration: int) -> None:
        """Return when so much time has passed: for who is not in the gate."""
        if duration > 0:
            await self._wait(self.at, duration)

    async def _wait(self, timed: Callable[[int, Callable[[], None]], Timer], duration: int) -> None:
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        timer = timed(self._now + duration, partial(_finish, over))
        try:
            await over
        finally:
            timer.cancel()

    def cancelled(self) -> None:
        """A timer was. Amortised O(1): when most that stand were, all such are let go."""
        self._cancelled += 1
        if self._cancelled > _CANCELLED_LOOK and 2 * self._cancelled > len(self._timers):
            self._timers = [one for one in self._timers if one[2].callback is not None]
            heapq.heapify(self._timers)
            self._cancelled = 0

    def pass_on(self) -> bool:
        """Run the next timer, at its moment. False: there is none, and nothing will ever happen again."""
        while self._timers:
            when, _, timer = heapq.heappop(self._timers)
            callback, timer.callback = timer.callback, None
            if callback is None:
                self._cancelled = max(0, self._cancelled - 1)
                continue
            self._now = when
            callback()
            return True
        return False


class Standstill(RuntimeError):
    """Everybody waits, and for nothing: a defect."""


class _Selector(selectors.SelectSelector):
    """Nothing is ever ready; who would wait moves the clock on."""

    def __init__(self, clock: VirtualClock) -> None:
        super().__init__()
        self._clock = clock

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if (timeout is None or timeout > 0) and not self._clock.pass_on():
            raise Standstill("virtual time has come to an end, and calls still wait")
        return []


def loop_over(clock: VirtualClock) -> asyncio.AbstractEventLoop:
    """A loop on which only this clock counts. `loop.call_later` and what uses it are not for it."""
    return asyncio.SelectorEventLoop(_Selector(clock))


def _finish(over: "asyncio.Future[None]") -> None:
    if not over.done():
        over.set_result(None)
