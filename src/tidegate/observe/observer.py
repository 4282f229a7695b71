"""Counts what happened on the line: `ports.Observer`. A few dictionary look-ups and additions per call."""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from tidegate.model.facts import CallRecord
from tidegate.model.outcome import Reason
from tidegate.model.reply import Unexplained
from tidegate.observe.counts import CallCount, bucket_of
from tidegate.observe.growth import Growth
from tidegate.observe.log import Log
from tidegate.observe.meters import (
    FALLBACK,
    MOVED,
    OTHER,
    AccountGauge,
    LaneGauge,
    LaneMeter,
    PoolGauge,
    ProviderMeter,
    Report,
    ScopeMeter,
    Tally,
)
from tidegate.observe.rates import SlidingRate
from tidegate.ports import Clock

MAX_SERIES = 1_000  # of each kind: clients choose model names, so labels must be bounded; the rest is "other"
_PART = 100  # call series per report part: some 0.5 ms of encoding


class _Usage:
    """One model's tokens: how many were seen at the last report, and their rate."""

    __slots__ = ("rate", "seen")

    def __init__(self) -> None:
        self.rate = SlidingRate()
        self.seen = 0


class Observer:
    """The counters of one worker. O(1) per event; memory bounded by `MAX_SERIES`."""

    __slots__ = (
        "_accounts", "_calls", "_clock", "_gauges", "_growth", "_lanes", "_log", "_pools", "_providers", "_scopes",
        "_started", "_tallies", "_usage", "on_key_retired",
    )  # fmt: skip

    def __init__(
        self,
        clock: Clock,
        gauges: Callable[[], Iterable[LaneGauge]] = tuple,
        pools: Callable[[], Iterable[PoolGauge]] = tuple,
        log: Log | None = None,
        accounts: Callable[[], Iterable[AccountGauge]] = tuple,
    ) -> None:
        """`gauges`, `pools` and `accounts` are asked once a second how lanes, queues and scopes stand."""
        self._accounts = accounts
        self._clock = clock
        self._gauges = gauges
        self._pools = pools
        self._log = log
        self._started = clock.wall()
        self.on_key_retired: Callable[[str, str], object] | None = None  # the other workers are told lane and digest
        self._calls: dict[tuple[str, str, str], CallCount] = {}
        self._lanes: dict[str, LaneMeter] = {}
        self._scopes: dict[str, ScopeMeter] = {}
        self._providers: dict[str, ProviderMeter] = {}
        self._growth = None if log is None else Growth(log)
        self._usage: dict[str, _Usage] = {}
        self._tallies: dict[tuple[str, str, str], Tally] = {}

    def attempt(self, lane: str, reason: Reason | None) -> None:
        """An attempt on a lane (provider/scope/model) ended: answered (None) or failed for this reason."""
        meter = self._lanes.get(lane)
        if meter is None:
            meter = self._new_lane(lane)
        if reason is None:
            meter.answered += 1
        else:
            meter.failed[reason.value - 1] += 1

    def finished(self, record: CallRecord) -> None:
        """A call ended, whatever came of it."""
        count = self._calls.get((record.plan, record.model, record.target))
        if count is None:
            count = self._new_call(record)
        count.status(record.status)
        if record.attempts > 1:
            count.retried += record.attempts - 1
        if record.streamed:
            count.streamed += 1
        if record.estimated:
            count.estimated += 1
        waited = record.queued_us + record.waited_us
        if waited:
            count.queued.put(bucket_of(waited), waited)
        duration, first_byte = record.duration_us, record.first_byte_us
        bucket = bucket_of(duration)
        count.duration.put(bucket, duration)
        if first_byte:
            # Most answers are complete when their first byte is there.
            count.first_byte.put(bucket if first_byte == duration else bucket_of(first_byte), first_byte)
        count.prompt_tokens += record.prompt_tokens
        count.completion_tokens += record.completion_tokens
        count.cached_tokens += record.cached_tokens
        count.charged_tokens += record.charged_tokens

    def refused(self, plan: str, kind: str, tier: str = "") -> None:
        """The gate itself refused a call of this plan and tier; `kind` is a small fixed set of words."""
        self._tally(plan, kind, tier)

    def fell_back(self, plan: str) -> None:
        """A call left a target for the next one."""
        self._tally(plan, FALLBACK)

    def moved(self, plan: str) -> None:
        """A call was answered by another target than its plan's first."""
        self._tally(plan, MOVED)

    def key_retired(self, lane: str, digest: str, left: int) -> None:
        """The provider knows a key of the lane's scope no more; `left` are in use."""
        meter = self._scope(lane)
        meter.retired += 1
        if self.on_key_retired is not None:
            self.on_key_retired(lane, digest)
        if self._log is not None:
            self._log.warning("the provider refuses a key: it is not used", scope=meter.scope, key=digest, left=left)

    def key_restored(self, lane: str, digest: str) -> None:
        """A key that was refused was answered."""
        meter = self._scope(lane)
        meter.restored += 1
        if self._log is not None:
            self._log.info("a key that was refused is good again", scope=meter.scope, key=digest)

    def unexplained(self, lane: str, refusal: Unexplained) -> None:
        """No row of the provider's profile explains a refusal: counted, and told once an hour."""
        provider = lane.partition("/")[0]
        meter = self._providers.get(provider)
        if meter is None:  # providers are named by the configuration alone: few
            meter = self._providers[provider] = ProviderMeter(provider)
        meter.unexplained += 1
        if self._growth is not None:
            self._growth.add(provider, refusal, self._clock.now())

    def reports(self, worker: int, pid: int) -> Iterator[Report]:
        """The counters as they stand, in parts small enough never to hold the loop; the last one has `last` set.

        To be asked once a second: `token_usage_rate` is as fine as that.
        """
        counts = list(self._calls.values())
        for start in range(0, len(counts), _PART):
            part = [count.meter() for count in counts[start : start + _PART]]
            yield Report(worker, self._started, pid, last=False, calls=part)
        yield Report(
            worker,
            self._started,
            pid,
            last=True,
            lanes=list(self._lanes.values()),
            tallies=list(self._tallies.values()),
            gauges=list(self._gauges()),
            pools=list(islice(self._pools(), MAX_SERIES)),
            scopes=list(self._scopes.values()),
            token_usage_rate=self._token_usage_rate(),
            providers=list(self._providers.values()),
            accounts=list(islice(self._accounts(), MAX_SERIES)),
        )

    def _token_usage_rate(self) -> dict[str, float]:
        totals: dict[str, int] = {}
        for count in self._calls.values():
            totals[count.model] = totals.get(count.model, 0) + count.prompt_tokens + count.completion_tokens
        now = self._clock.now()
        rates: dict[str, float] = {}
        for model, total in totals.items():
            usage = self._usage.setdefault(model, _Usage())
            usage.rate.add(total - usage.seen, now)
            usage.seen = total
            rates[model] = usage.rate.per_second(now)
        return rates

    def _tally(self, plan: str, what: str, tier: str = "") -> None:
        tally = self._tallies.get((plan, what, tier))
        if tally is None:
            if len(self._tallies) >= MAX_SERIES:
                plan = tier = OTHER
            tally = self._tallies.setdefault((plan, what, tier), Tally(plan, what, 0, tier))
        tally.count += 1

    def _scope(self, lane: str) -> ScopeMeter:
        """Scopes are named by the configuration alone: few."""
        scope = "/".join(lane.split("/", 2)[:2])
        return self._scopes.setdefault(scope, ScopeMeter(scope))

    def _new_lane(self, lane: str) -> LaneMeter:
        if len(self._lanes) >= MAX_SERIES:
            lane = OTHER
        return self._lanes.setdefault(lane, LaneMeter(lane))

    def _new_call(self, record: CallRecord) -> CallCount:
        labels = (record.plan, record.model, record.target)
        if len(self._calls) >= MAX_SERIES:
            labels = (OTHER, OTHER, OTHER)
        plan, model, target = labels
        provider, _, rest = target.partition("/")
        return self._calls.setdefault(labels, CallCount(plan, model, provider, rest.partition("/")[0]))
