"""The worker's pushes over a real Unix socket."""

import asyncio
from pathlib import Path

import msgspec

from tests.journal.facts import record
from tidegate.clock import SystemClock
from tidegate.observe.meters import Report
from tidegate.observe.observer import Observer
from tidegate.observe.push import FRAME, Pusher


async def read_report(reader: asyncio.StreamReader) -> Report:
    (size,) = FRAME.unpack(await reader.readexactly(FRAME.size))
    return msgspec.msgpack.decode(await reader.readexactly(size), type=Report)


class Control:
    """A control process as far as the worker sees it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.connections: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()

    async def start(self) -> asyncio.Server:
        return await asyncio.start_unix_server(lambda *pair: self.connections.put(pair), self.path)


async def stop(server: asyncio.Server) -> None:
    server.close()
    await server.wait_closed()


def pusher_at(path: Path) -> tuple[Pusher, Observer]:
    clock = SystemClock()
    observer = Observer(clock)
    return Pusher(path, observer, clock, worker=1, pid=99), observer


async def test_counters_reach_control_and_survive_its_restart(tmp_path: Path) -> None:
    """While control is away rounds are dropped quietly; the next one tells all, since counters are cumulative."""
    path = tmp_path / "control.sock"
    pusher, observer = pusher_at(path)
    observer.finished(record(1))
    await pusher.push()
    control = Control(path)
    server = await control.start()
    observer.finished(record(2))
    await pusher.push()
    reader, writer = await control.connections.get()
    calls, last = await read_report(reader), await read_report(reader)
    assert (calls.worker, calls.pid, calls.calls[0].by_class[2], last.last) == (1, 99, 2, True)

    writer.close()
    await stop(server)
    path.unlink(missing_ok=True)
    server = await control.start()
    observer.finished(record(3))
    while control.connections.empty():
        await pusher.push()
        await asyncio.sleep(0)
    reader, writer = await control.connections.get()
    assert (await read_report(reader)).calls[0].by_class[2] == 3
    writer.close()
    await stop(server)
    pusher._drop()


async def test_a_control_that_does_not_read_costs_no_memory(tmp_path: Path) -> None:
    """Rounds are dropped while the last one has not left: the buffer never holds more than one."""
    path = tmp_path / "control.sock"
    pusher, observer = pusher_at(path)
    control = Control(path)
    server = await control.start()
    for number in range(800):
        observer.finished(msgspec.structs.replace(record(number), model=f"model-{number}"))
    for _ in range(50):
        await pusher.push()
    transport = pusher._transport
    assert transport is not None
    assert 0 < transport.get_write_buffer_size() < 300_000
    pusher._drop()
    (_, writer) = await control.connections.get()
    writer.transport.abort()
    await stop(server)
