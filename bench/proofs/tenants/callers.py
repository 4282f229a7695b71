"""Many clients of one gate, of which some leave at a random byte; connections are kept where an answer was read."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from typing import Any

_LIMIT = 1 << 20
_LONGEST = 9_000  # bytes of a stream, about
_PATIENCE = 60.0


@dataclass(slots=True)
class Tally:
    """What came of the calls. `answered` are the ids of those that were read to their end."""

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
        luck, load = self._luck, self._load
        stream = luck.random() < load.streamed
        writer.write(_request(load.model, luck.randint(*load.tokens), stream=stream))
        if luck.random() < load.leaving:
            await _some(reader, luck.randrange(_LONGEST) if luck.random() < 0.9 else 0)
            self.tally.left += 1
            return False
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        if b"transfer-encoding: chunked" in head:
            body = await reader.readuntil(b"\r\n0\r\n\r\n")
            whole = b"data: [DONE]" in body
        else:
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            await reader.readexactly(length)
            whole = True
        if not head.startswith(b"http/1.1 200"):
            self.tally.refused += 1
        elif whole:
            self.tally.answered.append(int(head.partition(b"x-request-id: req_")[2].partition(b"\r\n")[0], 16))
        else:
            self.tally.broken += 1
        return True


async def _some(reader: asyncio.StreamReader, count: int) -> None:
    """Read so many bytes, or to the end."""
    while count > 0:
        piece = await reader.read(min(count, 4_096))
        if not piece or piece.endswith(b"0\r\n\r\n") or b"content-length" in piece.lower():
            return
        count -= len(piece)


def _request(model: str, tokens: int, *, stream: bool) -> bytes:
    asked: dict[str, Any] = {"model": model, "max_tokens": tokens, "stream": stream}
    body = json.dumps(asked | {"messages": [{"role": "user", "content": "three short words"}]}).encode()
    head = "POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\ncontent-type: application/json\r\ncontent-length: "
    return f"{head}{len(body)}\r\n\r\n".encode() + body
