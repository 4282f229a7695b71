"""Answers in Redis or Valkey, shared by all gates that use the same server and prefix. Needs the extra `redis`.

Keys are `PREFIX:answers:VERSION:HEX`, so that gates of different versions share a server without reading each other's
frames; the server forgets a key at its moment (`PXAT`), and bounds its memory itself (`maxmemory`). One deadline holds
for connecting, sending and receiving together; nothing is tried twice.
"""

import asyncio
from collections.abc import Coroutine
from importlib import import_module
from typing import Protocol, TypeVar, cast

from tidegate.cache.frame import VERSION
from tidegate.ports import StoreError, StoreLate

CONNECTIONS = 32
WRITE_FACTOR = 10  # nobody waits for a write

_NO_COMMAND = "Redis: ResponseError"

T = TypeVar("T")


class _Client(Protocol):
    """What is used of `redis.asyncio.Redis`."""

    async def get(self, name: str) -> bytes | None: ...
    async def set(self, name: str, value: bytes, *, pxat: int) -> object: ...
    async def execute_command(self, *command: bytes | str | int, get: bool) -> bytes | None: ...
    async def unlink(self, name: str) -> object: ...
    async def aclose(self) -> None: ...


class Redis:
    """`ports.AnswerStore`. It connects when it is first asked."""

    __slots__ = ("_client", "_closed", "_marks", "_prefix", "_timeout_s")

    def __init__(self, url: str, prefix: str, timeout_us: int) -> None:
        """`url` is redis://, rediss:// (TLS) or unix://. Raises `ValueError`: it is none, or the extra is missing."""
        self._prefix = f"{prefix}:answers:{VERSION}:"
        self._timeout_s = timeout_us / 1e6
        self._client = _client(url, self._timeout_s)
        self._closed = False
        self._marks = True

    @property
    def name(self) -> str:
        """`redis`."""
        return "redis"

    @property
    def holds(self) -> tuple[int, int]:
        """It does not tell: others may use the server."""
        return -1, -1

    async def get(self, key: bytes) -> bytes | None:
        """The frame under this key. Raises `StoreError`."""
        return await self._do(self._client.get(self._prefix + key.hex()), self._timeout_s)

    async def claim(self, key: bytes, mark: bytes, life_us: int) -> bytes | None:
        """As `get`, in one command; a server before 7.0 cannot, and takes no marks. Raises `StoreError`."""
        if not self._marks:
            return await self.get(key)
        name, life_ms = self._prefix + key.hex(), max(1, life_us // 1_000)
        work = self._client.execute_command("SET", name, mark, "NX", "GET", "PX", life_ms, get=True)
        try:
            return await self._do(work, self._timeout_s)
        except StoreError as error:
            if str(error) != _NO_COMMAND:
                raise
            self._marks = False
            return await self.get(key)

    async def put(self, key: bytes, frame: bytes, until_us: int) -> None:
        """Keep it until then; a moment that is past forgets it. Raises `StoreError`."""
        work = self._client.set(self._prefix + key.hex(), frame, pxat=max(1, until_us // 1_000))
        await self._do(work, self._timeout_s * WRITE_FACTOR)

    async def drop(self, key: bytes) -> None:
        """Forget it. Raises `StoreError`."""
        await self._do(self._client.unlink(self._prefix + key.hex()), self._timeout_s * WRITE_FACTOR)

    async def close(self) -> None:
        """Let go of the connections. Harmless the second time."""
        if not self._closed:
            self._closed = True
            await self._client.aclose()

    async def _do(self, work: Coroutine[object, object, T], seconds: float) -> T:
        if self._closed:
            work.close()
            raise StoreError("it is closed")
        try:
            async with asyncio.timeout(seconds):
                return await work
        except TimeoutError:
            raise StoreLate(f"Redis does not answer within {seconds * 1e3:g} ms") from None
        except Exception as error:  # noqa: BLE001 - of a library: a layer fails as a layer
            raise StoreError(_words(error)) from None


def _client(url: str, timeout_s: float) -> _Client:
    try:
        library, retry = import_module("redis.asyncio"), import_module("redis.asyncio.retry")
        backoff = import_module("redis.backoff")
    except ImportError:
        raise ValueError("cache.redis needs the package redis: pip install 'tidegate[redis]'") from None
    try:
        pool = library.BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            socket_timeout=timeout_s * WRITE_FACTOR,
            retry=retry.Retry(backoff.NoBackoff(), 0),
        )
    except ValueError:
        raise ValueError("cache.redis.url: expected redis://, rediss:// or unix://") from None
    return cast("_Client", library.Redis.from_pool(pool))


_WHY = {
    "AuthenticationError": "Redis refuses the user or the password, or wants one",
    "NoPermissionError": "Redis does not permit it to this user",
    "OutOfMemoryError": "Redis has no memory left (maxmemory)",
    "ReadOnlyError": "Redis is a replica and takes no writes",
    "ConnectionError": "Redis cannot be reached",
    "OSError": "Redis cannot be reached",
}


def _words(error: BaseException) -> str:
    """Why, without what the server or the URL say: that may be secret."""
    names: set[str] = set()
    cause: BaseException | None = error
    while cause is not None:  # the library wraps what it was refused as a lost connection
        names.update([one.__name__ for one in type(cause).__mro__])
        cause = cause.__cause__ or cause.__context__
    return next((words for name, words in _WHY.items() if name in names), f"Redis: {type(error).__name__}")
