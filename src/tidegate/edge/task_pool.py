"""Tasks that serve one call after the other: to make a task, and to bury it, costs four times as much as to wake one.

A task that was cancelled serves nobody else, so that nothing of one call can reach the next.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

from tidegate.edge.sink import Sink
from tidegate.line.plan import Plan
from tidegate.model.call import Call

_log = logging.getLogger(__name__)


class Brake:
    """Stops the call that a task is serving, and no other: it is let go of when the call has been served."""

    __slots__ = ("task",)

    def __init__(self, task: asyncio.Task[None]) -> None:
        self.task: asyncio.Task[None] | None = task

    def stop(self) -> None:
        """Cancel what is being served."""
        if self.task is not None:
            self.task.cancel()


Serve = Callable[[Sink, Call, Plan, Brake], Coroutine[object, object, None]]


class TaskPool:
    """Those who wait for a call. `serve` raises nothing but a cancellation."""

    __slots__ = ("_beside", "_idle", "loop", "serve")

    MAX_IDLE: Final = 256  # more than these are made in a burst, and end after it

    def __init__(self, loop: asyncio.AbstractEventLoop, serve: Serve) -> None:
        self.loop = loop
        self.serve = serve
        self._idle: list[_Hand] = []
        self._beside: set[asyncio.Task[None]] = set()

    def start(self, out: Sink, call: Call, plan: Plan) -> None:
        """Have the call served, from the loop's next turn on."""
        idle = self._idle
        while idle:
            hand = idle.pop()
            if hand.wake():
                hand.take(out, call, plan)
                return
        _Hand(self).take(out, call, plan)

    def beside(self, work: Coroutine[object, object, None]) -> None:
        """Have it done, though there is no call yet."""
        task = self.loop.create_task(work)
        self._beside.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._beside.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.error("the gate failed on a request", exc_info=task.exception())

    def rest(self, hand: "_Hand") -> bool:
        """Keep it for another call; False when there are enough."""
        if len(self._idle) >= self.MAX_IDLE:
            return False
        self._idle.append(hand)
        return True


class _Hand:
    __slots__ = ("_brake", "_crew", "_next", "_task", "_turn")

    def __init__(self, crew: TaskPool) -> None:
        self._crew = crew
        self._next: tuple[Sink, Call, Plan] | None = None
        self._turn: asyncio.Future[None] = crew.loop.create_future()
        self._task: asyncio.Task[None] = crew.loop.create_task(self._run())
        self._brake = Brake(self._task)

    def take(self, out: Sink, call: Call, plan: Plan) -> None:
        """What it does when it runs."""
        self._next = (out, call, plan)

    def wake(self) -> bool:
        """False when it was cancelled in its sleep."""
        if self._turn.done():
            return False
        self._turn.set_result(None)
        return True

    async def _run(self) -> None:
        crew, task = self._crew, self._task
        while True:
            await self._serve()
            self._brake.task = None
            if task.cancelling():
                return
            self._turn = crew.loop.create_future()
            if not crew.rest(self):
                return
            await self._turn

    def _serve(self) -> Coroutine[object, object, None]:
        """A call leaves no trace here: it would live on until the next one comes."""
        if self._next is None:
            raise RuntimeError("nothing to serve")
        out, call, plan = self._next
        self._next = None
        self._brake = Brake(self._task)
        return self._crew.serve(out, call, plan, self._brake)
