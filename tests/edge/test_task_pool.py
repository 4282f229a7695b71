"""Tasks are used again, and nothing of one call reaches the next."""

import asyncio
import gc
import weakref

from tests.line.scenes import call_of
from tidegate.edge.sink import Sink
from tidegate.edge.task_pool import Brake, TaskPool
from tidegate.line.plan import Plan
from tidegate.model.call import Call
from tidegate.testing.clock import settle


class Body:
    """Something that can be seen to be gone."""


class Room:
    """Serves calls until it is told to end them, and remembers who did."""

    def __init__(self) -> None:
        self.crew = TaskPool(asyncio.get_running_loop(), self.serve)
        self.tasks: list[asyncio.Task[None] | None] = []
        self.brakes: list[Brake] = []
        self.served: list[int] = []
        self.stopped: list[int] = []
        self.end = asyncio.Event()

    async def serve(self, out: Sink, call: Call, plan: Plan, brake: Brake) -> None:
        self.tasks.append(brake.task)
        self.brakes.append(brake)
        try:
            await self.end.wait()
        except asyncio.CancelledError:
            self.stopped.append(call.id)
            return
        self.served.append(call.id)

    def start(self, number: int) -> Call:
        call = call_of("hello")
        call.id = number
        self.crew.start(None, call, None)  # type: ignore[arg-type]
        return call


async def test_who_has_served_serves_again() -> None:
    """One call after the other has the same task; two at once have two."""
    room = Room()
    room.end.set()
    for number in range(3):
        room.start(number)
        await settle()
    assert room.served == [0, 1, 2]
    assert len(set(room.tasks)) == 1
    room.end.clear()
    room.start(3)
    room.start(4)
    await settle()
    assert room.tasks[3] is not room.tasks[4]
    room.end.set()
    await settle()


async def test_who_was_stopped_serves_nobody_else() -> None:
    """And a brake that is pulled too late stops nobody."""
    room = Room()
    room.start(0)
    await settle()
    room.brakes[0].stop()
    await settle()
    assert room.stopped == [0]
    room.start(1)
    await settle()
    first, second = room.tasks
    assert first is not None
    assert first.done()
    room.end.set()
    await settle()
    room.end.clear()
    room.start(2)
    await settle()
    assert room.tasks[2] is second
    room.brakes[0].stop()
    room.brakes[1].stop()
    room.end.set()
    await settle()
    assert room.served == [1, 2]


async def test_who_was_cancelled_while_it_waited_is_passed_over() -> None:
    """A call that comes then has a task all the same."""
    room = Room()
    room.end.set()
    room.start(0)
    await settle()
    (task,) = room.tasks
    assert task is not None
    task.cancel()
    room.start(1)
    await settle()
    assert room.served == [0, 1]


async def test_a_burst_leaves_few_behind_and_none_of_its_calls() -> None:
    """Memory is that of the calls in flight."""
    room = Room()
    bodies = []
    for number in range(TaskPool.MAX_IDLE + 50):
        body = Body()
        room.start(number).body = body  # type: ignore[assignment]
        bodies.append(weakref.ref(body))
    del body
    await settle()
    room.end.set()
    await settle()
    room.tasks.clear()
    gc.collect()
    assert len(room.served) == len(bodies)
    assert not [body for body in bodies if body() is not None]
    assert len(asyncio.all_tasks()) == 1 + TaskPool.MAX_IDLE
