"""Where this worker keeps answers: memory, the layers beyond it, what was purged, and the cache in front of them.

A worker imports it when somebody wants answers kept: it is a third of what there is to import.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

from tidegate.cache import purge_log
from tidegate.cache.answers import Answers
from tidegate.cache.memory import Memory
from tidegate.cache.purge_follower import PurgeFollower
from tidegate.cache.purge_log import Purge
from tidegate.edge.caching.cache import Cache
from tidegate.edge.caching.hits import HitLog
from tidegate.edge.gateway import Gateway
from tidegate.model.snapshot import CacheSettings, Snapshot, caches, compares
from tidegate.observe.log import Log
from tidegate.observe.meters import AnswersMeter, SemanticMeter
from tidegate.policy.caching.purges import Purges, Selector
from tidegate.ports import AnswerStore, Clock, Journal

if TYPE_CHECKING:
    from tidegate.worker.comparing import Comparing

_FOLDER: Final = "cache"


class AnswerLayers:
    """Over reloads the memory stays; the layers beyond it change with what the file says of them."""

    __slots__ = (
        "_answers",
        "_cache",
        "_clock",
        "_comparing",
        "_gateway",
        "_log",
        "_memory",
        "_purges",
        "_settings",
        "_state",
        "follower",
    )

    def __init__(
        self, first: Snapshot, state: Path, gateway: Gateway, journal: Journal, clock: Clock, log: Log
    ) -> None:
        """`gateway` keeps answers from `adopt` on. Raises `ValueError`, `OSError`: a layer cannot be made."""
        self._clock = clock
        self._log = log
        self._state = state
        self._gateway = gateway
        self._settings = first.cache
        self._purges = Purges()
        self.follower = PurgeFollower(state / purge_log.NAME, self._purged, clock, log)
        self.follower.look()
        self._memory = Memory(_memory_bytes(first))
        self._answers = self._made(first.cache)
        self._comparing: Comparing | None = None
        self._cache = Cache(self._answers, gateway.replies, clock, HitLog(clock, journal), gateway.pipeline.resume)

    def prepare(self, snapshot: Snapshot) -> Answers:
        """The layers that a configuration wants, beside those in use. Raises as the constructor."""
        if compares(snapshot):
            self._compared(snapshot)
        return self._answers if snapshot.cache == self._settings else self._made(snapshot.cache)

    def adopt(self, snapshot: Snapshot, answers: Answers) -> Answers | None:
        """Keep them there from now on; what was before, to be closed, where that is another. Raises nothing."""
        before, self._answers = self._answers, answers
        self._settings = snapshot.cache
        self._memory.limit(_memory_bytes(snapshot))
        self._arrange(snapshot)
        self._gateway.pipeline.cache = self._cache
        return before if before is not answers else None

    def flush(self) -> None:
        """Write which hits were gathered."""
        self._cache.hits.flush()

    async def close(self) -> None:
        """Write what is gathered and close the layers."""
        self.flush()
        await self._answers.close()

    def meters(self) -> list[AnswersMeter]:
        """What each layer did, for the metrics."""
        return [AnswersMeter(*standing.figures) for standing in self._answers.standings()]

    def questions(self) -> SemanticMeter | None:
        """What became of those that were compared, for the metrics."""
        return None if self._comparing is None else self._comparing.meter()

    def _made(self, settings: CacheSettings) -> Answers:
        stores: list[AnswerStore] = []
        if settings.disk_bytes:
            from tidegate.cache.disk import Disk  # noqa: PLC0415 - SQLite costs a worker that has none 3 ms of its start

            folder = self._state / _FOLDER
            folder.mkdir(mode=0o700, exist_ok=True)
            stores.append(Disk(folder / "answers.db", settings.disk_bytes, self._clock, self._log))
        if settings.redis_url:
            from tidegate.cache.redis import Redis  # noqa: PLC0415 - an extra

            stores.append(Redis(settings.redis_url, settings.redis_prefix, settings.redis_timeout_us))
        return Answers(self._memory, stores, settings, self._purges, self._clock, self._log)

    def _arrange(self, snapshot: Snapshot) -> None:
        """Have the cache look where answers are now, and ask who compares questions now."""
        meaning = None
        if compares(snapshot):
            meaning = self._compared(snapshot).meaning(self._answers, snapshot.cache.semantic)
        elif self._comparing is not None:
            self._comparing.close()
            self._comparing = None
        names = frozenset(rule.header for rule in snapshot.cache.rules if rule.header)
        self._cache.change(self._answers, meaning, names)

    def _compared(self, snapshot: Snapshot) -> "Comparing":
        from tidegate.worker.comparing import Comparing  # noqa: PLC0415 - its tables of words cost 20 ms of a start

        if self._comparing is None:
            gateway, settings = self._gateway, snapshot.cache.semantic
            self._comparing = Comparing(self._state, settings, lambda: gateway.runtime, gateway.pipeline, self._clock)
        return self._comparing

    def _purged(self, purge: Purge) -> None:
        self._purges.add(Selector(purge.what, purge.value, purge.namespace), purge.wall_us)


def _memory_bytes(snapshot: Snapshot) -> int:
    """Nothing is kept for nobody."""
    return snapshot.cache.memory_bytes if caches(snapshot) else 0
