"""A receiver of webhooks that does what its path says, and a desk with real rows for the sender."""

import asyncio
import itertools
import ssl
from collections.abc import Callable, Sequence
from time import time_ns
from typing import NamedTuple, TypeVar, TypeVarTuple, cast

from sqlalchemy.exc import OperationalError

from tidegate.jobs.hooks.sender import Database, Sender
from tidegate.jobs.records import End, NewJob, Owner, Result
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import DONE, JobSettings, WebhookSettings
from tidegate.observe.log import Log
from tidegate.policy.access.addresses import parse_address
from tidegate.ports import Clock
from tidegate.testing.clock import ManualClock, settle

SECRET = b"0123456789abcdef0123456789abcdef"
SECOND = 1_000_000
HOUR = 3_600 * SECOND
HOST = "hooks.example"

_T = TypeVar("_T")
_A = TypeVarTuple("_A")


class WallClock(ManualClock):
    """Moved by hand, from the present on: signatures are dated."""

    def __init__(self) -> None:
        super().__init__()
        self._since = time_ns() // 1_000

    def wall(self) -> int:
        return self._since + self.now()


class Told(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Does what its path says; any other is answered with 200."""

    def __init__(self, tls: ssl.SSLContext | None, clock: Clock) -> None:
        self.clock = clock
        self.told: list[Told] = []
        self.tls = tls
        self.port = 0
        self.redirect = ""
        self.open = 0
        self.gate = asyncio.Event()  # what `/held` waits for
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()

    def url(self, path: str, host: str = HOST) -> str:
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}{path}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
            headers = dict(line.split(": ", 1) for line in head[1:] if line)
            body = await reader.readexactly(int(headers["content-length"]))
            path = head[0].split(" ")[1]
            self.told.append(Told(path, headers, body))
            await self._answer(path, reader, writer)
        except (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self.open -= 1
            writer.close()

    async def _answer(self, path: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        match path.split("/")[1:]:
            case ["silent"]:
                await reader.read()
            case ["drip"]:
                await self._drip(reader, writer)
            case ["dripping-body"]:
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\nx")
                await reader.read()
            case ["big"]:
                await _flood(reader, writer, b"HTTP/1.1 200 OK\r\ncontent-length: 900000000\r\n\r\n", b"x" * 65_536)
            case ["endless-head"]:
                await _flood(reader, writer, b"HTTP/1.1 200 OK\r\n", b"x: " + b"y" * 1_000 + b"\r\n")
            case ["held"]:
                await self.gate.wait()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")
            case rest:
                writer.write(self._said(rest))

    def _said(self, path: list[str]) -> bytes:
        match path:
            case ["cut"]:
                return b""
            case ["nonsense"]:
                return b"220 mail.example ESMTP\r\n"
            case ["redirect"]:
                return f"HTTP/1.1 307 Go\r\nlocation: {self.redirect}\r\ncontent-length: 0\r\n\r\n".encode()
            case ["later", seconds]:
                return f"HTTP/1.1 503 No\r\nretry-after: {seconds}\r\ncontent-length: 0\r\n\r\n".encode()
            case ["status", status]:
                return f"HTTP/1.1 {status} X\r\ncontent-length: 2\r\n\r\nno".encode()
            case ["early"]:
                return b"HTTP/1.1 103 Hints\r\nretry-after: 9\r\n\r\nHTTP/1.1 204 OK\r\n\r\n"
            case _:
                return b"HTTP/1.1 200 OK\r\n\r\nfine"

    async def _drip(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """A byte a second, in a head that never ends."""
        for byte in itertools.chain(b"HTTP/1.1 200 OK\r\nx: ", itertools.repeat(ord("y"))):
            if reader.at_eof():
                return
            writer.write(bytes((byte,)))
            await writer.drain()
            await self.clock.sleep(SECOND)


async def _flood(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: bytes, piece: bytes) -> None:
    writer.write(head)
    while not reader.at_eof():
        writer.write(piece)
        await writer.drain()


class Book:
    """`Names`, from a table: the answers to one look-up after another, the last one for ever."""

    def __init__(self, **named: Sequence[Sequence[str]]) -> None:
        self.named = {name.replace("_", "."): list(answers) for name, answers in named.items()}
        self.asked: list[str] = []

    async def addresses(self, host: str) -> Sequence[bytes]:
        self.asked.append(host)
        if parse_address(host):
            return [parse_address(host)]
        answers = self.named.get(host, [["127.0.0.1"]])
        texts = answers.pop(0) if len(answers) > 1 else answers[0]
        if not texts:
            raise OSError("no such name")
        return [parse_address(text) for text in texts]


class Home:
    """As much of a desk as a sender sees. What is called runs in a thread, as it would there."""

    def __init__(self, rows: JobRows, clock: Clock, allow: Sequence[str] = ("127.0.0.0/8",)) -> None:
        self.log = Log("desk")
        self.clock = clock
        self.settings = JobSettings(webhooks=WebhookSettings(SECRET, tuple(allow)))
        self.open = True
        self._rows = rows
        self.busy = 0
        self.away: object = None  # the function that the database does not do
        self.refused = 0

    @property
    def rows(self) -> Database:
        return self._rows

    async def call_long(self, function: Callable[[*_A], _T], *arguments: *_A) -> _T:
        if function is self.away:
            self.refused += 1
            raise OperationalError("no", {}, OSError())
        self.busy += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(None, function, *arguments)
        finally:
            self.busy -= 1


def end(rows: JobRows, clock: Clock, *jobs: NewJob, state: str = DONE, reason: str = "") -> None:
    """These jobs are submitted, run and end."""
    wall = clock.wall()
    rows.submit(jobs, wall)
    leases = {lease.id: lease for lease in rows.claim("", 1_000, "runner", 60 * SECOND, wall)}
    result = Result(200, b"content-type: application/json\r\n", b'{"answer": "secret"}') if state == DONE else None
    ends = [
        End(
            id=job.id, fence=leases[job.id].fence, state=state, reason=reason, result=result, began_us=wall,
            prompt_tokens=7, completion_tokens=5,
        )
        for job in jobs
    ]  # fmt: skip
    assert all(rows.finish(ends, wall))


def job(name: str, webhook: str, clock: Clock, namespace: str = "sales", **more: object) -> NewJob:
    return NewJob(
        id=name, owner=Owner(namespace, "key", "user"), path="/v1/chat/completions?x=1", body=b'{"question": "secret"}',
        model="small", deadline_us=clock.wall() + HOUR, webhook=webhook, tags=("night",), **more,
    )  # type: ignore[arg-type]  # fmt: skip


async def until(condition: Callable[[], bool]) -> None:
    """The test's own time limit ends a vain wait."""
    while not condition():
        await settle(3)


async def advance(
    clock: ManualClock, sender: Sender, condition: Callable[[], bool], step: int = SECOND, stuck: int = 0
) -> None:
    """Move time on until `condition` holds, never while an attempt may still be answered; `stuck` never are."""
    while not condition():
        await clock.advance(step)
        await quiet(sender, stuck)


async def poke(sender: Sender, clock: ManualClock) -> None:
    """It looks, however lately it did."""
    sender.poke()
    await clock.advance(SECOND // 5)


async def quiet(sender: Sender, stuck: int = 0) -> None:
    """Whatever is real, threads and sockets, has come to rest."""
    for _ in range(3):  # who wakes up begins something
        await settle(5)
        while _works(sender, stuck):
            await settle(3)


def _works(sender: Sender, stuck: int) -> bool:
    home = cast("Home", sender._desk)
    return len(sender._attempts) > stuck or (home.away is None and bool(sender._back)) or home.busy > 0


__all__ = ["Sender"]
