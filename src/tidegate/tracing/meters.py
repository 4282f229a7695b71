"""What workers report, as OpenTelemetry's metrics have it: summed over workers, by its conventions' names. Pure.

Counters are cumulative since each worker's start. A worker that is started again begins at nothing; so that sums never
fall, what those before it had counted is kept (`Totals`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tidegate.observe.meters import (
    FALLBACK,
    MOVED,
    REASONS,
    CallMeter,
    Histogram,
    LaneGauge,
    LaneMeter,
    PoolGauge,
    Tally,
)
from tidegate.tracing import names

Labels = tuple[tuple[str, str], ...]


class Seen(NamedTuple):
    """What one worker said last; `incarnation` tells one process of it from the next."""

    worker: int
    incarnation: int
    calls: Sequence[CallMeter]
    lanes: Sequence[LaneMeter]
    tallies: Sequence[Tally]
    gauges: Sequence[LaneGauge]
    pools: Sequence[PoolGauge]


class Meter(NamedTuple):
    """One metric with all its label sets. `kind`: counter | gauge | histogram (counts by bucket, and microseconds)."""

    name: str
    kind: str
    unit: str
    text: str
    numbers: Mapping[Labels, int] = {}
    histograms: Mapping[Labels, tuple[Sequence[int], int]] = {}


class Totals:
    """Counters of all workers that there ever were since this process began. Bounded as theirs are."""

    __slots__ = ("_gone", "_last")

    def __init__(self) -> None:
        self._last: dict[int, tuple[int, list[Meter]]] = {}
        self._gone: list[Meter] = []

    def meters(self, seen: Iterable[Seen]) -> list[Meter]:
        """All metrics as they stand now."""
        gauges: list[Meter] = []
        for one in seen:
            known = self._last.get(one.worker)
            if known is not None and known[0] != one.incarnation:
                self._gone = merged([*self._gone, *known[1]])
            self._last[one.worker] = (one.incarnation, counters(one))
            gauges += levels(one)
        return merged([*self._gone, *(meter for _, meters in self._last.values() for meter in meters), *gauges])


def counters(seen: Seen) -> list[Meter]:
    """Of one worker."""
    numbers: dict[str, dict[Labels, int]] = {name: {} for name in (names.USED_INPUT, names.USED_OUTPUT)}
    long: dict[Labels, tuple[Sequence[int], int]] = {}
    first: dict[Labels, tuple[Sequence[int], int]] = {}
    for call in seen.calls:
        labels = _call_labels(call)
        for name, amount in ((names.USED_INPUT, call.prompt_tokens), (names.USED_OUTPUT, call.completion_tokens)):
            numbers[name][labels] = numbers[name].get(labels, 0) + amount
        _fill(long, labels, call.duration)
        _fill(first, labels, call.first_byte)
    rate = REASONS.index("rate")
    throttled = {_lane_labels(lane.lane): lane.failed[rate] for lane in seen.lanes}
    refused: dict[Labels, int] = {}
    for tally in seen.tallies:
        if tally.what not in {FALLBACK, MOVED}:
            labels = ((names.PLAN, tally.plan), (names.ERROR_TYPE, tally.what))
            refused[labels] = refused.get(labels, 0) + tally.count
    return [
        Meter(names.USED_INPUT, "counter", "{token}", "Input tokens", numbers[names.USED_INPUT]),
        Meter(names.USED_OUTPUT, "counter", "{token}", "Output tokens", numbers[names.USED_OUTPUT]),
        Meter(names.THROTTLED, "counter", "{response}", "429s of providers", throttled),
        Meter(names.REFUSED, "counter", "{call}", "Calls that the gate refused", refused),
        Meter(names.DURATION, "histogram", "s", "Whole calls", histograms=long),
        Meter(names.TTFC, "histogram", "s", "Until the first byte of the answer", histograms=first),
    ]


def levels(seen: Seen) -> list[Meter]:
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
                labels = (*_lane_labels(gauge.lane), ("tidegate.unit", unit), ("tidegate.worker", str(seen.worker)))
                left[labels], limit[labels] = holds, allowed
    for pool in seen.pools:
        for tier, count in pool.waiting.items():
            labels = (("tidegate.pool", pool.pool), (names.REQUEST_MODEL, pool.model), (names.TIER, tier))
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
        known = found.get(meter.name)
        if known is None:
            found[meter.name] = meter._replace(numbers=dict(meter.numbers), histograms=dict(meter.histograms))
            continue
        numbers, histograms = dict(known.numbers), dict(known.histograms)
        for labels, value in meter.numbers.items():
            numbers[labels] = numbers.get(labels, 0) + value
        for labels, (counts, total) in meter.histograms.items():
            had = histograms.get(labels)
            whole = counts if had is None else [a + b for a, b in zip(had[0], counts, strict=True)]
            histograms[labels] = (whole, total + (had[1] if had is not None else 0))
        found[meter.name] = known._replace(numbers=numbers, histograms=histograms)
    return list(found.values())


def _fill(into: dict[Labels, tuple[Sequence[int], int]], labels: Labels, histogram: Histogram) -> None:
    counts, total = into.get(labels, ([0] * len(histogram.counts), 0))
    into[labels] = ([a + b for a, b in zip(counts, histogram.counts, strict=True)], total + histogram.total_us)


def _call_labels(call: CallMeter) -> Labels:
    provider = names.PROVIDERS.get(call.provider, call.provider)
    every = (
        (names.PLAN, call.plan),
        (names.REQUEST_MODEL, call.model),
        (names.PROVIDER, provider),
        (names.SCOPE, call.scope),
    )
    return tuple((name, value) for name, value in every if value)


def _lane_labels(lane: str) -> Labels:
    provider, _, rest = lane.partition("/")
    scope, _, model = rest.partition("/")
    return (
        (names.PROVIDER, names.PROVIDERS.get(provider, provider)), (names.SCOPE, scope),
        (names.REQUEST_MODEL, model or lane),
    )  # fmt: skip
