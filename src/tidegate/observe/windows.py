"""What this node's workers did over sliding windows, and how it stands: pure, all moments are arguments.

Reports are taken as they come, so that a worker that is gone keeps what it did. O(series) a second; memory is bounded
by `MOST` series of each kind. What exactly is counted, [docs/metrics.md](../../../docs/metrics.md) says.
"""

from collections.abc import Collection, Iterator
from typing import Final, NamedTuple

from tidegate.model.standing import (
    BudgetSums,
    LaneSums,
    LimitedSums,
    NodeStanding,
    PlanSums,
    QueueSums,
    ScopeSums,
)
from tidegate.observe.meters import OTHER, LaneGauge, Report
from tidegate.observe.queue_waits import QueueWaits
from tidegate.observe.sliding import MINUTE, SlidingSums
from tidegate.observe.sources import CALL, LANE, POOL, WIDTHS, Key, Source, lane_key
from tidegate.observe.spans import Spans

MOST: Final = 500  # series of each kind
PAUSE_US: Final = 10_000_000  # what ends a limit
_SOON_US: Final = 30_000_000  # workers begin a little before they are listened to: all that they did counts
DATABASE: Final = ("database",)
JOURNAL: Final = ("journal",)
SHARED: Final = ("shared",)
_LIMITED: Final = "limited"
_CLOSED: Final = "closed"
_PRESENT: Final = 5  # seconds without a report after which a worker is not there
_GONE: Final = 120  # and after which a younger one has taken its place
_IDLE: Final = 60  # seconds between looks for series that are over
_WITHOUT: Final = frozenset(("local", "closed", "open"))  # modes of a worker that has lost the shared state
_MONEY: Final = {"tokens_day": "tokens_day", "nano_day": "money_day", "nano_month": "money_month"}


class NodeFacts(NamedTuple):
    """What the control process knows without its workers. Counters are ever, -1 = unknown."""

    node: str
    ready: bool = True  # it wants its workers to serve
    workers_down: int = 0
    restarts: int = 0
    journal_behind_bytes: int = 0
    database_up: bool | None = None  # None: nobody has asked it yet
    jobs_dead: int = -1
    journal_failing: bool = False  # some worker cannot write its own


class Row(NamedTuple):
    """What one series came to over one window."""

    key: Key  # CALL, LANE or POOL, and its labels
    window: str
    sums: list[int]


class Windows:
    """For one thread at a time. `began_us`: the wall clock when it began to listen."""

    __slots__ = (
        "_began_us",
        "_counts",
        "_dead",
        "_known",
        "_pending",
        "_restarts",
        "_series",
        "_sources",
        "_tidied",
        "spans",
        "waits",
    )

    def __init__(self, began_us: int) -> None:
        self._began_us = began_us
        self._sources: dict[tuple[int, int], Source] = {}
        self._series: dict[Key, SlidingSums] = {}
        self._pending: dict[Key, list[int]] = {}  # what was told since the last tick
        self._counts = dict.fromkeys(WIDTHS, 0)
        self._restarts, self._dead = SlidingSums(1), SlidingSums(1)
        self._known = NodeFacts("", restarts=-1)
        self._tidied = 0
        self.spans = Spans(PAUSE_US)
        self.waits = QueueWaits()

    def take(self, report: Report, second: int, now: int) -> None:
        """One part of a worker's round, in that second of a clock that never jumps, at that moment. O(its series)."""
        name = report.worker, report.incarnation
        source = self._sources.get(name)
        if source is None:
            going = frozenset(key[1] for key in self.spans.keys() if key[0] == _LIMITED)  # noqa: SIM118 - no mapping
            source = self._sources[name] = Source(fresh=report.incarnation >= self._began_us - _SOON_US, going=going)
        if report.last:
            self.waits.take(report, known=source.known)
        pending = self._pending
        for key, values in source.changes(report, second):
            sums = pending.get(key)
            if sums is None:
                sums = pending[key] = [0] * WIDTHS[key[0]]
            for index, value in enumerate(values):
                sums[index] += value
        if report.last:
            for model in source.limited:
                self.spans.mark((_LIMITED, model), now)
            for gauge in report.gauges:
                if gauge.wait_us and not gauge.open:
                    self.spans.mark((_CLOSED, *lane_key(gauge.lane)[1:]), now)

    def lost(self, now: int) -> None:
        """Reports were dropped by that moment: what workers say next is where they begin."""
        self._sources.clear()
        self.waits = QueueWaits()
        self._began_us = now + _SOON_US

    def _sums(self, key: Key) -> SlidingSums:
        sums = self._series.get(key)
        if sums is None:
            kind = key[0]
            if self._counts[kind] >= MOST:
                key = (kind, *[OTHER] * (len(key) - 1))
                if key in self._series:
                    return self._series[key]
            self._counts[kind] += 1
            sums = self._series[key] = SlidingSums(WIDTHS[kind])
        return sums

    def tick(self, facts: NodeFacts, second: int, now: int) -> NodeStanding:
        """How the node stands at that second and moment. O(series)."""
        for key, values in self._pending.items():
            self._sums(key).add(values, second)
        self._pending.clear()
        for sums in (*self._series.values(), self._restarts, self._dead):
            sums.advance(second)
        self.waits.tick(second)
        self._note(facts, second, now)
        present = self._present(second)
        self._close(present, now)
        if second - self._tidied >= _IDLE:
            self._tidied = second
            self._tidy(second)
        return NodeStanding(
            facts.node,
            now,
            list(self._plans()),
            list(self._queues(present)),
            list(self._lanes(present)),
            list(self._limited(present)),
            list(_scopes(present)),
            list(_budgets(present)),
            facts.journal_behind_bytes,
            self.spans.since(DATABASE),
            self.spans.since(SHARED),
            self._restarts.over("5m")[0],
            facts.workers_down if facts.ready else 0,
            -1 if facts.jobs_dead < 0 else self._dead.over("1h")[0],
            self.spans.since(JOURNAL),
        )

    def rows(self, windows: Collection[str]) -> Iterator[Row]:
        """Every series over these windows, as of the last tick. O(series)."""
        for key, sums in self._series.items():
            for window in windows:
                yield Row(key, window, sums.over(window))

    def total(self, kind: str, window: str) -> list[int]:
        """All series of a kind over this window, as of the last tick. O(series)."""
        sums = [0] * WIDTHS[kind]
        for key, series in self._series.items():
            if key[0] == kind:
                sums = list(map(int.__add__, sums, series.over(window)))
        return sums

    def _note(self, facts: NodeFacts, second: int, now: int) -> None:
        """What is counted ever becomes what was counted since; what goes on is marked."""
        before, self._known = self._known, facts
        if 0 <= before.restarts < facts.restarts:
            self._restarts.add([facts.restarts - before.restarts], second)
        if facts.jobs_dead < 0:
            self._known = facts._replace(jobs_dead=before.jobs_dead)
        elif 0 <= before.jobs_dead < facts.jobs_dead:
            self._dead.add([facts.jobs_dead - before.jobs_dead], second)
        if facts.database_up:
            self.spans.end(DATABASE)
        elif facts.database_up is not None:
            self.spans.mark(DATABASE, now)
        if facts.journal_failing:
            self.spans.mark(JOURNAL, now)
        else:
            self.spans.end(JOURNAL)

    def _present(self, second: int) -> list[Report]:
        """The newest whole rounds of the workers that are there; a successor speaks for its predecessor."""
        newest: dict[int, Report] = {}
        for (worker, incarnation), source in self._sources.items():
            report = source.report
            if report is not None and second - source.heard < _PRESENT:
                known = newest.get(worker)
                if known is None or known.incarnation < incarnation:
                    newest[worker] = report
        return list(newest.values())

    def _close(self, present: list[Report], now: int) -> None:
        """What is over ends: at once where it is seen, else after a pause."""
        if any(one.cluster is not None and one.cluster.mode in _WITHOUT for one in present):
            self.spans.mark(SHARED, now)
        elif any(one.cluster is not None and one.cluster.mode == "shared" for one in present):
            self.spans.end(SHARED)
        known = {lane_key(gauge.lane)[1:] for one in present for gauge in one.gauges}
        shut = {lane_key(gauge.lane)[1:] for one in present for gauge in one.gauges if not gauge.open}
        for key in self.spans.keys():  # noqa: SIM118 - no mapping
            if key[0] == _CLOSED and key[1:] in known - shut:
                self.spans.end(key)
        self.spans.sweep(now)

    def _tidy(self, second: int) -> None:
        for key, sums in list(self._series.items()):
            if sums.idle:
                del self._series[key]
                self._counts[key[0]] -= 1
        newest: dict[int, int] = {}
        for worker, incarnation in self._sources:
            newest[worker] = max(newest.get(worker, 0), incarnation)
        for name, source in list(self._sources.items()):
            if name[1] < newest[name[0]] and second - source.heard > _GONE:
                del self._sources[name]

    def _minutes(self, kind: str) -> Iterator[tuple[Key, list[int]]]:
        for key, sums in self._series.items():
            if key[0] == kind:
                yield key, [max(0, value) for value in sums.over(MINUTE)]

    def _plans(self) -> Iterator[PlanSums]:
        for (_, plan), (calls, failed, refused, moved, _tokens) in self._minutes(CALL):
            yield PlanSums(plan, calls, failed, refused, moved)

    def _queues(self, present: list[Report]) -> Iterator[QueueSums]:
        found = {
            (pool, model): QueueSums(pool, model, left, waited_us)
            for (_, pool, model), (left, waited_us, _told) in self._minutes(POOL)
        }
        for report in present:
            for gauge in report.pools:
                queue = found.setdefault((gauge.pool, gauge.model), QueueSums(gauge.pool, gauge.model))
                queue.waiting += sum(gauge.waiting.values())
                queue.waiting_us += gauge.waiting_us
        yield from found.values()

    def _lanes(self, present: list[Report]) -> Iterator[LaneSums]:
        found: dict[Key, LaneSums] = {}
        for report in present:
            for gauge in report.gauges:
                key = lane_key(gauge.lane)
                lane = found.setdefault(key, _lane(key))
                tokens, requests = limits_of(gauge)
                lane.limit_tokens = max(lane.limit_tokens, tokens)
                lane.limit_requests = max(lane.limit_requests, requests)
        for key, (charged, requests, throttled, _answered, _failures) in self._minutes(LANE):
            lane = found.setdefault(key, _lane(key))
            lane.tokens, lane.requests, lane.throttled = charged, requests, throttled
        for key, lane in found.items():
            lane.closed_since_us = self.spans.since((_CLOSED, *key[1:]))
            yield lane

    def _limited(self, present: list[Report]) -> Iterator[LimitedSums]:
        models = {lane_key(gauge.lane)[3] for report in present for gauge in report.gauges}
        models |= {key[1] for key in self.spans.keys() if key[0] == _LIMITED}  # noqa: SIM118 - no mapping
        for model in sorted(models):
            key = (_LIMITED, model)
            yield LimitedSums(model, self.spans.since(key), self.spans.until(key))


def _lane(key: Key) -> LaneSums:
    _, provider, scope, model = key
    return LaneSums(provider, scope, model)


def limits_of(gauge: LaneGauge) -> tuple[int, int]:
    """The limits in force, of tokens and of requests, a minute; -1 = none."""
    return (
        gauge.tokens.limit or (gauge.limit_tokens if gauge.limit_tokens >= 0 else -1),
        gauge.requests.limit or (gauge.limit_requests if gauge.limit_requests >= 0 else -1),
    )


def _scopes(present: list[Report]) -> Iterator[ScopeSums]:
    found: dict[Key, ScopeSums] = {}
    for report in present:
        for gauge in report.gauges:
            _, provider, scope, _model = lane_key(gauge.lane)
            one = found.setdefault((provider, scope), ScopeSums(provider, scope))
            one.dead = max(one.dead, gauge.keys_dead)
    yield from found.values()


def _budgets(present: list[Report]) -> Iterator[BudgetSums]:
    """What workers that are gone have used is in the books of their successors."""
    found: dict[Key, BudgetSums] = {}
    for report in present:
        for gauge in report.spends:
            if gauge.user or gauge.key or gauge.model or gauge.period not in _MONEY:
                continue
            period = _MONEY[gauge.period]
            one = found.setdefault((gauge.namespace, period), BudgetSums(gauge.namespace, period))
            one.used += gauge.used
            one.told = max(one.told, gauge.told)
            one.limit = gauge.limit
    yield from found.values()
