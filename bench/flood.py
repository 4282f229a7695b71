"""As many calls as a machine's two cores allow: open loop at a rate, or closed loop, over thousands of connections.

Run as a process of its own (`python -m bench.flood PORT PATH BODY …`), so that its CPU is told apart. It reads replies
by their `content-length` alone and costs about 15 µs a call. In the open loop a call that finds every connection busy
waits for one, and its latency counts from when it was due.
"""

import argparse
import asyncio
import signal
import time
from array import array
from collections import deque
from pathlib import Path
from typing import Final, cast

import msgspec
import uvloop

_TICK_S: Final = 0.001
_GRACE_S: Final = 5.0
_LOOK_S: Final = 0.02
_AT_ONCE: Final = 200  # connections opened at a time
_HEAD_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"content-length: "


class FloodResult(msgspec.Struct):
    """What came back in `seconds`. `refused` are 429 and 503, `failed` everything else that is no 200."""

    sent: int
    answered: int
    refused: int
    failed: int
    seconds: float
    cpu_seconds: float
    p50_ms: float
    p99_ms: float
    max_ms: float
    unsent: int = 0  # due, but no connection was free before the end


class Line(asyncio.Protocol):
    """One connection, one request at a time."""

    __slots__ = ("_held", "_missing", "_owner", "_status", "_transport", "intended")

    def __init__(self, owner: "Flood") -> None:
        self._owner = owner
        self._held = b""
        self._missing = 0  # bytes of the body that are still to come
        self._status = b""
        self.intended = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)

    def send(self, request: bytes, intended: int) -> None:
        """Send one request that was due at `intended` (nanoseconds)."""
        self.intended = intended
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        if self._missing:
            self._missing -= len(data)
        else:
            if self._held:
                data, self._held = self._held + data, b""
            end = data.find(_HEAD_END) + 4
            if end < 4:
                self._held = data
                return
            at = data.find(_LENGTH, 0, end)
            length = int(data[at + 16 : data.find(b"\r", at)]) if at > 0 else 0
            self._status = data[9:12]
            self._missing = end + length - len(data)
        if self._missing <= 0:
            self._missing = 0
            self._owner.done(self, self._status)

    def connection_lost(self, exc: Exception | None) -> None:
        self._owner.lost(self)

    def close(self) -> None:
        """Now."""
        self._transport.abort()


class Flood:
    """The load. `rate` 0 is a closed loop."""

    def __init__(self, port: int, requests: list[bytes], rate: float, seconds: float) -> None:
        self._port = port
        self._requests = requests
        self._gap_ns = 1e9 / rate if rate else 0.0
        self._length_ns = int(seconds * 1e9)
        self._lines: list[Line] = []
        self._idle: deque[Line] = deque()
        self._due: deque[int] = deque()
        self._latencies = array("Q")
        self._next = self._started = self._sent = self._offered = self._answered = self._refused = self._failed = 0
        self._over = False
        self._busy = 0

    async def run(self, connections: int) -> FloodResult:
        """Open the connections, flood, wait a little for what is under way."""
        loop = asyncio.get_running_loop()
        for first in range(0, connections, _AT_ONCE):
            await asyncio.gather(*(self._connect() for _ in range(min(_AT_ONCE, connections - first))))
        spent, self._started = time.process_time(), time.monotonic_ns()
        if self._gap_ns:
            loop.add_signal_handler(signal.SIGALRM, self._tick)
            signal.setitimer(signal.ITIMER_REAL, _TICK_S, _TICK_S)
        else:
            for line in tuple(self._idle):
                self._send(line, time.monotonic_ns())
            self._idle.clear()
        await asyncio.sleep(self._length_ns / 1e9)
        signal.setitimer(signal.ITIMER_REAL, 0)
        self._over = True
        took, cpu, answered = self._elapsed(), time.process_time() - spent, self._answered
        await self._rest()
        for line in self._lines:
            line.close()
        return self._result(took, cpu, answered)

    def _elapsed(self) -> float:
        return (time.monotonic_ns() - self._started) / 1e9

    async def _rest(self) -> None:
        for _ in range(int(_GRACE_S / _LOOK_S)):
            if self._busy:
                await asyncio.sleep(_LOOK_S)

    def _result(self, took: float, cpu: float, answered: int) -> FloodResult:
        values = sorted(self._latencies)

        def at(part: float) -> float:
            return values[min(len(values) - 1, int(part * len(values)))] / 1e6 if values else 0.0

        failed = self._failed + self._busy
        return FloodResult(
            self._sent, answered, self._refused, failed, took, cpu, at(0.5), at(0.99), at(1.0), len(self._due)
        )

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        _, line = await loop.create_connection(lambda: Line(self), "127.0.0.1", self._port)
        self._lines.append(line)
        self._idle.append(line)

    def _tick(self) -> None:
        due = min(self._length_ns, time.monotonic_ns() - self._started) / self._gap_ns
        while self._offered < due:
            intended = self._started + int(self._offered * self._gap_ns)
            self._offered += 1
            if self._idle:
                self._send(self._idle.pop(), intended)
            else:
                self._due.append(intended)

    def _send(self, line: Line, intended: int) -> None:
        self._sent += 1
        self._busy += 1
        self._next = (self._next + 1) % len(self._requests)
        line.send(self._requests[self._next], intended)

    def done(self, line: Line, status: bytes) -> None:
        """A reply is complete."""
        now = time.monotonic_ns()
        self._busy -= 1
        if status == b"200":
            self._answered += 1
            self._latencies.append(now - line.intended)
        elif status in {b"429", b"503"}:
            self._refused += 1
        else:
            self._failed += 1
        if self._over:
            return
        if not self._gap_ns:
            self._send(line, now)
        elif self._due:
            self._send(line, self._due.popleft())
        else:
            self._idle.append(line)

    def lost(self, line: Line) -> None:
        """A connection was closed by the other side; what it carried has failed."""
        if line in self._idle:
            self._idle.remove(line)
        elif not self._over:
            self._busy -= 1
            self._failed += 1


def requests_of(path: str, body: bytes, keys: list[str]) -> list[bytes]:
    """A whole request for each key."""
    start = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    end = f"Content-Length: {len(body)}\r\n\r\n".encode() + body
    return [f"{start}Authorization: Bearer {key}\r\n".encode() + end for key in keys]


async def main() -> FloodResult:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="bench.flood")
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("body", type=Path)
    parser.add_argument("keys", type=Path, help="keys to present in turn, one a line")
    parser.add_argument("--rate", type=float, default=0.0, help="calls a second; 0 = closed loop")
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--connections", type=int, default=500)
    options = parser.parse_args()
    requests = requests_of(options.path, options.body.read_bytes(), options.keys.read_text().split())
    return await Flood(options.port, requests, options.rate, options.seconds).run(options.connections)


if __name__ == "__main__":
    print(msgspec.json.encode(uvloop.run(main())).decode())
