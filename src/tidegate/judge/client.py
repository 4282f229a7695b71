"""One call at a time as a client: asked in either dialect, heard to its last byte."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import msgspec

from tidegate.judge.hearing import Heard, streamed, unary
from tidegate.ports import Clock, Transport, TransportError, UpstreamStream

ANTHROPIC = "anthropic"
_QUESTION = "three short words"
_HEADERS = msgspec.json.Decoder(dict[str, dict[str, str]])


class BadHeaders(ValueError):
    """The file of headers is none; the text says what it has to be."""


@dataclass(frozen=True, slots=True)
class Headers:
    """What a gateway wants in each request beside the usual, by a pattern of the model's name, which `{model}` is."""

    patterns: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: bytes) -> "Headers":
        """A JSON object of objects. Raises `BadHeaders`."""
        try:
            found = _HEADERS.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadHeaders(f'{error}; write {{"judge-*": {{"name": "value"}}}}') from None
        for pairs in found.values():
            for name, value in pairs.items():
                if not name or ":" in name or not (name + value).isprintable() or not (name + value).isascii():
                    raise BadHeaders(f"{name!r} is no header that can be sent")
        return cls(found)

    def of(self, model: str) -> tuple[tuple[str, str], ...]:
        """All whose pattern fits, the last of a name wins."""
        found: dict[str, str] = {}
        for pattern, pairs in self.patterns.items():
            if fnmatchcase(model, pattern):
                found |= {name: value.replace("{model}", model) for name, value in pairs.items()}
        return tuple(found.items())


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `leave`: the client goes when it has heard the first content."""

    model: str
    key: str
    tokens: int = 20
    stream: bool = False
    usage: bool = False  # of a stream: ask that it is told at the end
    leave: bool = False
    patience_us: int = 30_000_000


class Client:
    """Speaks one dialect to one URL."""

    def __init__(self, transport: Transport, clock: Clock, url: str, dialect: str, headers: Headers) -> None:
        self._transport, self._clock, self._url, self._dialect, self._headers = transport, clock, url, dialect, headers

    async def ask(self, ask: Ask) -> Heard:
        """One call; whatever becomes of it is in what is heard."""
        sent = self._clock.now()
        try:
            heard = await self._asked(ask, sent + ask.patience_us)
        except TransportError as error:
            heard = Heard(broken=str(error) or "broken off")
        except TimeoutError:
            heard = Heard(broken="no end within the client's patience")
        heard.sent_us, heard.done_us = sent, self._clock.now()
        return heard

    async def _asked(self, ask: Ask, deadline: int) -> Heard:
        head, body = self.head(ask.model, ask.key), msgspec.json.encode(self._body(ask))
        reply = await self._transport.send(head, body, stream=ask.stream, deadline=deadline)
        if reply.stream is None:
            return unary(reply.status, reply.body)
        sink = _Sink(asyncio.get_running_loop().create_future(), leave=ask.leave)
        broken = await self._read(reply.stream, sink, deadline)
        return streamed(reply.status, b"".join(sink.pieces), broken)

    async def _read(self, stream: UpstreamStream, sink: "_Sink", deadline: int) -> str:
        stream.attach(sink)
        try:
            async with asyncio.timeout(max(0.0, (deadline - self._clock.now()) / 1e6)):
                broken = await sink.over
        except BaseException:
            stream.abort()
            raise
        if sink.left:
            stream.abort()
        return broken

    def head(self, model: str, key: str) -> bytes:
        """Request line and headers."""
        parts = urlsplit(self._url)
        path = "/messages" if self._dialect == ANTHROPIC else "/chat/completions"
        pairs = [("host", parts.netloc), ("authorization", f"Bearer {key}"), ("content-type", "application/json")]
        if self._dialect == ANTHROPIC:
            pairs += [("x-api-key", key), ("anthropic-version", "2023-06-01")]
        pairs += self._headers.of(model)
        lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        return f"POST {parts.path.rstrip('/')}{path} HTTP/1.1\r\n{lines}".encode("latin-1")

    def _body(self, ask: Ask) -> dict[str, object]:
        body: dict[str, object] = {"model": ask.model, "messages": [{"role": "user", "content": _QUESTION}]}
        body["max_tokens"] = ask.tokens
        if ask.stream:
            body["stream"] = True
            if ask.usage and self._dialect != ANTHROPIC:
                body["stream_options"] = {"include_usage": True}
        return body


class _Sink:
    """Keeps all that comes."""

    __slots__ = ("_leave", "left", "over", "pieces")

    def __init__(self, over: "asyncio.Future[str]", *, leave: bool) -> None:
        self.over, self._leave, self.left = over, leave, False
        self.pieces: list[bytes] = []

    def chunk(self, data: bytes) -> None:
        self.pieces.append(data)
        if self._leave and b" t3" in data and not self.over.done():
            self.left = True
            self.over.set_result("")

    def end(self) -> None:
        if not self.over.done():
            self.over.set_result("")

    def failed(self, error: TransportError) -> None:
        if not self.over.done():
            self.over.set_result(str(error) or "broken off")
