"""What workers report of quotas, queues and refusals, as OpenTelemetry's metrics have it: summed over workers. Pure.

Counters are cumulative since each worker's start. A worker that is started again begins at nothing; so that sums never
fall, what those before it had counted is kept (`Totals`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tidegate.observe.meters import (
    FALLBACK,
    MOVED,
    REASONS,
    LaneGauge,
    LaneMeter,
    PoolGauge,
    Tally,
)
from tidegate.tracing import makers as known
from tidegate.tracing import names
from tidegate.tracing.makers import Makers

Labels = tuple[tuple[str, str | int], ...]


class Seen(NamedTuple):
    """What one worker said last; `incarnation` tells one process of it from the next."""

    worker: int
    incarnation: int
    lanes: Sequence[LaneMeter]
    tallies: Sequence[Tally]
    gauges: Sequence[LaneGauge]
    pools: Sequence[PoolGauge]


class Meter(NamedTuple):
    """One metric with all its label sets. `kind`: counter | gauge | histogram (counts by bucket, and the sum)."""

    name: str
    kind: str
    unit: str
    text: str
    numbers: Mapping[Labels, int] = {}
    histograms: Mapping[Labels, tuple[Sequence[int], float]] = {}
    bounds: Sequence[float] = ()  # of a histogram's buckets, in its unit; one more holds what is above them


class Totals:
    """Counters of all workers that there ever were since this process began. Bounded as theirs are."""

    __slots__ = ("_gone", "_last")

    def __init__(self) -> None:
        self._last: dict[int, tuple[int, list[Meter]]] = {}
        self._gone: list[Meter] = []

    def meters(self, seen: Iterable[Seen], makers: Makers) -> list[Meter]:
        """All metrics as they stand now."""
        gauges: list[Meter] = []
        for one in seen:
            known = self._last.get(one.worker)
            if known is not None and known[0] != one.incarnation:
                self._gone = merged([*self._gone, *known[1]])
            self._last[one.worker] = (one.incarnation, counters(one, makers))
            gauges += levels(one, makers)
        return merged([*self._gone, *(meter for _, meters in self._last.values() for meter in meters), *gauges])


def counters(seen: Seen, makers: Makers) -> list[Meter]:
    """Of one worker."""
    rate = REASONS.index("rate")
    throttled = {_lane_labels(lane.lane, makers): lane.failed[rate] for lane in seen.lanes}
    refused: dict[Labels, int] = {}
    for tally in seen.tallies:
        if tally.what not in {FALLBACK, MOVED}:
            labels = ((names.PLAN, tally.plan), (names.ERROR_TYPE, tally.what))
            refused[labels] = refused.get(labels, 0) + tally.count
    return [
        Meter(names.THROTTLED, "counter", "{response}", "429s of providers", throttled),
        Meter(names.REFUSED, "counter", "{call}", "Calls that the gate refused", refused),
    ]


def levels(seen: Seen, makers: Makers) -> list[Meter]:
    """What a worker holds at this moment."""
    left: dict[Labels, int] = {}
    limit: dict[Labels, int] = {}
    waiting: dict[Labels, int] = {}
    for gauge in seen.gauges:
        for unit, holds, allowed in (
            ("tokens", gauge.level_tokens, gauge.limit_tokens),
            ("requests", gauge.level_requests, gauge.limit_requests),
        ):
            if allowed >= 0:
                labels = (*_lane_labels(gauge.lane, makers), (names.UNIT, unit), (names.WORKER, str(seen.worker)))
                left[labels], limit[labels] = holds, allowed
    for pool in seen.pools:
        for tier, count in pool.waiting.items():
            labels = ((names.POOL, pool.pool), (names.REQUEST_MODEL, pool.model), (names.TIER, tier))
            waiting[labels] = waiting.get(labels, 0) + count
    return [
        Meter(names.QUOTA_LEFT, "gauge", "1", "What the quota's mirror holds", left),
        Meter(names.QUOTA_LIMIT, "gauge", "1", "The quota per minute", limit),
        Meter(names.WAITING, "gauge", "{call}", "Calls waiting for quota", waiting),
    ]


def merged(meters: Iterable[Meter]) -> list[Meter]:
    """One of each name, label sets added up. O(label sets)."""
    found: dict[str, Meter] = {}
    for meter in meters:
        had = found.get(meter.name)
        if had is None:
            found[meter.name] = meter._replace(numbers=dict(meter.numbers))
            continue
        numbers = dict(had.numbers)
        for labels, value in meter.numbers.items():
            numbers[labels] = numbers.get(labels, 0) + value
        found[meter.name] = had._replace(numbers=numbers)
    return list(found.values())


def _lane_labels(lane: str, makers: Makers) -> Labels:
    provider, _, rest = lane.partition("/")
    scope, _, model = rest.partition("/")
    return (
        (names.PROVIDER, known.of(makers, provider).name), (names.UPSTREAM, provider), (names.SCOPE, scope),
        (names.REQUEST_MODEL, model or lane),
    )  # fmt: skip
