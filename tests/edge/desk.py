"""A desk behind a real Unix socket, and a gate in front of it on a real port."""

import asyncio
import base64
import json
import socket
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec

from tests.edge.known import known
from tests.line.scenes import snapshot
from tests.wire.app import Client
from tidegate.edge.access.door import Door as Threshold
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.tickets import Tickets
from tidegate.edge.errands import Errands
from tidegate.edge.gateway import Gateway, Runtime
from tidegate.model.jobs import JobSettings
from tidegate.model.snapshot import AddressLimits, Provider, ServerSettings, Snapshot
from tidegate.policy.access.job_tokens import JobToken, signed
from tidegate.testing import Playbook
from tidegate.wire.server import Server, serve
from tidegate.worker.patient import Ways

SECRET = b"s" * 32
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


class Asked:
    """One request as the desk sees it, and the way to answer it."""

    def __init__(self, head: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.line, *lines = head[:-4].split(b"\r\n")
        pairs = [line.split(b": ", 1) for line in lines]
        self.headers = dict(pairs)
        self.repeated = len(pairs) != len(self.headers)
        self.body = b""
        self.reader = reader
        self.writer = writer

    async def read(self) -> bytes:
        """The whole body."""
        if b"content-length" in self.headers:
            self.body = await self.reader.readexactly(int(self.headers[b"content-length"]))
        elif b"transfer-encoding" in self.headers:
            while piece := await self.chunk():
                self.body += piece
        return self.body

    async def chunk(self) -> bytes:
        """The next piece of a body that comes in pieces."""
        size = int(await self.reader.readuntil(b"\r\n"), 16)
        return (await self.reader.readexactly(size + 2))[:-2]

    def told(self, name: str) -> Any:
        """What the worker says in one of its headers."""
        value = self.headers[name.encode()]
        return json.loads(base64.urlsafe_b64decode(value + b"=" * (-len(value) % 4)))


Script = Callable[[Asked], Awaitable[None]]


async def fine(asked: Asked) -> None:
    """Read it and answer."""
    await asked.read()
    asked.writer.write(OK)


class Desk:
    """Answers by a script, which may be changed; `asked` holds what has come."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.asked: list[Asked] = []
        self.ended = 0  # connections
        self.script: Script = fine
        self._server: asyncio.Server | None = None
        self._writers: set[asyncio.StreamWriter] = set()

    async def open(self) -> None:
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    def die(self) -> None:
        """As killed: all connections break, nobody listens."""
        assert self._server is not None
        self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        try:
            while True:
                asked = Asked(await reader.readuntil(b"\r\n\r\n"), reader, writer)
                self.asked.append(asked)
                await self.script(asked)
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self.ended += 1
            self._writers.discard(writer)
            writer.close()


class Gate:
    """A gate that knows patient work. `play` is its line, `desk` what stands behind it."""

    def __init__(self, folder: Path, clients: Clients | None = None, *providers: Provider, **strategy: Any) -> None:
        self.snapshot = patient(snapshot(*providers, **strategy))
        self.play = Playbook(self.snapshot)
        self.desk = Desk(folder / "jobs.sock")
        recorder = self.play.recorder
        door = Threshold(AddressLimits(), None, b"x")
        self.runtime = Runtime(self.play.book, clients or known(), door, Tickets(lambda: SECRET))
        self.gateway = Gateway(self.runtime, self.play.line, self.play.clock, recorder, recorder)
        ways = Ways(self.desk.path, self.play.clock)
        self.ways = ways
        self.gateway.pipeline.jobs = Errands(ways, self.gateway.replies, self.play.clock, recorder)
        self._server: Server | None = None
        self._clients: list[Client] = []

    async def open(self) -> None:
        await self.desk.open()
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self._server = await serve(listener, self.gateway, ServerSettings(), self.play.clock)
        self._server.allow(_longer)

    async def client(self) -> Client:
        assert self._server is not None
        self._clients.append(await Client.open(self._server.port))
        return self._clients[-1]

    async def ask(self, path: str, body: Any = None, method: str = "POST", **headers: str) -> Any:
        """One request on a connection of its own, and its reply."""
        return await (await self.client()).ask(request(path, body, method, **headers), method)

    @property
    def sent(self) -> int:
        """Requests that have reached the provider."""
        return len(self.play.sent("openai"))

    def ticket(self, **fields: Any) -> str:
        named = {"job": "job_1", "fence": 1, "client": "", "namespace": "", "user": ""} | fields
        return signed(JobToken(until_us=self.play.clock.wall() + 60_000_000, **named), SECRET).decode()

    async def close(self) -> None:
        for client in self._clients:
            client.abort()
        assert self._server is not None
        self._server.close()
        self.ways.prompt.abort()
        self.ways.waiting.abort()
        self.desk.die()
        for _ in range(5):
            await asyncio.sleep(0)


def _longer(_method: bytes, path: bytes) -> int:
    return 1 << 30 if path == b"/v1/files" else 0


def patient(given: Snapshot) -> Snapshot:
    return msgspec.structs.replace(given, jobs=JobSettings(enabled=True))


def request(path: str, body: Any = None, method: str = "POST", **headers: str) -> bytes:
    """`_` in the names of headers stands for `-`."""
    data = b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    lines = {"host": "gate.example", "content-length": str(len(data)), **named}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + data
