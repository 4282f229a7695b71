"""What workers share, in one process and in virtual time: as `cluster.values.Values` over a server."""

from tidegate.policy.access.nonces import FORGOTTEN, FRESH, USED
from tidegate.ports import Clock, StoreError


class Here:
    """Fulfils `ports.Shared`. `away`: nobody answers."""

    def __init__(self, clock: Clock, *, closed: bool = False) -> None:
        self.clock = clock
        self.closed = closed
        self.away = False
        self.since = clock.wall() // 1_000_000 * 1_000_000 - 1
        self.commands = 0
        self.values: dict[bytes, tuple[bytes, int]] = {}

    def there(self, key: bytes) -> bytes:
        self.commands += 1
        if self.away:
            raise StoreError("nobody answers")
        value, until = self.values.get(key, (b"", 0))
        return value if until > self.clock.now() else b""

    async def claim(self, key: bytes, owner: bytes, value: bytes, life_us: int) -> bytes | None:
        there = self.there(key)
        if not there:
            self.values[key] = owner + value, self.clock.now() + life_us
        return None if not there or there.startswith(owner) else there

    async def put(self, key: bytes, owner: bytes, value: bytes, life_us: int) -> bool:
        there = self.there(key)
        if there and not there.startswith(owner):
            return False
        self.values[key] = owner + value, self.clock.now() + life_us
        return True

    async def release(self, key: bytes, owner: bytes) -> None:
        if self.there(key).startswith(owner):
            del self.values[key]

    async def use(self, mark: bytes, created_us: int, life_us: int) -> int:
        if self.there(mark):
            return USED
        if created_us <= self.since:
            return FORGOTTEN
        self.values[mark] = b"1", self.clock.now() + life_us
        return FRESH

    def flush(self) -> None:
        """All is lost, and it is known since when."""
        self.values.clear()
        self.since = self.clock.wall()
