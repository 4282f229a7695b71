"""Open-loop load: requests leave at intended times whatever the answers do, and latency counts from those times.

Run as a process of its own (`python -m bench.openloop …`): the pace comes from an interval timer of the kernel, because
an event loop's timers are a millisecond coarse. Connections are kept alive and taken last-in first-out; one more is
opened when all are busy, so a slow answer never holds the next request back.
"""

import argparse
import asyncio
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import cast

import httptools
import msgspec
import uvloop

_GRACE_SECONDS = 10.0


class Latencies(msgspec.Struct):
    """What came back. Microseconds from the intended start, sorted."""

    sent: int
    answered: int
    failed: int
    latencies_us: list[int]

    def percentile(self, part: float) -> int:
        """The latency that `part` (0…1) of the answers did not exceed; 0 without answers."""
        values = self.latencies_us
        return values[min(len(values) - 1, int(part * len(values)))] if values else 0


class Connection(asyncio.Protocol):
    """One request at a time; tells `done(self, intended, status)` when it is answered."""

    __slots__ = ("_done", "_intended", "_parser", "_transport")

    def __init__(self, done: Callable[["Connection", int, int], None]) -> None:
        self._done = done
        self._intended = 0
        self._parser = httptools.HttpResponseParser(self)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, intended: int) -> None:
        self._intended = intended
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_message_complete(self) -> None:
        intended, self._intended = self._intended, 0
        self._done(self, intended, self._parser.get_status_code())

    def connection_lost(self, exc: Exception | None) -> None:
        if self._intended:
            self._done(self, self._intended, 0)

    def close(self) -> None:
        self._transport.close()


class Pacer:
    """Sends `count` requests, the i-th due at start + i / rate."""

    def __init__(self, port: int, requests: list[bytes], rate: float, count: int) -> None:
        self._port = port
        self._requests = requests
        self._gap_ns = 1e9 / rate
        self._count = count
        self._idle: list[Connection] = []
        self._opening: set[asyncio.Task[None]] = set()
        self._latencies: list[int] = []
        self._sent = self._failed = self._start = 0
        self._finished = asyncio.get_running_loop().create_future()

    async def run(self, connections: int) -> Latencies:
        """Opens `connections`, sends everything, waits for the answers."""
        loop = asyncio.get_running_loop()
        for _ in range(connections):
            self._idle.append(await self._connect())
        loop.add_signal_handler(signal.SIGALRM, self._tick)
        self._start = time.monotonic_ns()
        seconds = max(2e-4, self._gap_ns / 1e9)
        signal.setitimer(signal.ITIMER_REAL, seconds, seconds)
        try:
            await asyncio.wait_for(self._finished, self._count * self._gap_ns / 1e9 + _GRACE_SECONDS)
        except TimeoutError:
            self._failed = self._count - len(self._latencies)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
            loop.remove_signal_handler(signal.SIGALRM)
            for connection in self._idle:
                connection.close()
            await asyncio.sleep(0)
        return Latencies(self._count, len(self._latencies), self._failed, sorted(self._latencies))

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: Connection(self._answered), "127.0.0.1", self._port)
        return connection

    def _tick(self) -> None:
        due = min(self._count, int((time.monotonic_ns() - self._start) / self._gap_ns) + 1)
        while self._sent < due:
            self._send(self._start + int(self._sent * self._gap_ns))

    def _send(self, intended: int) -> None:
        request = self._requests[self._sent % len(self._requests)]
        self._sent += 1
        if self._idle:
            self._idle.pop().send(request, intended)
            return
        task = asyncio.get_running_loop().create_task(self._open_and_send(request, intended))
        self._opening.add(task)
        task.add_done_callback(self._opening.discard)

    async def _open_and_send(self, request: bytes, intended: int) -> None:
        try:
            (await self._connect()).send(request, intended)
        except OSError:
            self._settle(failed=True)

    def _answered(self, connection: Connection, intended: int, status: int) -> None:
        if status:
            self._idle.append(connection)
        if status == 200:
            self._latencies.append((time.monotonic_ns() - intended) // 1000)
        self._settle(failed=status != 200)

    def _settle(self, *, failed: bool) -> None:
        self._failed += failed
        if len(self._latencies) + self._failed == self._count and not self._finished.done():
            self._finished.set_result(None)


def request_bytes(body: bytes, headers: list[str], path: str = "/v1/chat/completions") -> bytes:
    """A whole HTTP/1.1 request."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Type: application/json"]
    lines += [*headers, f"Content-Length: {len(body)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


async def main() -> Latencies:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="bench.openloop")
    parser.add_argument("port", type=int)
    parser.add_argument("body", type=Path)
    parser.add_argument("--keys", type=Path, help="client keys, one a line")
    parser.add_argument("--rate", type=float, default=1000.0, help="requests per second")
    parser.add_argument("--count", type=int, default=5000, help="requests in all")
    parser.add_argument("--connections", type=int, default=8, help="opened before the start")
    arguments = parser.parse_args()
    keys = arguments.keys.read_text().split()[:1000] if arguments.keys else []
    body = arguments.body.read_bytes()
    requests = [request_bytes(body, [f"Authorization: Bearer {key}"]) for key in keys] or [request_bytes(body, [])]
    return await Pacer(arguments.port, requests, arguments.rate, arguments.count).run(arguments.connections)


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(main())).decode())
