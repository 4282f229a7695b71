"""Parts in one Redis or Valkey server. Needs the extra `redis`.

A weaker promise than etcd's: a primary that fails over may lose writes that it had confirmed, and nobody can tell from
outside. A revision that went back is noticed by whoever read a later one: then everything begins anew, by floors. Until
then two regions may spend the same part: at most what was moved in the lost writes, for at most a lease. That is the
bound, and why etcd is to be preferred. One server without replicas, with append-only persistence and `appendfsync
always`, is linearizable.

All keys are fields of one hash, `{PREFIX:regions}`, so that it may be part of a cluster's keyspace on one slot.
"""

import asyncio
from collections.abc import Awaitable, Mapping
from importlib import import_module
from typing import Any, Final, Protocol, cast

from tidegate.regions.store import StoreAway, View

_REVISION: Final = b"#"  # a field that is no key
# KEYS[1] the hash; ARGV pairs of key and value. Returns the revision and the whole hash.
_EXCHANGE: Final = """
local r = redis.call('HINCRBY', KEYS[1], '#', 1)
for i = 1, #ARGV, 2 do redis.call('HSET', KEYS[1], ARGV[i], r .. ':' .. ARGV[i + 1]) end
return {r, redis.call('HGETALL', KEYS[1])}
"""
# ARGV: key, revision, value; without a value it is removed.
_SWAP: Final = """
local old = redis.call('HGET', KEYS[1], ARGV[1])
local at = old and string.match(old, '^(%d+):') or '0'
if at ~= ARGV[2] then return 0 end
if not ARGV[3] then redis.call('HDEL', KEYS[1], ARGV[1]) return 1 end
local r = redis.call('HINCRBY', KEYS[1], '#', 1)
redis.call('HSET', KEYS[1], ARGV[1], r .. ':' .. ARGV[3])
return 1
"""


class _Client(Protocol):
    """What is used of `redis.asyncio.Redis`."""

    def eval(self, script: str, numkeys: int, *keys_and_args: bytes | str) -> Awaitable[Any]: ...
    async def aclose(self) -> None: ...


class RedisStore:
    """`Store`."""

    __slots__ = ("_client", "_errors", "_key", "_timeout_s")

    def __init__(self, url: str, prefix: str, timeout_us: int) -> None:
        """Raises `ValueError`: the URL is none, or the extra is missing."""
        self._timeout_s = timeout_us / 1e6
        self._key = f"{{{prefix}:regions}}"
        try:
            library = import_module("redis.asyncio")
            retry = import_module("redis.asyncio.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
        except ImportError:
            raise ValueError("regions.store: Redis needs an extra: pip install 'tidegate[redis]'") from None
        made = library.Redis.from_url(
            url, socket_timeout=self._timeout_s, socket_connect_timeout=self._timeout_s, retry=retry
        )
        self._client = cast(_Client, made)
        self._errors: type[Exception] = import_module("redis.exceptions").RedisError

    async def exchange(self, puts: Mapping[str, bytes]) -> View:
        words = [word for key, value in puts.items() for word in (key.encode(), value)]
        revision, flat = await self._do(_EXCHANGE, *words)
        items = {}
        for field, value in zip(flat[::2], flat[1::2], strict=True):
            if field != _REVISION:
                at, _, data = value.partition(b":")
                items[field.decode()] = int(at), data
        return View(int(revision), items)

    async def swap(self, key: str, revision: int, value: bytes) -> bool:
        return bool(await self._do(_SWAP, key.encode(), str(revision).encode(), value))

    async def drop(self, key: str, revision: int) -> bool:
        return bool(await self._do(_SWAP, key.encode(), str(revision).encode()))

    async def close(self) -> None:
        await self._client.aclose()

    async def _do(self, script: str, *words: bytes) -> Any:
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._client.eval(script, 1, self._key, *words)
        except TimeoutError:
            raise StoreAway(f"no answer within {self._timeout_s:g} s") from None
        except (OSError, self._errors) as error:
            raise StoreAway(str(error) or type(error).__name__) from None
