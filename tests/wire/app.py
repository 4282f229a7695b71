"""A handler to serve in tests, a raw client, and an upstream that follows a script."""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import h11

from tidegate.model.snapshot import Profile, Provider
from tidegate.wire.exchange import Exchange, Intake

PROFILE = Profile(name="any", dialect="openai", dated="", source="")
TEXT = b"content-type: text/plain\r\n"


async def until(condition: Callable[[], bool]) -> None:
    """Let everything run until `condition` holds; the test's own time limit ends a vain wait."""
    while not condition():
        await asyncio.sleep(0)


class App:
    """Answers by path: /echo returns the body, /hold keeps the exchange, /stream reads the body as it arrives."""

    def __init__(self) -> None:
        self.seen: list[Exchange] = []
        self.held: list[Exchange] = []
        self.gone = 0
        self.pauses = 0
        self.resumes = 0
        self.tasks: set[asyncio.Task[None]] = set()

    def head(self, exchange: Exchange) -> Intake:
        self.seen.append(exchange)
        exchange.on_gone = self._on_gone
        exchange.on_pause = self._on_pause
        exchange.on_resume = self._on_resume
        path = exchange.path
        if path == b"/early":
            exchange.respond(401, TEXT, b"early")
        elif path == b"/early-stream":
            exchange.start(401, TEXT)
            exchange.write(b"early")
        elif path == b"/fail-head":
            raise RuntimeError("on purpose")
        return Intake.STREAM if path.startswith((b"/stream", b"/source")) else Intake.BUFFER

    def call(self, exchange: Exchange) -> None:
        path = exchange.path
        if path in {b"/hold", b"/source"}:
            self.held.append(exchange)
        elif path == b"/stream":
            self._spawn(self._stream(exchange))
        elif path == b"/fail":
            raise RuntimeError("on purpose")
        elif path == b"/fail-late":
            exchange.start(200, TEXT)
            raise RuntimeError("on purpose")
        elif path.startswith(b"/status/"):
            exchange.respond(int(path[8:]), TEXT, b"x")
        elif path == b"/big":
            exchange.respond(200, TEXT, b"x" * int(exchange.query))
        elif not exchange.replied:
            exchange.respond(200, TEXT, exchange.body)

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        return b'{"path":"%b","code":"%b","message":"%b"}' % (path, code.encode(), message.encode())

    async def _stream(self, exchange: Exchange) -> None:
        exchange.start(200, TEXT)
        try:
            while data := await exchange.source.read():
                exchange.write(data)
        except ConnectionError:
            return
        exchange.end()

    def _spawn(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def _on_gone(self) -> None:
        self.gone += 1

    def _on_pause(self) -> None:
        self.pauses += 1

    def _on_resume(self) -> None:
        self.resumes += 1


class Reply(NamedTuple):
    """A reply as h11 reads it."""

    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Client:
    """One connection; replies are read by h11, which is strict about them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self._rest = b""

    @classmethod
    async def open(cls, port: int, tls: ssl.SSLContext | None = None) -> "Client":
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=tls, server_hostname="localhost" if tls else None
        )
        return cls(reader, writer)

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self, method: str = "GET") -> Reply:
        """The next final reply. Raises `h11.RemoteProtocolError` when it is cut or malformed."""
        parser = h11.Connection(h11.CLIENT)
        parser.send(h11.Request(method=method, target="/", headers=[("host", "a")]))
        parser.send(h11.EndOfMessage())
        if self._rest:
            parser.receive_data(self._rest)
        head: h11.Response | None = None
        body = b""
        while True:
            event = parser.next_event()
            if event is h11.NEED_DATA:
                parser.receive_data(await self.reader.read(65_536))
            elif isinstance(event, h11.Response):
                head = event
            elif isinstance(event, h11.Data):
                body += bytes(event.data)
            elif isinstance(event, h11.EndOfMessage):
                self._rest = parser.trailing_data[0]
                assert head is not None
                return Reply(head.status_code, dict(head.headers), body)

    async def ask(self, data: bytes, method: str = "GET") -> Reply:
        self.send(data)
        return await self.reply(method)

    async def rest(self) -> bytes:
        """All up to the end of the connection; also when that is a reset."""
        data = self._rest
        try:
            while piece := await self.reader.read(65_536):
                data += piece
        except ConnectionError:
            pass
        return data

    def close(self) -> None:
        self.writer.close()

    def abort(self) -> None:
        self.writer.transport.abort()


def provider_of(url: str, **fields: object) -> Provider:
    """A provider entry."""
    return Provider(**({"name": "origin", "base_url": url, "profile": PROFILE, "scopes": ()} | fields))  # type: ignore[arg-type]


Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Origin:
    """An upstream: a script per connection, in turn; the last one serves all further connections."""

    def __init__(self, *scripts: Script) -> None:
        self._scripts = list(scripts)
        self._server: asyncio.Server | None = None
        self.connections = 0
        self.closed = 0  # connections that the other side has ended
        self.requests: list[bytes] = []
        self._writers: set[asyncio.StreamWriter] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> "Origin":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=tls)
        return self

    @property
    def port(self) -> int:
        assert self._server is not None
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.add(writer)
        script = self._scripts.pop(0) if len(self._scripts) > 1 else self._scripts[0]
        try:
            await script(reader, writer)
            while await reader.read(65_536):
                pass
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            self.closed += 1
            self._writers.discard(writer)
            writer.close()

    async def request(self, reader: asyncio.StreamReader) -> bytes:
        """Read one request whole, by its own framing, and note it."""
        head = await reader.readuntil(b"\r\n\r\n")
        body = bytearray()
        lower = head.lower()
        if b"content-length: " in lower:
            body += await reader.readexactly(int(lower.split(b"content-length: ")[1].split(b"\r\n")[0]))
        elif b"transfer-encoding: chunked" in lower:
            size = -1
            while size:
                line = await reader.readuntil(b"\r\n")
                size = int(line, 16)
                body += line + await reader.readexactly(size + 2)
        self.requests.append(head + bytes(body))
        return self.requests[-1]

    def answers(self, *replies: bytes, reset: bool = False, close: bool = False) -> Script:
        """A script: one reply per request, as these bytes; then a reset or an orderly end, or nothing more."""

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            for reply in replies:
                await self.request(reader)
                writer.write(reply)
            if reset:
                sock: socket.socket = writer.get_extra_info("socket")
                await writer.drain()
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                writer.transport.abort()
            elif close:
                writer.close()

        return script

    def forever(self, reply: bytes) -> Script:
        """A script: the same reply to every request."""

        async def script(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while True:
                await self.request(reader)
                writer.write(reply)

        return script

    async def stop(self) -> None:
        assert self._server is not None
        self._server.close()
        for writer in tuple(self._writers):
            writer.transport.abort()
        await until(lambda: self.closed == self.connections)
