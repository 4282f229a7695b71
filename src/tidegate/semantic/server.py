"""The socket of the process: who asks what. Nothing here waits for the engine."""

import asyncio
import socket
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from tidegate.cache.semantic_frames import (
    Ask,
    Compared,
    Count,
    Done,
    Explain,
    Feedback,
    Frames,
    Gone,
    Learn,
    Ping,
    Reply,
    Request,
    encode,
    requests,
)
from tidegate.ports import Clock
from tidegate.semantic.engine import Engine
from tidegate.semantic.mind import Mind
from tidegate.semantic.store import Log

_MOST_UNREAD: Final = 1 << 20  # bytes of replies, beyond which a client is not served any more


class SemanticServer:
    """Hands what is asked to the engine, and replies from its thread to the loop's."""

    __slots__ = ("_clock", "_engine", "_mind", "decode", "log", "loop")

    def __init__(self, mind: Mind, engine: Engine, clock: Clock, log: Log) -> None:
        self.loop = asyncio.get_running_loop()
        self.decode = requests().decode
        self.log = log
        self._mind = mind
        self._engine = engine
        self._clock = clock

    def take(self, request: Request, link: "Link") -> None:
        """One request of a client."""
        mind, engine = self._mind, self._engine
        match request:
            case Ask():
                engine.ask(request, link.reply_later)
            case Learn():
                engine.chore(lambda: mind.learn(request, self._clock.wall()))
            case Compared():
                engine.chore(lambda: mind.compared(request))
            case Gone():
                engine.soon(lambda: mind.gone(request))
            case Feedback():
                engine.soon(lambda: link.reply_later(Done(request.id, mind.feedback(request))))
            case Explain():
                engine.soon(lambda: link.reply_later(mind.explain(request)))
            case Count():
                engine.soon(lambda: self._standing(request.id, link))
            case Ping():
                link.reply(Done(request.id))

    def _standing(self, number: int, link: "Link") -> None:
        stats, engine = self._mind.standing(), self._engine
        late = engine.late + stats.refused.get("late", 0)
        link.reply_later(
            msgspec.structs.replace(
                stats,
                id=number,
                waiting=engine.waiting,
                embed_us=engine.embed_us,
                asked=stats.asked + engine.late,
                refused={**stats.refused, "late": late} if late else stats.refused,
                dropped=stats.dropped + engine.dropped,
            )
        )


class Link(asyncio.Protocol):
    """One client."""

    __slots__ = ("_desk", "_frames", "_transport")

    def __init__(self, desk: SemanticServer) -> None:
        self._desk = desk
        self._frames = Frames()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.Transport):
            self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            for payload in self._frames.feed(data):
                self._desk.take(self._desk.decode(payload), self)
        except ValueError as error:
            self._desk.log.error("what a client asks makes no sense; its connection is closed", problem=str(error))
            self._end()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def reply(self, message: Reply) -> None:
        """In the loop's thread."""
        self._write(message.id, encode(message))

    def reply_later(self, message: Reply) -> None:
        """In any thread. The message is encoded here: it may change."""
        self._desk.loop.call_soon_threadsafe(self._write, message.id, encode(message))

    def _write(self, number: int, frame: bytes) -> None:
        transport = self._transport
        if transport is None or not number:
            return
        if transport.get_write_buffer_size() > _MOST_UNREAD:
            self._end()
            return
        transport.write(frame)

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.abort()
            self._transport = None


def bind(path: Path) -> socket.socket:
    """A Unix socket that only this user may reach; one that a dead process left is replaced. Raises `OSError`."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


async def serve(listener: socket.socket, desk: SemanticServer) -> asyncio.Server:
    """Take clients from now on."""
    return await asyncio.get_running_loop().create_unix_server(partial(Link, desk), sock=listener)
