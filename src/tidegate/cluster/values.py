"""Small values in the shared state: `ports.Shared`. One command for each thing that is asked.

`PREFIX:once:KEY` are claims and answers, `PREFIX:{nonces}:MARK` nonces that were used. `PREFIX:{nonces}` is since when
nonces are remembered, by the server's clock: what was signed before may have been used and forgotten, when a server
lost what it had.
"""

from typing import Final, Protocol

from tidegate.policy.access.nonces import FORGOTTEN, FRESH, USED
from tidegate.ports import StoreError

_PUT: Final = b"""
local there = redis.call('GETRANGE', KEYS[1], 0, 15)
if there ~= '' and there ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1] .. ARGV[2], 'PX', ARGV[3])
return 1
"""
_RELEASE: Final = b"""
if redis.call('GETRANGE', KEYS[1], 0, 15) == ARGV[1] then return redis.call('DEL', KEYS[1]) end
return 0
"""
_USE: Final = b"""
local since = redis.call('GET', KEYS[1])
if not since then
    local now = redis.call('TIME')
    since = string.format('%d', now[1] * 1000000 - 1)
    redis.call('SET', KEYS[1], since)
end
if not KEYS[2] then return 0 end
if tonumber(ARGV[1]) <= tonumber(since) then return 3 end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[2]) then return 0 end
return 1
"""
_VERDICTS: Final = {0: FRESH, 1: USED, 3: FORGOTTEN}
TEND_US: Final = 1_000_000  # how often somebody sees to it that the beginning of nonces is known


class Client(Protocol):
    """The connection to the shared state: one deadline for all of an exchange. Raises `StoreError`."""

    async def do(self, *command: bytes | str | int) -> object: ...


class Values:
    """Fulfils `ports.Shared`."""

    __slots__ = ("_client", "_nonces", "_once", "closed")

    def __init__(self, client: Client, prefix: str, *, closed: bool) -> None:
        self._client = client
        self._once = f"{prefix}:once:".encode()
        self._nonces = f"{prefix}:{{nonces}}".encode()
        self.closed = closed  # `on_state_loss: closed`

    async def claim(self, key: bytes, owner: bytes, value: bytes, life_us: int) -> bytes | None:
        """`SET … NX GET`: Redis ≥ 7.0."""
        put = owner + value
        there = await self._client.do(b"SET", self._once + key, put, b"NX", b"GET", b"PX", _ms(life_us))
        if there is not None and not isinstance(there, bytes):
            raise StoreError("the shared state answers what nobody understands")
        return None if there is None or there.startswith(owner) else there

    async def put(self, key: bytes, owner: bytes, value: bytes, life_us: int) -> bool:
        """Unless another owner's is there."""
        return await self._client.do(b"EVAL", _PUT, 1, self._once + key, owner, value, _ms(life_us)) == 1

    async def release(self, key: bytes, owner: bytes) -> None:
        """If it is the owner's."""
        await self._client.do(b"EVAL", _RELEASE, 1, self._once + key, owner)

    async def use(self, mark: bytes, created_us: int, life_us: int) -> int:
        """A nonce."""
        key = b"%b:%b" % (self._nonces, mark.hex().encode())
        said = await self._client.do(b"EVAL", _USE, 2, self._nonces, key, created_us, _ms(life_us))
        verdict = _VERDICTS.get(said) if isinstance(said, int) else None
        if verdict is None:
            raise StoreError("the shared state answers what nobody understands")
        return verdict

    async def tend(self) -> None:
        """See to it that it is known since when nonces are remembered. Once a second, where keys sign."""
        await self._client.do(b"EVAL", _USE, 1, self._nonces)


def _ms(us: int) -> int:
    return max(1, us // 1_000)
