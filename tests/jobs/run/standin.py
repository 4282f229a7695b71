"""A stand-in for the gate: a small HTTP server that answers as it is told, at a port and at a socket."""

import asyncio
from collections.abc import Callable
from pathlib import Path

OK = b'{"id":"c","object":"chat.completion","choices":[],"usage":{"prompt_tokens":7,"completion_tokens":3}}'


class Request:
    """One that came. `gone` is set when its client has closed the connection."""

    def __init__(self, head: bytes, body: bytes) -> None:
        lines = head.decode("latin-1").split("\r\n")
        self.line = lines[0]
        self.headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines[1:])]
        self.body = body
        self.gone = asyncio.Event()

    def header(self, name: str) -> str:
        """The only one of this name."""
        (value,) = [value for own, value in self.headers if own == name]
        return value


def reply(status: int = 200, body: bytes = OK, *lines: str) -> bytes:
    """A whole one."""
    head = [f"HTTP/1.1 {status} X", "content-type: application/json", f"content-length: {len(body)}", *lines]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


class Standin:
    """Answers with what `answer` makes of a request; b"" = not at all: the call hangs until its client leaves.

    When `answer` raises `ConnectionError`, the connection is cut.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.came = asyncio.Condition()
        self.answer: Callable[[Request], bytes] = lambda _request: reply()
        self._servers: list[asyncio.Server] = []
        self._connections: set[asyncio.StreamWriter] = set()

    async def at_port(self) -> str:
        """Its URL."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self._servers.append(server)
        return f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"

    async def at_socket(self, path: Path) -> None:
        """Listen there too."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._servers.append(await asyncio.start_unix_server(self._serve, path))

    async def wait_for(self, count: int) -> list[Request]:
        """All requests, when there are so many."""
        async with self.came:
            await self.came.wait_for(lambda: len(self.requests) >= count)
        return self.requests

    async def close(self) -> None:
        """Cut everything off."""
        for server in self._servers:
            server.close()
        for writer in self._connections:
            writer.transport.abort()
        for server in self._servers:
            await server.wait_closed()
        self._servers.clear()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._connections.add(writer)
        request = None
        try:
            while True:
                request = await self._read(reader)
                answer = self.answer(request)
                async with self.came:
                    self.requests.append(request)
                    self.came.notify_all()
                if answer:
                    writer.write(answer)
        except (asyncio.IncompleteReadError, ConnectionError):
            if request is not None:
                request.gone.set()
        finally:
            self._connections.discard(writer)
            writer.close()

    async def _read(self, reader: asyncio.StreamReader) -> Request:
        head = await reader.readuntil(b"\r\n\r\n")
        request = Request(head[:-4], b"")
        request.body = await reader.readexactly(int(request.header("content-length")))
        return request
