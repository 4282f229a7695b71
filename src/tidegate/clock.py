"""The system clock: integers of microseconds, timers on the running event loop."""

import asyncio
import time
from collections.abc import Callable
from functools import partial
from typing import Final

from tidegate.ports import Timer

_monotonic: Final = time.monotonic_ns
_since_1970: Final = time.time_ns


class SystemClock:
    """`ports.Clock` on an asyncio or uvloop event loop.

    Timers never fire early: uvloop counts in whole milliseconds of the same monotonic clock, so a moment is rounded up
    to the next whole one, at most 1 ms late.
    """

    __slots__ = ("_loop",)

    def __init__(self, loop: asyncio.AbstractEventLoop | None = None) -> None:
        """Without `loop`, the running one. Raises `RuntimeError` when there is none."""
        self._loop = loop or asyncio.get_running_loop()

    def now(self) -> int:
        """Monotonic microseconds."""
        return _monotonic() // 1_000

    def wall(self) -> int:
        """Microseconds since 1970."""
        return _since_1970() // 1_000

    def call_at(self, when: int, callback: Callable[[], None]) -> Timer:
        """Run `callback` on the loop when `now()` has reached `when`; soon when it already has. O(log timers)."""
        milliseconds = (when + 999) // 1_000 - _monotonic() // 1_000_000
        return self._loop.call_later(milliseconds / 1_000 if milliseconds > 0 else 0, callback)

    async def sleep(self, duration: int) -> None:
        """Return after at least `duration` microseconds; at once, without yielding, when it is not positive."""
        if duration <= 0:
            return
        over: asyncio.Future[None] = self._loop.create_future()
        timer = self.call_at(self.now() + duration, partial(_finish, over))
        try:
            await over
        finally:
            timer.cancel()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
