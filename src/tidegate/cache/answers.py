"""The answers that are kept: `ports.Answers`. What is asked of memory is asked here; the rest, of `Layers`."""

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from tidegate.cache.counts import Counts, Standing
from tidegate.cache.layer import Log
from tidegate.cache.layers import Layers
from tidegate.cache.memory import Memory
from tidegate.model.cached import CacheEntry
from tidegate.model.caching import CacheSettings
from tidegate.ports import AnswerStore, Clock


class Purged(Protocol):
    """What was purged."""

    def gone(self, entry: CacheEntry) -> bool:
        """Whether somebody purged it after it was stored."""


class Answers:
    """Memory and the layers beyond it.

    `memory` may have been another `Answers`' before: it goes on with what it holds.
    """

    __slots__ = ("_clock", "_counts", "_layers", "_max_body", "_memory", "_purged", "layered")

    def __init__(
        self,
        memory: Memory,
        stores: Sequence[AnswerStore],
        settings: CacheSettings,
        purged: Purged,
        clock: Clock,
        log: Log,
    ) -> None:
        """`stores` in the order in which they are asked; each has `settings.redis_timeout_us` at most."""
        self._memory = memory
        self._purged = purged
        self._clock = clock
        self._max_body = settings.max_entry_bytes
        self._counts = Counts()
        self._layers = Layers(stores, settings, clock, log, self._welcome)
        self.layered = len(stores) > 0

    def now(self, key: bytes) -> CacheEntry | None:
        """What memory holds; None: nothing, too old also to stand in for a provider that fails, or purged. O(1)."""
        counts = self._counts
        counts.gets += 1
        entry = self._memory.get(key)
        if entry is None:
            return None
        if not self._usable(entry):
            self._memory.drop(key)
            return None
        counts.hits += 1
        return entry

    def later(self, key: bytes, deadline: int) -> Coroutine[Any, Any, CacheEntry | None]:
        """What the layers hold, which memory holds from then on. To be awaited; never later than `deadline`."""
        return self._layers.later(key, deadline)

    def lead(self, key: bytes, deadline: int, rank: int, patience_us: int) -> Coroutine[Any, Any, CacheEntry | bool]:
        """As `later`, where nobody else is making it. To be awaited; never later than `deadline`."""
        return self._layers.lead(key, deadline, rank, patience_us)

    def unled(self, key: bytes) -> None:
        """What we were to make is not kept."""
        self._layers.unled(key)

    def keep(self, entry: CacheEntry) -> None:
        """Memory has it now, the layers later; nobody, when it is larger than an entry may be."""
        counts = self._counts
        if len(entry.body) > self._max_body:
            counts.dropped += 1
            return
        counts.writes += 1
        if not self._memory.put(entry):
            counts.dropped += 1
        if self.layered:
            self._layers.keep(entry)

    def drop(self, key: bytes) -> None:
        """Forget it: memory now, the layers later."""
        self._memory.drop(key)
        if self.layered:
            self._layers.drop(key)

    def standings(self) -> list[Standing]:
        """How memory and each layer stand, for the metrics."""
        memory = self._memory
        own = Standing("memory", self._counts, len(memory), memory.bytes, memory.evicted, True)
        return [own, *self._layers.standings()]

    def close(self) -> Coroutine[Any, Any, None]:
        """Let the layers write what waits, for a second at most, and let go of them. To be awaited."""
        return self._layers.close()

    def _welcome(self, entry: CacheEntry) -> bool:
        """A layer had it: memory takes it, unless what it holds is younger."""
        if not self._usable(entry):
            return False
        known = self._memory.get(entry.key)
        if known is None or known.stored_us < entry.stored_us:
            self._memory.put(entry)
        return True

    def _usable(self, entry: CacheEntry) -> bool:
        wall = self._clock.wall()
        return (entry.fresh_until_us > wall or entry.stale_until_us > wall) and not self._purged.gone(entry)
