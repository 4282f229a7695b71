"""The cache on the metrics page: what each layer was asked and had, how it stands, and what became of questions."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from tidegate.control.board import WorkerView

_LABELS: Final = ["worker", "layer"]
_COUNTERS: Final = (
    ("requests", "gets", "What was looked for in a layer of the cache"),
    ("hits", "hits", "Of these, what it had"),
    ("errors", "errors", "Reads and writes that failed, time-outs included"),
    ("timeouts", "timeouts", "Of these, what took too long"),
    ("corrupt", "corrupt", "Kept answers that could not be read: they count as none"),
    ("writes", "writes", "Answers that were written, or dropped from it"),
    ("dropped_writes", "dropped", "Writes that were not tried: too many waited, or the layer is left alone"),
    ("evicted", "evicted", "Answers that had to make room, in memory"),
)


def cache_metrics(views: list[WorkerView]) -> Iterator[Metric]:
    """Three layers at most, memory, disk and redis, of each worker: the labels are bounded."""
    for name, field, words in _COUNTERS:
        counter = CounterMetricFamily(f"tidegate_cache_{name}", words, labels=_LABELS)
        for view in views:
            for meter in view.answers:
                counter.add_metric([str(view.worker), meter.layer], getattr(meter, field))
        yield counter
    yield from _gauges(views)
    yield from _semantic(views)


def _gauges(views: list[WorkerView]) -> Iterator[Metric]:
    entries = GaugeMetricFamily("tidegate_cache_entries", "Answers that it holds, where it tells", labels=_LABELS)
    held = GaugeMetricFamily("tidegate_cache_bytes", "Bytes that they take", labels=_LABELS)
    up = GaugeMetricFamily("tidegate_cache_layer_up", "0 while it is left alone, because it failed", labels=_LABELS)
    for view in views:
        for meter in view.answers:
            at = [str(view.worker), meter.layer]
            if meter.entries >= 0:
                entries.add_metric(at, meter.entries)
            if meter.bytes >= 0:
                held.add_metric(at, meter.bytes)
            up.add_metric(at, meter.up)
    yield from (entries, held, up)


def _semantic(views: list[WorkerView]) -> Iterator[Metric]:
    """A dozen outcomes at most."""
    asked = CounterMetricFamily(
        "tidegate_semantic_questions",
        "Questions that were compared by their meaning: served, shadow, or why not",
        labels=["worker", "outcome"],
    )
    explored = CounterMetricFamily(
        "tidegate_semantic_explored", "Of these, those whose answers were compared", labels=["worker"]
    )
    dropped = CounterMetricFamily(
        "tidegate_semantic_dropped", "Answers that the semantic process was not told of", labels=["worker"]
    )
    for view in views:
        if view.semantic is None:
            continue
        worker = str(view.worker)
        for outcome, count in sorted(view.semantic.outcomes.items()):
            asked.add_metric([worker, outcome], count)
        explored.add_metric([worker], view.semantic.explored)
        dropped.add_metric([worker], view.semantic.dropped)
    yield from (asked, explored, dropped)
