"""Keeps a node's part of shared quotas: news to the store, what it shows to the workers, once a beat."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Final

import msgspec

from tidegate.model.regions import Counted, News, Parts, RegionSettings
from tidegate.observe.log import Log
from tidegate.policy.regions.counters import Counters
from tidegate.policy.regions.party import Drop, Party, Place, Rule, Seen, Swap
from tidegate.ports import Clock
from tidegate.regions.store import Store, StoreAway, View
from tidegate.regions.workers import Workers

_BEATS: Final = 8  # in a lease, at least
_PARTS: Final = "parts/"
_NEWS: Final = "news/"
_TOTALS: Final = "totals/"


class RegionAgent:
    """One node. Nothing that it does holds up a call: workers go on by what they were told, until that ends."""

    __slots__ = (
        "_away_since", "_clock", "_decode_news", "_decode_parts", "_decode_totals", "_log", "_me", "_recalled",
        "_settings", "_store", "beat_us", "counters", "heard_at", "party", "view", "workers",
    )  # fmt: skip

    def __init__(self, settings: RegionSettings, store: Store, clock: Clock, log: Log) -> None:
        self._settings = settings
        self._store = store
        self._clock = clock
        self._log = log
        self._me = Place(settings.name, settings.node)
        rule = Rule(settings.all, settings.floor_ppm, settings.lease_us)
        self.party = Party(self._me, rule, clock.now())
        self.counters = Counters(f"{settings.name}/{settings.node}")
        self.workers = Workers(self.party, self.counters, log, clock.now)
        self.beat_us = min(settings.rebalance_us, settings.lease_us // _BEATS)
        self.heard_at = -1
        self.view: Seen | None = None
        self._recalled = False
        self._away_since = -1
        self._decode_parts = msgspec.msgpack.Decoder(Parts).decode
        self._decode_news = msgspec.msgpack.Decoder(News).decode
        self._decode_totals = msgspec.msgpack.Decoder(dict[str, Counted]).decode

    async def run(self, after: Callable[[], None] = lambda: None) -> None:
        """Beat until it is cancelled; `after` is called when each is over."""
        while True:
            began = self._clock.now()
            await self.beat()
            after()
            await self._clock.sleep(max(self.beat_us // 4, began + self.beat_us - self._clock.now()))

    async def beat(self) -> None:
        """One exchange, and what follows from it."""
        self.workers.look()
        sent_at = self._clock.now()
        try:
            view = await self._store.exchange(self._puts(sent_at))
            self._heard()
            for write in self._read(view, sent_at):
                await self._write(write)
        except StoreAway as error:
            self._missed(str(error))
        self.workers.tell()

    def _puts(self, now: int) -> dict[str, bytes]:
        """Own totals only once what was counted before a restart is known."""
        me = f"{self._me.region}/{self._me.node}"
        found = {f"{_NEWS}{me}": msgspec.msgpack.encode(self.party.news(now))}
        if self._recalled and self.counters.delta():
            found[f"{_TOTALS}{me}"] = msgspec.msgpack.encode(self.counters.state[me])
        return found

    def _read(self, view: View, sent_at: int) -> list[Swap | Drop]:
        parts: dict[str, tuple[int, Parts]] = {}
        news: dict[Place, tuple[int, News]] = {}
        for key, (revision, value) in view.items.items():
            with self._readable(key):
                if key.startswith(_PARTS):
                    parts[key.removeprefix(_PARTS)] = revision, self._decode_parts(value)
                elif key.startswith(_NEWS):
                    region, _, node = key.removeprefix(_NEWS).partition("/")
                    news[Place(region, node)] = revision, self._decode_news(value)
                elif key.startswith(_TOTALS):
                    self._count(key.removeprefix(_TOTALS), self._decode_totals(value))
        self._recalled = True
        self.view = Seen(view.revision, parts, news)
        return self.party.heard(self.view, sent_at, self._clock.now(), self._clock.wall())

    @contextlib.contextmanager
    def _readable(self, key: str) -> Iterator[None]:
        """What another version wrote, and cannot be read, counts as if it were not there to be spent by."""
        try:
            yield
        except (msgspec.DecodeError, TypeError) as error:
            self._log.error("what stands in the store of regions cannot be read", key=key, problem=str(error))

    def _count(self, replica: str, counted: dict[str, Counted]) -> None:
        if replica != self.counters.me:
            self.counters.merge(replica, counted)
        elif not self._recalled:
            self.counters.recall(counted)

    async def _write(self, write: Swap | Drop) -> None:
        if isinstance(write, Drop):
            await self._store.drop(f"{_NEWS}{write.place.region}/{write.place.node}", write.revision)
        else:
            value = msgspec.msgpack.encode(write.parts)
            await self._store.swap(f"{_PARTS}{write.quota}", write.revision, value)

    # one line in the log for each change

    def _heard(self) -> None:
        self.heard_at = self._clock.now()
        if self._away_since >= 0:
            away = (self.heard_at - self._away_since) // 1_000
            self._log.info("the store of regions answers again", away_ms=away)
            self._away_since = -1

    def _missed(self, problem: str) -> None:
        now = self._clock.now()
        if self._away_since < 0:
            self._away_since = now
            lease = self._settings.lease_us / 1e6
            self._log.warning(
                "the store of regions does not answer: parts are kept until their lease ends, then the floor",
                problem=problem,
                lease_seconds=lease,
            )
