"""Many clients of one gate, of which some leave before their answers end; connections are kept where one was read."""

import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from typing import Any

_LIMIT = 1 << 20
_PATIENCE = 60.0


@dataclass(slots=True)
class Tally:
    """What came of the calls. `answered` are the ids of those that were read to their end, `left` ended before it."""

    begun: int = 0
    answered: list[int] = field(default_factory=list)
    left: int = 0
    refused: int = 0  # another status than 200
    broken: int = 0  # cut, or no connection


@dataclass(frozen=True, slots=True)
class Load:
    """So many calls of a model by so many clients; `leaving` and `streamed` are shares.

    Few clients: on a machine that is too busy tokens are made that nobody has delivered yet when a client leaves.
    """

    port: int
    model: str
    calls: int
    clients: int = 20
    leaving: float = 0.2
    streamed: float = 0.7
    tokens: tuple[int, int] = (5, 60)
    seed: int = 1


class Callers:
    """Runs a load. `stop` ends it early, at the end of the calls that run."""

    def __init__(self, load: Load) -> None:
        self._load = load
        self._left = load.calls
        self._luck = random.Random(load.seed)
        self.tally = Tally()
        self._bytes: dict[int, int] = {}  # of a stream, by the tokens that were asked for
        self._lasted = 0.0  # seconds, of an answer that came at once

    def stop(self) -> None:
        """Begin no more calls."""
        self._left = 0

    async def run(self) -> Tally:
        """All of it."""
        await asyncio.gather(*(self._client() for _ in range(self._load.clients)))
        return self.tally

    async def _client(self) -> None:
        line: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while self._left > 0:
            self._left -= 1
            try:
                if line is None:
                    line = await asyncio.open_connection("127.0.0.1", self._load.port, limit=_LIMIT)
                stays = await asyncio.wait_for(self._call(*line), _PATIENCE)
            except (OSError, EOFError, TimeoutError):
                self.tally.broken += 1
                stays = False
            if not stays and line is not None:
                line[1].transport.abort()
                line = None
        if line is not None:
            line[1].transport.abort()

    async def _call(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """One call; False when the connection is of no use any more."""
        luck, load, began = self._luck, self._load, time.monotonic()
        stream, tokens, leaves = luck.random() < load.streamed, luck.randint(*load.tokens), luck.random() < load.leaving
        self.tally.begun += 1
        writer.write(_request(load.model, tokens, stream=stream))
        if leaves:
            reply = await self._part(reader, stream=stream, tokens=tokens)
            if not _ended(reply):
                self.tally.left += 1
                return False
        else:
            reply = await _read(reader)
            if stream:
                self._bytes[tokens] = len(reply)
            else:
                self._lasted = time.monotonic() - began
        self._count(reply)
        return True

    async def _part(self, reader: asyncio.StreamReader, *, stream: bool, tokens: int) -> bytes:
        """A stream to a random byte before its end, an answer that comes at once for a part of the time that it takes.

        How long that is the last one told that was read to its end.
        """
        if stream:
            return await _read(reader, self._luck.randrange(self._bytes.get(tokens, 1)))
        try:
            return await asyncio.wait_for(_read(reader), self._luck.random() * self._lasted)
        except TimeoutError:
            return b""

    def _count(self, reply: bytes) -> None:
        head = reply.partition(b"\r\n\r\n")[0].lower()
        if not head.startswith(b"http/1.1 200"):
            self.tally.refused += 1
        elif b"transfer-encoding: chunked" in head and b"data: [DONE]" not in reply:
            self.tally.broken += 1
        else:
            self.tally.answered.append(int(head.partition(b"x-request-id: req_")[2].partition(b"\r\n")[0], 16))


async def _read(reader: asyncio.StreamReader, most: int = _LIMIT) -> bytes:
    """A reply to its end, or its first `most` bytes. Raises `EOFError` where it breaks off before."""
    said = b""
    while len(said) < most and not _ended(said):
        piece = await reader.read(min(most - len(said), 4_096))
        if not piece:
            raise EOFError
        said += piece
    return said


def _ended(reply: bytes) -> bool:
    head, found, body = reply.partition(b"\r\n\r\n")
    if not found:
        return False
    length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
    return len(body) >= int(length) if length else reply.endswith(b"\r\n0\r\n\r\n")


def _request(model: str, tokens: int, *, stream: bool) -> bytes:
    asked: dict[str, Any] = {"model": model, "max_tokens": tokens, "stream": stream}
    body = json.dumps(asked | {"messages": [{"role": "user", "content": "three short words"}]}).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body
