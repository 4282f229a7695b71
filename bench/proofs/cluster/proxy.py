"""A link to a server that can be slow or cut: a TCP proxy of our own, as a process of its own.

`python -m bench.proofs.cluster.proxy LISTEN TARGET` takes a word a line from its standard input: `delay MS` (of a round
trip, half of it each way), `cut` (nothing passes, nobody is told: a network that swallows), `open`.
"""

import argparse
import asyncio
import subprocess
import sys
from collections import deque
from types import TracebackType
from typing import Final, Self, cast

from bench.upstreams import ROOT
from harness.ports import accepts, free_port
from harness.process import await_ready, end
from harness.servers.redis import Server

_HOST: Final = "127.0.0.1"


class Link:
    """What holds for all connections now."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.delay_s = 0.0
        self.cut = False
        self.ways: set[Way] = set()

    def obey(self, line: str) -> None:
        """One line of the standard input."""
        word, _, value = line.strip().partition(" ")
        if word == "delay":
            self.delay_s = float(value) / 2_000
        self.cut = word == "cut" if word in {"cut", "open"} else self.cut
        if not self.cut:
            for way in tuple(self.ways):
                way.go_on()


class Way(asyncio.Protocol):
    """One direction of one connection: what comes here leaves at `other`, in order, when it is due."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._held: deque[tuple[float, bytes]] = deque()
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._ended = False
        self.other: Way | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        self._link.ways.add(self)

    def data_received(self, data: bytes) -> None:
        self._held.append((asyncio.get_running_loop().time() + self._link.delay_s, data))
        if self._timer is None:
            self.go_on()

    def go_on(self) -> None:
        """Pass on what is due, and come again for the rest."""
        now = asyncio.get_running_loop().time()
        self._timer = None
        while self._held and not self._link.cut and self.other is not None and self.other.ready:
            due, data = self._held[0]
            if due > now:
                self._timer = asyncio.get_running_loop().call_at(due, self.go_on)
                return
            self._held.popleft()
            self.other.pass_on(data)
        if self._ended and not self._held:
            self._link.ways.discard(self)
            if self.other is not None:
                self.other.close()

    @property
    def ready(self) -> bool:
        return self._transport is not None

    def pass_on(self, data: bytes) -> None:
        """To whom this end belongs."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        """Whoever left: what was sent before still arrives, when it can, and then its end."""
        self._ended = True
        if self._timer is None:
            self.go_on()

    def close(self) -> None:
        """Once what was passed on is sent."""
        if self._transport is not None:
            self._transport.close()


class Door(Way):
    """A client's end: it dials the server."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._dialling: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self.other = Way(self._link)
        self.other.other = self
        self._dialling = asyncio.get_running_loop().create_task(self._dial(self.other))

    async def _dial(self, way: Way) -> None:
        try:
            await asyncio.get_running_loop().create_connection(lambda: way, _HOST, self._link.target)
        except OSError:
            self.close()
            return
        self.go_on()


async def serve(listen: int, target: int) -> None:
    """Until the standard input ends."""
    loop, link = asyncio.get_running_loop(), Link(target)
    server = await loop.create_server(lambda: Door(link), _HOST, listen)
    lines = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        link.obey(line.decode())
    server.close()


class Proxy:
    """The link as a process, before a server."""

    def __init__(self, server: Server) -> None:
        """Returns when it accepts. Raises `NotReady`."""
        self.port = free_port()
        command = [sys.executable, "-m", "bench.proofs.cluster.proxy", str(self.port), str(server.port)]
        with (server.home / "proxy.log").open("ab") as log:
            self._child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, cwd=ROOT)
        await_ready(self._child, lambda: accepts(self.port), server.home / "proxy.log", 10)

    @property
    def url(self) -> str:
        return f"redis://{_HOST}:{self.port}/0"

    def slow(self, round_trip_ms: float) -> None:
        """From now on every round trip takes so much longer."""
        self._say(f"delay {round_trip_ms}")

    def cut(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._say("cut")

    def restore(self) -> None:
        """Everything passes, what was held first."""
        self._say("open")

    def close(self) -> None:
        """End it."""
        assert self._child.stdin is not None
        self._child.stdin.close()
        end(self._child)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _say(self, line: str) -> None:
        assert self._child.stdin is not None
        self._child.stdin.write(f"{line}\n".encode())
        self._child.stdin.flush()


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(prog="bench.proofs.cluster.proxy")
    parser.add_argument("listen", type=int)
    parser.add_argument("target", type=int)
    options = parser.parse_args()
    asyncio.run(serve(options.listen, options.target))


if __name__ == "__main__":
    main()
