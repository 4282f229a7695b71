"""One call of the playground: to a worker of this machine over its socket, and the answer back as it comes.

HTTP/1.1 as the gate's own workers speak it, and no more of it: a length, or chunks.
"""

import asyncio
from collections.abc import AsyncIterator
from itertools import count
from pathlib import Path
from typing import Final, NamedTuple, Self

from tidegate.model.playground import SOCKET

WORKERS: Final = "workers"  # in the state directory: folders of all workers but the first (`supervisor/homes.py`)
_REPLICAS: Final = "+*"
_SUCCESSOR: Final = "+"
_HEAD: Final = 65_536  # bytes
_PIECE: Final = 65_536
_TURN: Final = count()


class Away(Exception):
    """No worker could be asked, or it ended in between."""


class Head(NamedTuple):
    """How an answer begins; names of headers are lower case."""

    status: int
    headers: dict[str, str]

    @property
    def call(self) -> int | None:
        """The number of the call, where it is one of this gate's."""
        named = self.headers.get("x-request-id", "")
        try:
            return int(named.removeprefix("req_"), 16) if named.startswith("req_") else None
        except ValueError:
            return None


class Play:
    """One request. As a context: whoever leaves it cancels the call, if that has not ended."""

    __slots__ = ("_head", "_reader", "_writer")

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, head: Head) -> None:
        self._reader = reader
        self._writer = writer
        self._head = head

    @classmethod
    async def ask(cls, sockets: list[Path], path: str, headers: dict[str, str], body: bytes) -> Self:
        """To the first of them that is there. Raises `Away`."""
        for place in sockets:
            try:
                reader, writer = await asyncio.open_unix_connection(str(place), limit=_HEAD)
            except OSError:
                continue
            try:
                lines = {"host": "playground", "connection": "close", "content-length": str(len(body)), **headers}
                head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
                writer.write(f"POST {path} HTTP/1.1\r\n{head}\r\n".encode() + body)
                await writer.drain()
                return cls(reader, writer, _read(await reader.readuntil(b"\r\n\r\n")))
            except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
                writer.transport.abort()
                raise Away(type(error).__name__) from None
            except BaseException:
                writer.transport.abort()
                raise
        raise Away("no worker listens")

    @property
    def head(self) -> Head:
        """How its answer begins."""
        return self._head

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.transport.abort()

    async def pieces(self) -> AsyncIterator[bytes]:
        """The answer's body as it comes. Raises `Away` when it ends too early."""
        try:
            if self._head.headers.get("transfer-encoding") == "chunked":
                while size := int((await self._reader.readuntil(b"\r\n")).partition(b";")[0], 16):
                    yield (await self._reader.readexactly(size + 2))[:-2]
                return
            left = int(self._head.headers.get("content-length", "0"))
            while left:
                piece = await self._reader.readexactly(min(left, _PIECE))
                left -= len(piece)
                yield piece
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError) as error:
            raise Away(type(error).__name__) from None


def sockets_of(state_dir: Path, namespace: str, *, isolated: bool) -> list[Path]:
    """Those of the workers that serve this namespace: its own where it is isolated; else each replica in its turn.

    `isolated`: so the configuration in force says. A folder in the state directory stays when that is over.
    """
    workers = state_dir / WORKERS
    if isolated:
        own = [workers / f"{namespace}{end}" / SOCKET for end in ("", _SUCCESSOR)]
        return [path for path in own if path.exists()]
    found = [path for path in (state_dir / SOCKET, *sorted(workers.glob(f"{_REPLICAS}/{SOCKET}"))) if path.exists()]
    first = next(_TURN) % len(found) if found else 0
    return found[first:] + found[:first]


def _read(head: bytes) -> Head:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    return Head(int(first.split(" ", 2)[1]), headers)
