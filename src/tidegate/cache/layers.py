"""The layers beyond memory, in their order: asked one after the other, written beside each other."""

from collections.abc import Callable, Sequence

from tidegate.cache.counts import Standing
from tidegate.cache.layer import Layer, Log
from tidegate.cache.write import Write
from tidegate.model.cached import CacheEntry
from tidegate.model.caching import CacheSettings
from tidegate.ports import AnswerStore, Clock

CLOSE_US = 1_000_000
LEAST_LOOK_US = 20_000  # between two looks at whether another gate has made an answer
MOST_LOOK_US = 160_000


class Layers:
    """All layers of a worker."""

    __slots__ = ("_clock", "_compress_above", "_layers", "_timeout_us", "_welcome")

    def __init__(
        self,
        stores: Sequence[AnswerStore],
        settings: CacheSettings,
        clock: Clock,
        log: Log,
        welcome: Callable[[CacheEntry], bool],
    ) -> None:
        """`welcome` takes what was found into memory, or says that it may not be used any more."""
        self._timeout_us = settings.redis_timeout_us
        self._compress_above = settings.compress_above_bytes
        self._clock = clock
        self._welcome = welcome
        self._layers = tuple([Layer(store, self._timeout_us, clock, log) for store in stores])

    def __len__(self) -> int:
        return len(self._layers)

    async def later(self, key: bytes, deadline: int) -> CacheEntry | None:
        """The first that is found and may be used, by `deadline` (monotonic) or one time-out for all of them."""
        until = min(deadline, self._clock.now() + self._timeout_us)
        for layer in self._layers:
            entry = await layer.get(key, until)
            if entry is None:
                continue
            if self._welcome(entry):
                return entry
            layer.offer(Write(key, None, 0))
        return None

    async def lead(self, key: bytes, deadline: int, rank: int, patience_us: int) -> CacheEntry | bool:
        """As `later`; where another gate is making it, wait for it. True: we are to make it."""
        now = self._clock.now()
        patience, timeout, pause = min(deadline, now + patience_us), self._timeout_us, LEAST_LOOK_US
        for layer in self._layers:
            while True:
                found = await layer.look(key, min(deadline, self._clock.now() + timeout), rank)
                if isinstance(found, CacheEntry):
                    if self._welcome(found):
                        return found
                    layer.offer(Write(key, None, 0))
                    break
                if found is True:
                    return True
                if found is None:
                    break
                if found > rank or self._clock.now() + pause > patience:
                    return False
                await self._clock.sleep(pause)
                pause = min(2 * pause, MOST_LOOK_US)
        return False

    def unled(self, key: bytes) -> None:
        """Have those that were marked forget it."""
        for layer in self._layers:
            if layer.marks:
                layer.offer(Write(key, None, 0))

    def keep(self, entry: CacheEntry) -> None:
        """Have every layer write it."""
        self._offer(Write(entry.key, entry, self._compress_above))

    def drop(self, key: bytes) -> None:
        """Have every layer forget it."""
        self._offer(Write(key, None, 0))

    def standings(self) -> list[Standing]:
        """How they stand."""
        return [layer.standing for layer in self._layers]

    async def close(self) -> None:
        """Write what waits, for a second at most, and let go of all stores."""
        until = self._clock.now() + CLOSE_US
        for layer in self._layers:
            await layer.close(until)

    def _offer(self, write: Write) -> None:
        for layer in self._layers:
            layer.offer(write)
