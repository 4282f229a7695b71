"""A lean way through the twin for load tests: the same limiter and ledger, one fixed answer, a fraction of the cost.

A connection whose requests are `POST …/chat/completions`, whole and unary, never meets the strict wire, the parser or
the tokenizer twice: heads and bodies that were seen before are recognised by their bytes. Anything else (another path,
a stream, a body without `content-length`, a fault rule in force) hands the connection over to the ordinary server, for
good. Requests are expected one at a time. Every answer takes exactly the median of `ttft_ms`; single calls are neither
remembered nor faulted, and the ledger counts them as ever.
"""

import asyncio
import re
import socket
from collections import deque
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeVar, cast

from tidegate.model.snapshot import ServerSettings
from tidegate.twin import headers, problems
from tidegate.twin.customs import charge
from tidegate.twin.directory import Seat
from tidegate.twin.problems import Problem
from tidegate.twin.requests import Parser
from tidegate.twin.scripts import usage
from tidegate.twin.state import State
from tidegate.wire.connection import ServerConnection
from tidegate.wire.exchange import Handler
from tidegate.wire.hub import Hub
from tidegate.wire.reply import status_line
from tidegate.wire.server import Server

_HEAD_END: Final = b"\r\n\r\n"
_START: Final = b"POST /openai/v1/chat/completions HTTP/1.1\r\n"
_LENGTH: Final = re.compile(rb"\r\ncontent-length: *([0-9]{1,9})\r\n", re.IGNORECASE)
_BEARER: Final = re.compile(rb"\r\nauthorization: *bearer +([!-~]+)\r\n", re.IGNORECASE)
_REMEMBERED: Final = 8_192
_COMPLETION: Final = 8
_BACKLOG: Final = 4_096
_OK: Final = status_line(200) + headers.JSON
_V = TypeVar("_V")
_ANSWER: Final = (
    b'{"id":"chatcmpl-lean","object":"chat.completion","created":1750000000,"model":"%b","choices":[{"index":0,'
    b'"message":{"role":"assistant","content":" t1 t2 t3 t4 t5 t6 t7 t8","refusal":null,"annotations":[]},'
    b'"logprobs":null,"finish_reason":"stop"}],"usage":%b}'
)


@dataclass(slots=True)
class Known:
    """A body that was read before: what it costs, what it is billed, and the end of every answer to it."""

    model: str
    charge: int
    billed: int
    tail: bytes


class Lean:
    """What all lean connections share: memories of heads and bodies, and the answers that are not due yet."""

    __slots__ = ("_bodies", "_heads", "_parser", "_pending", "_state", "_ttft", "hub")

    def __init__(self, state: State, hub: Hub) -> None:
        self._state = state
        self.hub = hub
        self._ttft = int(state.settings.timing.ttft_ms.median * 1_000)
        self._parser = Parser(state.settings.models)
        self._heads: dict[bytes, tuple[str, int]] = {}
        self._bodies: dict[bytes, Known] = {}
        self._pending: deque[tuple[int, asyncio.Transport, bytes]] = deque()

    def head(self, data: bytes) -> tuple[str, int] | None:
        """Key and body length of a head; None for one that is not lean."""
        found = self._heads.get(data)
        if found is None and not self._state.faults.rules:
            key, length = _BEARER.search(data), _LENGTH.search(data)
            if key is None or length is None or not data.startswith(_START):
                return None
            found = key[1].decode("latin-1"), int(length[1])
            _bounded(self._heads)[data] = found
        return found if not self._state.faults.rules else None

    def body(self, data: bytes) -> Known | None:
        """What a body asks for; None for one that is not lean. Raises `Problem`."""
        known = self._bodies.get(data)
        if known is None:
            ask = self._parser.chat(data)
            if ask.stream or ask.n > 1 or ask.tools or ask.thinking or ask.schema is not None:
                return None
            prompt = ask.extra + self._state.tokenizer.count(ask.texts)
            price = charge(self._state.settings.rules, prompt, ask.max_tokens)
            reply = _ANSWER % (ask.model.name.encode(), usage(prompt, _COMPLETION))
            tail = b"content-length: %d\r\n\r\n%b" % (len(reply), reply)
            known = Known(ask.model.name, price, prompt + _COMPLETION, tail)
            _bounded(self._bodies)[data] = known
        return known

    def call(self, transport: asyncio.Transport, key: str, known: Known) -> None:
        """Admit or refuse, book, and answer when it is due."""
        now = self._state.clock.now()
        seat = self._seat(key, known.model, now)
        if seat is None:
            transport.write(_problem(problems.unknown_key(key)))
            return
        entry, meter = seat.entry, seat.meter
        entry.called()
        refusal = meter.admit(key, known.charge, now)
        if refusal is not None:
            entry.throttled(avoidable=refusal.label == "avoidable")
            meter.shown(key, meter.version, now)
            told = headers.limits(meter.quota, now, refusal) + headers.retry(refusal)
            transport.write(_reply(429, told, problems.limited(refusal, known.model, seat.organisation)))
            return
        entry.passed(known.charge, known.billed, now)
        meter.shown(key, meter.version, now)
        reply = b"%b%b%b" % (_OK, headers.limits(meter.quota, now), known.tail)
        if self._ttft:
            self._later(now + self._ttft, transport, reply)
        else:
            transport.write(reply)

    def _seat(self, key: str, model: str, now: int) -> Seat | None:
        owner = self._state.directory.organisation(key)
        return None if owner is None else self._state.directory.seat(key, owner, model, now)

    def _later(self, due: int, transport: asyncio.Transport, reply: bytes) -> None:
        self._pending.append((due, transport, reply))
        if len(self._pending) == 1:
            self._state.clock.call_at(due, self._flush)

    def _flush(self) -> None:
        pending, now = self._pending, self._state.clock.now()
        while pending and pending[0][0] <= now:
            _, transport, reply = pending.popleft()
            transport.write(reply)
        if pending:
            self._state.clock.call_at(pending[0][0], self._flush)


class LeanConnection(asyncio.Protocol):
    """One connection while its requests are lean."""

    __slots__ = ("_held", "_lean", "_transport")

    def __init__(self, lean: Lean) -> None:
        self._lean = lean
        self._held = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self._held:
            data, self._held = self._held + data, b""
        end = data.find(_HEAD_END) + 4
        if end < 4:
            self._held = data
            return
        head = self._lean.head(data[:end])
        if head is None:
            self._hand_over(data)
        elif len(data) < end + head[1]:
            self._held = data
        else:
            self._request(data, data[end : end + head[1]], head[0])

    def _request(self, data: bytes, body: bytes, key: str) -> None:
        try:
            known = self._lean.body(body)
        except Problem as problem:
            self._transport.write(_problem(problem))
            return
        if known is None:
            self._hand_over(data)
        else:
            self._lean.call(self._transport, key, known)

    def _hand_over(self, data: bytes) -> None:
        ordinary = ServerConnection(self._lean.hub)
        self._transport.set_protocol(ordinary)
        ordinary.connection_made(self._transport)
        ordinary.data_received(data)


async def serve_lean(sock: socket.socket, state: State, handler: Handler, settings: ServerSettings) -> Server:
    """Serve on a bound socket, which stays the caller's to close: it duplicates it. Raises `OSError`."""
    loop = asyncio.get_running_loop()
    hub = Hub(handler, settings, state.clock, loop)
    server = Server(hub, state.clock)
    made = partial(LeanConnection, Lean(state, hub))
    server.listeners.append(await loop.create_server(made, sock=sock.dup(), backlog=_BACKLOG))
    return server


def _bounded(memory: dict[bytes, _V]) -> dict[bytes, _V]:
    """The same, emptied when it is full."""
    if len(memory) >= _REMEMBERED:
        memory.clear()
    return memory


def _reply(status: int, told: bytes, body: bytes) -> bytes:
    return b"%b%b%bcontent-length: %d\r\n\r\n%b" % (status_line(status), headers.JSON, told, len(body), body)


def _problem(problem: Problem) -> bytes:
    return _reply(problem.status, b"", problem.body)
