"""A time limit on what is awaited, on the clock that is given (so that a manual one can play it)."""

import asyncio
from types import TracebackType

from tidegate.ports import Clock, Timer


class TimeLimit:
    """`async with TimeLimit(clock, when):` raises `TimeoutError` when the block takes longer."""

    __slots__ = ("_clock", "_expired", "_task", "_timer", "_when")

    def __init__(self, clock: Clock, when: int) -> None:
        self._clock = clock
        self._when = when
        self._expired = False
        self._task: asyncio.Task[object] | None = None
        self._timer: Timer | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.current_task()
        self._timer = self._clock.call_at(self._when, self._expire)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._expired and self._task is not None and self._task.uncancel() == 0 and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        if self._task is not None:
            self._task.cancel()
