"""What the gate's replies say to a runner. Pure, but for the bytes that are still arriving."""

import asyncio
from typing import Final

from tidegate.model.outcome import Usage
from tidegate.policy.failure.retry_after import from_headers
from tidegate.policy.jobs.after import Came
from tidegate.ports import Headers, TransportError
from tidegate.providers.codec import Codec
from tidegate.providers.dialects import ANTHROPIC, CODECS, DIALECTS, OPENAI
from tidegate.wire.stream import Reply, Stream

_BY_PATH: Final = {f"/v1{codec.path.decode()}": codec for codec in CODECS.values()}
_NOT_KEPT: Final = frozenset(
    b"connection keep-alive proxy-connection te trailer transfer-encoding upgrade content-length date server".split()
)
_NOTHING: Final = Usage()


class TooLarge(Exception):
    """An answer is longer than may be kept. It was cut off."""


class Gathered:
    """The body of a streamed reply, up to `most` bytes."""

    __slots__ = ("_done", "_left", "_parts", "_stream")

    def __init__(self, stream: Stream, most: int) -> None:
        self._stream = stream
        self._parts: list[bytes] = []
        self._left = most
        self._done: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def body(self) -> bytes:
        """All of it. Raises `TransportError`, and `TooLarge`; when it is cancelled, the connection is closed."""
        self._stream.attach(self)
        try:
            return await self._done
        finally:
            self._stream.abort()

    def chunk(self, data: bytes) -> None:
        self._left -= len(data)
        if self._left >= 0:
            self._parts.append(data)
        elif not self._done.done():
            self._parts.clear()
            self._done.set_exception(TooLarge())

    def end(self) -> None:
        if not self._done.done():
            self._done.set_result(b"".join(self._parts))

    def failed(self, error: TransportError) -> None:
        if not self._done.done():
            self._done.set_exception(error)


async def body_of(reply: Reply, most: int) -> bytes:
    """Raises `TransportError` and `TooLarge`."""
    return reply.body if reply.stream is None else await Gathered(reply.stream, most).body()


def kept_head(headers: Headers) -> bytes:
    """Header lines for the client, each with CRLF, without those of this connection and of this moment."""
    return b"".join([b"%b: %b\r\n" % header for header in headers if header[0] not in _NOT_KEPT])


def call_id(headers: Headers) -> str:
    """The gate's id of the call; "" = it told none."""
    return _first(headers, b"x-request-id").decode("latin-1")


def came(path: str, status: int, headers: Headers, body: bytes, wall: int) -> Came:
    """What an attempt came to. `path` as it was called, with its query. Of a success the body is not read. O(body)."""
    if 200 <= status < 300:
        return Came(status, "", "", 0)
    told = DIALECTS[_dialect(path)].error_of(body)
    wait_us = from_headers(_first(headers, b"retry-after-ms") or None, _first(headers, b"retry-after") or None, wall)
    return Came(status, told.code or told.type, told.message, wait_us or 0)


def usage_of(path: str, body: bytes) -> Usage:
    """What an answer says that it cost; zeros where it does not say. O(body)."""
    codec = _codec(path)
    try:
        return (None if codec is None else codec.usage_of(body)) or _NOTHING
    except ValueError:
        return _NOTHING


def _codec(path: str) -> Codec | None:
    return _BY_PATH.get(path.partition("?")[0])


def _dialect(path: str) -> str:
    codec = _codec(path)
    if codec is not None:
        return codec.dialect
    return ANTHROPIC if path.startswith("/v1/messages") else OPENAI


def _first(headers: Headers, name: bytes) -> bytes:
    return next((value for own, value in headers if own == name), b"")
