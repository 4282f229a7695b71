"""A client that shows everything: status, headers, the bytes of a body, and how the connection ended."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from tidegate.twin.app import Twin


@dataclass
class Answer:
    """One reply as it came. `ended`: "length", "chunks", "eof" or the name of the exception that broke it off."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: str = ""

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def events(self) -> list[Any]:
        """The data of an event stream, decoded; `[DONE]` and what is no JSON stay text."""
        return [_data(block[len("data: ") :]) for block in self.body.decode().split("\n\n") if block]


def _data(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


class Http:
    """Sends requests, each on a connection of its own. `open` leaves one open, until `leave`."""

    def __init__(self, twin: Twin, key: str = "sk-test") -> None:
        self.twin = twin
        self.key = key
        self._writers: list[asyncio.StreamWriter] = []

    async def open(self, method: str, path: str, body: bytes = b"", **headers: str) -> asyncio.StreamReader:
        """Send a request; the reply is the caller's to read."""
        reader, writer = await asyncio.open_connection("127.0.0.1", int(self.twin.origin.rpartition(":")[2]))
        self._writers.append(writer)
        given = {"host": "twin", "authorization": f"Bearer {self.key}", "content-length": str(len(body))} | headers
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items() if value)
        writer.write(f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
        return reader

    async def request(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send a request and read its reply to whatever end it has."""
        reader = await self.open(method, path, body, **headers)
        writer = self._writers.pop()
        try:
            return await read(reader)
        finally:
            writer.transport.abort()

    async def chat(self, body: bytes) -> Answer:
        """`POST /chat/completions`."""
        return await self.request("POST", "/openai/v1/chat/completions", body)

    async def control(self, method: str, path: str, value: Any = None) -> Any:
        """A control endpoint's JSON."""
        body = b"" if value is None else json.dumps(value).encode()
        return (await self.request(method, path, body)).json

    async def ledger(self) -> dict[str, Any]:
        """`GET /twin/ledger`."""
        ledger: dict[str, Any] = await self.control("GET", "/twin/ledger")
        return ledger

    async def calls(self) -> list[dict[str, Any]]:
        """`GET /twin/calls`."""
        calls: list[dict[str, Any]] = await self.control("GET", "/twin/calls")
        return calls

    def leave(self) -> None:
        """Close what `open` opened."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()


async def read(reader: asyncio.StreamReader) -> Answer:
    """One reply, to whatever end it has."""
    answer = Answer()
    try:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        answer.status = int(lines[0].split()[1])
        answer.headers = dict(line.split(": ", 1) for line in lines[1:] if line)
        if "content-length" in answer.headers:
            await _read_length(reader, answer, int(answer.headers["content-length"]))
        else:
            await _read_chunks(reader, answer)
    except (asyncio.IncompleteReadError, ConnectionError, ValueError) as error:
        answer.ended = type(error).__name__
    return answer


async def _read_length(reader: asyncio.StreamReader, answer: Answer, length: int) -> None:
    while len(answer.body) < length:
        data = await reader.read(length - len(answer.body))
        if not data:
            answer.ended = "eof"
            return
        answer.body += data
    answer.ended = "length"


async def _read_chunks(reader: asyncio.StreamReader, answer: Answer) -> None:
    while size := int(await reader.readuntil(b"\r\n"), 16):
        answer.body += (await reader.readexactly(size + 2))[:-2]
    answer.ended = "chunks"
