"""Twin and gate as a user starts them, and what a test asks of each."""

import asyncio
import http.client
import json
from collections.abc import Iterable
from typing import Any, Self

from harness.gate import Gate as Served
from harness.wait import DEADLINE
from tests.twin.http import Answer, read

USER = [{"role": "user", "content": "three short words"}]
HEALTH = b"GET /healthz HTTP/1.1\r\nhost: gate\r\n\r\n"
_MOST = 1 << 24  # bytes read ahead


class Gate(Served):
    """A gate, and calls of it as bytes."""

    async def post(self, path: str, body: bytes | dict[str, Any], **headers: str) -> Answer:
        """One request on a connection of its own, and its reply to whatever end it has. `_` in names stands for `-`."""
        async with Line(self) as line:
            line.send(request(path, body, **headers))
            return await line.reply()

    async def chat(self, model: str, *, headers: dict[str, str] | None = None, **fields: Any) -> Answer:
        """`POST /v1/chat/completions`."""
        body = {"model": model, "messages": USER, "max_tokens": 20} | fields
        return await self.post("/v1/chat/completions", body, **headers or {})


class Line:
    """One connection to the gate."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate
        self.reader: asyncio.StreamReader
        self.writer: asyncio.StreamWriter

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self._gate.port, limit=_MOST)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.writer.transport.abort()
        await asyncio.sleep(0)  # the transport lets go of its socket

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def reply(self) -> Answer:
        async with asyncio.timeout(DEADLINE):
            answer = await read(self.reader)
            if answer.ended == "chunks":
                await self.reader.readexactly(2)  # after the last chunk: the next reply begins behind it
            return answer

    async def until(self, end: bytes) -> bytes:
        """What comes up to and with `end`. Raises `IncompleteReadError` when the connection ends before."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.readuntil(end)

    async def rest(self) -> bytes:
        """All that comes until the gate ends the connection."""
        async with asyncio.timeout(DEADLINE):
            return await self.reader.read()

    async def usable(self) -> bool:
        """Another request on the same connection is answered."""
        self.send(HEALTH)
        return (await self.reply()).status == 200

    async def closed(self) -> bool:
        """The gate has ended it; nothing more came."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True


def request(path: str, body: bytes | dict[str, Any], **headers: str) -> bytes:
    """A POST as bytes; a header with an empty value is left out."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = {"host": "gate", "content-type": "application/json", "content-length": str(len(data))}
    lines |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items() if value)
    return f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + data


def total(gate: Gate, prefix: str) -> float:
    """The sum of the metrics page's lines that begin so; 0 while nobody serves the page."""
    connection = http.client.HTTPConnection("127.0.0.1", gate.admin_port, timeout=DEADLINE)
    try:
        connection.request("GET", "/metrics")
        page = connection.getresponse().read().decode()
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        connection.close()
    return sum(float(line.rpartition(" ")[2]) for line in page.splitlines() if line.startswith(prefix))


def queued(gate: Gate, model: str) -> float:
    """How many calls wait for a model's quota, as the metrics page says."""
    return total(gate, f'tidegate_queue_calls{{model="{model}",')


def numbers(text: str) -> list[int]:
    """Which of the twin's numbered tokens are in a text."""
    return [int(word.removeprefix("t")) for word in text.split()]


def spoken(answer: Answer) -> list[int]:
    """The numbered tokens that reached a client, unary or streamed."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return numbers("".join(_contents(answer.events)))
    return numbers(answer.json["choices"][0]["message"]["content"])


def _contents(events: Iterable[Any]) -> Iterable[str]:
    for event in events:
        if isinstance(event, dict):
            for choice in event.get("choices", ()):
                yield choice["delta"].get("content") or ""


def tries(answer: Answer) -> list[str]:
    """`x-tidegate-attempts` without provider and scope: `p01 429 rate`."""
    told = answer.headers.get("x-tidegate-attempts", "")
    return [part.rpartition("/")[2] for part in told.split(", ")] if told else []
