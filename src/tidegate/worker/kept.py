"""Where this worker keeps answers: memory, the layers beyond it, and what was purged."""

from collections.abc import Callable
from pathlib import Path

from tidegate.cache.answers import Answers
from tidegate.cache.memory import Memory
from tidegate.cache.purge_follower import PurgeFollower
from tidegate.cache.purge_log import Purge
from tidegate.cache.semantic import SemanticClient
from tidegate.edge.embedder import ModelEmbedder
from tidegate.edge.meaning import Meaning
from tidegate.model.snapshot import CacheSettings, Snapshot
from tidegate.observe.log import Log
from tidegate.observe.meters import AnswersMeter, SemanticMeter
from tidegate.policy.caching.purges import Purges, Selector
from tidegate.ports import AnswerStore, Clock

LOG_NAME = "cache.log"
_OFFLINE = "offline"
_FOLDER = "cache"


class Kept:
    """Over reloads: `answers` and `meaning` are what holds now."""

    __slots__ = (
        "_clock",
        "_log",
        "_memory",
        "_purges",
        "_settings",
        "_state",
        "answers",
        "embedder",
        "follower",
        "meaning",
        "semantics",
    )

    def __init__(self, first: Snapshot, state: Path, clock: Clock, log: Log) -> None:
        """Raises `ValueError`, `OSError`: a layer cannot be made."""
        self._clock = clock
        self._log = log
        self._state = state
        self._settings = first.cache
        self._purges = Purges()
        self.follower = PurgeFollower(state / LOG_NAME, self._purged, clock, log)
        self.follower.look()
        self.embedder: Callable[[str, int], ModelEmbedder] | None = None  # by name of a model, and budget
        self._memory = Memory(_memory_bytes(first))
        self.answers = self._made(first.cache)
        self.semantics: SemanticClient | None = None
        self.meaning: Meaning | None = None
        self._compare(first)

    def serve(self, first: Snapshot, embedder: Callable[[str, int], ModelEmbedder]) -> None:
        """From now on questions can be embedded by calls."""
        self.embedder = embedder
        self._compare(first)

    def change(self, snapshot: Snapshot) -> Answers | None:
        """Follow a reload; what was before, to be closed, where its layers changed."""
        before = None
        if snapshot.cache != self._settings:
            before, self._settings = self.answers, snapshot.cache
            self.answers = self._made(snapshot.cache)
        self._memory.limit(_memory_bytes(snapshot))
        self._compare(snapshot)
        return before

    def meters(self) -> list[AnswersMeter]:
        """What each layer did, for the metrics."""
        return [AnswersMeter(*standing.figures) for standing in self.answers.standings()]

    def questions(self) -> SemanticMeter | None:
        """What became of those that were compared, for the metrics."""
        return None if self.semantics is None else SemanticMeter(*self.semantics.counters.figures)

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

    def _compare(self, snapshot: Snapshot) -> None:
        """Whether meaning is asked, and for how long."""
        wanted = any(
            one.caching.enabled and one.caching.semantic.mode != "off"
            for one in (*snapshot.strategies, snapshot.defaults)
        )
        if not wanted:
            if self.semantics is not None:
                self.semantics.close()
            self.semantics = self.meaning = None
            return
        budget_us = snapshot.cache.semantic.budget_us
        if self.semantics is None:
            self.semantics = SemanticClient(self._state / "semantic.sock", self._clock, budget_us)
        self.semantics.budget_us = budget_us
        embedder, model = None, snapshot.cache.semantic.embedder
        if model != _OFFLINE and self.embedder is not None:
            embedder = self.embedder(model, budget_us)
        self.meaning = Meaning(self.semantics, self.answers, embedder)

    def _purged(self, purge: Purge) -> None:
        self._purges.add(Selector(purge.what, purge.value, purge.namespace), purge.wall_us)


def _memory_bytes(snapshot: Snapshot) -> int:
    """Nothing is kept for nobody."""
    caches = any(one.caching.enabled for one in (*snapshot.strategies, snapshot.defaults))
    return snapshot.cache.memory_bytes if caches else 0
