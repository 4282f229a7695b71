"""Endpoints that a gate only forwards: models, moderations, files, speech, and an echo. Bodies are streamed."""

import asyncio
from collections.abc import Callable, Coroutine
from hashlib import sha256
from typing import Any, Final

import msgspec

from tidegate.twin import headers, problems
from tidegate.twin.calls import Call
from tidegate.twin.replies import Replies
from tidegate.twin.settings import Model
from tidegate.twin.state import State
from tidegate.wire.exchange import Exchange

STREAMED: Final = frozenset({"/files", "/echo"})
_BLOCK: Final = bytes(range(256)) * 256
_SPEECH_BYTES: Final = 100_000
_MAX_FILE: Final = 1 << 32
_quoted = msgspec.json.encode


class Passthrough:
    """Answers them. Nothing here is limited by quota; keys and faults are as everywhere."""

    __slots__ = ("_names", "_replies", "_routes", "_state", "_tasks")

    def __init__(self, state: State, replies: Replies, models: tuple[Model, ...]) -> None:
        self._state = state
        self._replies = replies
        self._names = [model.name for model in models]
        self._tasks: set[asyncio.Task[None]] = set()
        self._routes: dict[tuple[str, str], Callable[[Exchange, Call], None]] = {
            ("GET", "/models"): self._models,
            ("POST", "/moderations"): self._moderation,
            ("POST", "/files"): self._upload,
            ("GET", "/files"): self._files,
            ("POST", "/audio/speech"): self._speech,
            ("POST", "/echo"): self._echo,
        }

    def answer(self, exchange: Exchange, call: Call, endpoint: str) -> None:
        """Answer a call whose key is known."""
        self._state.directory.ledger.stray.called()
        rule = self._state.faults.hit(call)
        if rule is not None and rule.replaces:
            call.fault = rule.fault
            self._replies.fault(exchange, call, rule, None)
            return
        route = self._routes.get((call.method, endpoint))
        if route is not None:
            route(exchange, call)
        elif call.method == "GET" and endpoint.startswith("/models/"):
            self._model(exchange, call, endpoint.removeprefix("/models/"))
        elif call.method == "GET" and endpoint.startswith("/files/") and endpoint.endswith("/content"):
            self._content(exchange, call, endpoint.removeprefix("/files/").removesuffix("/content"))
        else:
            self._replies.problem(exchange, call, problems.unknown_url(call.method, call.path))

    def _json(self, exchange: Exchange, call: Call, value: Any) -> None:
        self._state.directory.ledger.stray.served()
        self._replies.send(exchange, call, 200, self._head(call, headers.JSON), _quoted(value))

    def _head(self, call: Call, kind: bytes) -> bytes:
        return self._replies.head(call, kind=kind)

    def _models(self, exchange: Exchange, call: Call) -> None:
        self._json(exchange, call, {"object": "list", "data": [_model(name) for name in self._names]})

    def _model(self, exchange: Exchange, call: Call, name: str) -> None:
        if name in self._names:
            self._json(exchange, call, _model(name))
        else:
            self._replies.problem(exchange, call, problems.unknown_model(name))

    def _moderation(self, exchange: Exchange, call: Call) -> None:
        result = {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.0}}
        body = {"id": f"modr-{call.id}", "model": "omni-moderation-latest", "results": [result]}
        self._json(exchange, call, body)

    def _files(self, exchange: Exchange, call: Call) -> None:
        self._json(exchange, call, {"object": "list", "data": [], "has_more": False})

    def _upload(self, exchange: Exchange, call: Call) -> None:
        self._spawn(self._receive(exchange, call), call)

    async def _receive(self, exchange: Exchange, call: Call) -> None:
        size, digest = 0, sha256()
        while data := await exchange.source.read():
            size += len(data)
            digest.update(data)
        file = {"id": f"file-{size}", "object": "file", "bytes": size, "sha256": digest.hexdigest()}
        self._json(exchange, call, file | {"created_at": 0, "filename": "upload", "purpose": "batch"})

    def _speech(self, exchange: Exchange, call: Call) -> None:
        self._spawn(self._send(exchange, call, _SPEECH_BYTES, b"content-type: audio/mpeg\r\n"), call)

    def _content(self, exchange: Exchange, call: Call, name: str) -> None:
        size = name.removeprefix("file-")
        if not size.isascii() or not size.isdigit() or int(size) > _MAX_FILE:
            self._replies.problem(exchange, call, problems.unknown_url(call.method, call.path))
            return
        self._spawn(self._send(exchange, call, int(size), b"content-type: application/octet-stream\r\n"), call)

    async def _send(self, exchange: Exchange, call: Call, size: int, kind: bytes) -> None:
        """`size` bytes that count 0 … 255 over and over, no faster than they are read."""
        sender = _Sender(exchange)
        self._begin(exchange, call, kind)
        while size > 0 and not sender.gone:
            exchange.write(_BLOCK[:size])
            size -= len(_BLOCK)
            await sender.writable()
        self._end(exchange, call, sender)

    def _echo(self, exchange: Exchange, call: Call) -> None:
        self._spawn(self._return(exchange, call), call)

    async def _return(self, exchange: Exchange, call: Call) -> None:
        sender = _Sender(exchange)
        kind = exchange.header(b"content-type") or b"application/octet-stream"
        self._begin(exchange, call, b"content-type: %b\r\n" % kind)
        while (data := await exchange.source.read()) and not sender.gone:
            exchange.write(data)
            await sender.writable()
        self._end(exchange, call, sender)

    def _begin(self, exchange: Exchange, call: Call, kind: bytes) -> None:
        call.status = 200
        call.first_byte_at = self._state.clock.now()
        self._state.directory.ledger.stray.served()
        exchange.start(200, self._head(call, kind))

    def _end(self, exchange: Exchange, call: Call, sender: "_Sender") -> None:
        call.end = "aborted" if sender.gone else "complete"
        call.ended_at = self._state.clock.now()
        if not sender.gone:
            exchange.end()

    def _spawn(self, work: Coroutine[Any, Any, None], call: Call) -> None:
        task = asyncio.get_running_loop().create_task(self._carry_out(work, call))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry_out(self, work: Coroutine[Any, Any, None], call: Call) -> None:
        try:
            await work
        except ConnectionError:  # the caller left in the middle of its body; there is nobody to tell
            call.end = "aborted"
            call.ended_at = self._state.clock.now()


class _Sender:
    """Back-pressure of one streamed reply."""

    __slots__ = ("_open", "gone")

    def __init__(self, exchange: Exchange) -> None:
        self._open = asyncio.Event()
        self._open.set()
        self.gone = False
        exchange.on_pause = self._open.clear
        exchange.on_resume = self._open.set
        exchange.on_gone = self._leave

    def _leave(self) -> None:
        self.gone = True
        self._open.set()

    async def writable(self) -> None:
        """Return when the reader keeps up again, or has left."""
        await asyncio.sleep(0)
        await self._open.wait()


def _model(name: str) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 0, "owned_by": "twin"}
