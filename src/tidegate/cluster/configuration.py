"""The configuration that all nodes share, as the shared state keeps it: versions, and one proposal at a time.

Everything stands under one hash tag: `PREFIX:{configuration}` is what is in force, `…:trial` what is proposed, `…:said`
what nodes say of it, `…:nodes` which nodes were heard of and when (the server's milliseconds), `…:serves` by which
version each of them serves. What is in force has a version; a newer one comes by a proposal to which every node that is
there has said yes, or by going back. The state may be lost: each node keeps what was in force, and the highest version
is put back.
"""

from typing import Final, NamedTuple, Protocol, TypeVar

import msgspec

Word = bytes | str | int
_Text = bytes | None
_T = TypeVar("_T")

HERE_MS: Final = 3_000  # a node that was heard of so lately is asked
_TRIAL_MS: Final = 30_000
_LONG_US: Final = 3_000_000

_BEAT: Final = b"""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZADD', KEYS[2], now, ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 60000)
redis.call('HSET', KEYS[5], ARGV[1], ARGV[2])
redis.call('PEXPIRE', KEYS[5], 60000)
return {tonumber(redis.call('HGET', KEYS[1], 'version') or '0'), redis.call('HGET', KEYS[3], 'id') or ''}
"""
_PROPOSE: Final = b"""
if redis.call('EXISTS', KEYS[3]) == 1 then return 0 end
if tonumber(redis.call('HGET', KEYS[1], 'version') or '0') ~= tonumber(ARGV[2]) then return 0 end
redis.call('HSET', KEYS[3], 'id', ARGV[1], 'base', ARGV[2], 'parcel', ARGV[3], 'node', ARGV[4])
redis.call('PEXPIRE', KEYS[3], ARGV[5])
redis.call('DEL', KEYS[4])
return 1
"""
_SAY: Final = b"""
if redis.call('HGET', KEYS[3], 'id') ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[4], ARGV[2], ARGV[3])
redis.call('PEXPIRE', KEYS[4], ARGV[4])
return 1
"""
_HEAR: Final = b"""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return {redis.call('ZRANGEBYSCORE', KEYS[2], now - ARGV[1], '+inf'), redis.call('HGETALL', KEYS[4])}
"""
_SERVING: Final = b"""
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
return {redis.call('ZRANGEBYSCORE', KEYS[2], now - ARGV[1], '+inf'), redis.call('HGETALL', KEYS[5])}
"""
_COMMIT: Final = b"""
if ARGV[1] ~= '' and redis.call('HGET', KEYS[3], 'id') ~= ARGV[1] then return 0 end
local version = tonumber(redis.call('HGET', KEYS[1], 'version') or '0')
if version ~= tonumber(ARGV[2]) then return 0 end
local former = redis.call('HGET', KEYS[1], 'parcel') or ''
redis.call('HSET', KEYS[1], 'version', version + 1, 'parcel', ARGV[3], 'node', ARGV[4], 'former', former,
  'why', ARGV[5])
redis.call('DEL', KEYS[3], KEYS[4])
return 1
"""
_DROP: Final = b"""
if redis.call('HGET', KEYS[3], 'id') == ARGV[1] then redis.call('DEL', KEYS[3], KEYS[4]) end
return 1
"""
_RESTORE: Final = b"""
if tonumber(redis.call('HGET', KEYS[1], 'version') or '0') >= tonumber(ARGV[1]) then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'parcel', ARGV[2], 'node', ARGV[3], 'former', ARGV[4], 'why', '')
return 1
"""
_FORCE: Final = b"return redis.call('HMGET', KEYS[1], 'version', 'parcel', 'node', 'former', 'why')"
_TRIAL: Final = b"return redis.call('HMGET', KEYS[3], 'id', 'base', 'parcel', 'node')"


class Client(Protocol):
    """The connection to the shared state."""

    async def do(self, *words: Word, within_us: int = 0) -> object:
        """One command. Raises `Failure`."""


class InForce(NamedTuple):
    """What all nodes serve by; version 0: nothing yet."""

    version: int = 0
    parcel: bytes = b""
    node: str = ""
    former: bytes = b""
    why: str = ""  # `node` went back to it because of this


class Trial(NamedTuple):
    """A proposal: `parcel` is to follow version `base`."""

    id: str
    base: int
    parcel: bytes
    node: str


class Strange(Exception):
    """The shared state holds what nobody of us has written."""


class Record:
    """Every method is one command, and raises `Failure`; `Strange` where it makes no sense."""

    __slots__ = ("_client", "_keys", "_node")

    def __init__(self, client: Client, prefix: str, node: str) -> None:
        self._client = client
        self._node = node
        base = f"{prefix}:{{configuration}}".encode()
        self._keys = (base, base + b":nodes", base + b":trial", base + b":said", base + b":serves")

    async def beat(self, serves: int) -> tuple[int, str]:
        """Be there, and serve by this (-N: it cannot by N). The version in force, and the trial, "" = none."""
        version, trial = _as(await self._do(_BEAT, self._node, serves), tuple[int, bytes])
        return version, trial.decode()

    async def in_force(self) -> InForce:
        """With its parcel."""
        found = _as(await self._do(_FORCE), tuple[_Text, _Text, _Text, _Text, _Text])
        version, parcel, node, former, why = found
        return InForce(int(version or 0), parcel or b"", _text(node), former or b"", _text(why))

    async def trial(self) -> Trial | None:
        """None: it is over."""
        name, base, parcel, node = _as(await self._do(_TRIAL), tuple[_Text, _Text, _Text, _Text])
        return None if name is None else Trial(_text(name), int(base or 0), parcel or b"", _text(node))

    async def propose(self, name: str, base: int, parcel: bytes) -> bool:
        """False: another trial is on, or another version in force."""
        return await self._do(_PROPOSE, name, base, parcel, self._node, _TRIAL_MS) == 1

    async def say(self, name: str, problem: str) -> None:
        """What this node says of a trial: "" = it can serve by it."""
        await self._do(_SAY, name, self._node, problem, _TRIAL_MS)

    async def hear(self) -> tuple[set[str], dict[str, str]]:
        """The nodes that are there, and what was said of the trial."""
        return await self._told(_HEAR)

    async def serving(self) -> dict[str, int]:
        """By which version each node that is there serves, as it said last; -N: it cannot serve by N."""
        there, said = await self._told(_SERVING)
        try:
            return {node: int(said.get(node, "0")) for node in there}
        except ValueError:
            raise _strange() from None

    async def commit(self, name: str, base: int, parcel: bytes, why: str = "") -> bool:
        """The trial's parcel is in force, as the version after `base`; `name` "" = without a trial: going back."""
        return await self._do(_COMMIT, name, base, parcel, self._node, why) == 1

    async def drop(self, name: str) -> None:
        """The trial is over, and nothing came of it."""
        await self._do(_DROP, name)

    async def restore(self, known: InForce) -> bool:
        """Put back what was lost; False: there is this version, or a newer one."""
        return await self._do(_RESTORE, known.version, known.parcel, known.node, known.former) == 1

    async def _told(self, script: bytes) -> tuple[set[str], dict[str, str]]:
        there, said = _as(await self._do(script, HERE_MS), tuple[list[bytes], list[bytes]])
        words = [_text(one) for one in said]
        return {_text(one) for one in there}, dict(zip(words[::2], words[1::2], strict=True))

    async def _do(self, script: bytes, *words: Word) -> object:
        return await self._client.do(b"EVAL", script, len(self._keys), *self._keys, *words, within_us=_LONG_US)


def _text(data: bytes | None) -> str:
    return (data or b"").decode(errors="replace")


def _as(reply: object, kind: type[_T]) -> _T:
    try:
        return msgspec.convert(reply, kind)
    except msgspec.ValidationError:
        raise _strange() from None


def _strange() -> Strange:
    return Strange("the shared state holds a configuration that nobody of us has written")
