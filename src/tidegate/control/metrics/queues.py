"""Who waits for quota, who had to and for how long, and who was told a time instead, on the metrics page.

Pools, models and tiers are the configuration's words.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from tidegate.control.board import WorkerView
from tidegate.model.waits import slot_ms, wait_slot

_QUEUE: Final = ["worker", "pool", "model"]
_BOUNDS_MS: Final = [16 << doubling for doubling in range(14)]  # with each begins a slot: every wait is on its side
_SLOTS: Final = [wait_slot(bound) for bound in _BOUNDS_MS]
_LE: Final = [f"{bound / 1_000:g}" for bound in _BOUNDS_MS]


def queue_metrics(views: list[WorkerView]) -> Iterator[Metric]:
    """By pool and model; who waits and who had to by tier."""
    waiting = GaugeMetricFamily("tidegate_queue_calls", "Calls waiting for quota", labels=[*_QUEUE, "tier"])
    oldest = GaugeMetricFamily("tidegate_queue_oldest_seconds", "The longest of their waits so far", labels=_QUEUE)
    places = GaugeMetricFamily("tidegate_appointments", "Places kept for calls that were refused", labels=_QUEUE)
    left = CounterMetricFamily("tidegate_queue_left", "Calls that were let through, or gave up", labels=_QUEUE)
    waited = CounterMetricFamily("tidegate_queue_waited_seconds", "How long they had waited, together", labels=_QUEUE)
    refused = CounterMetricFamily("tidegate_queue_refused", "Calls that were told a time instead", labels=_QUEUE)
    waits = HistogramMetricFamily(
        "tidegate_queue_wait_seconds", "How long calls had waited that had to", labels=[*_QUEUE, "tier"]
    )
    for view in views:
        for gauge in view.pools:
            at = [str(view.worker), gauge.pool, gauge.model]
            for tier, count in gauge.waiting.items():
                waiting.add_metric([*at, tier], count)
            for tier, slots in gauge.waits.items():
                waits.add_metric([*at, tier], list(_buckets(slots)), _seconds(slots))
            oldest.add_metric(at, gauge.oldest_us / 1e6)
            places.add_metric(at, gauge.appointments)
            left.add_metric(at, gauge.left)
            waited.add_metric(at, gauge.waited_us / 1e6)
            refused.add_metric(at, gauge.refused)
    yield from (waiting, oldest, places, left, waited, refused, waits)


def _buckets(slots: Mapping[int, int]) -> Iterator[tuple[str, float]]:
    """How many waited less than each bound; then all."""
    for le, first in zip(_LE, _SLOTS, strict=True):
        yield le, float(sum(count for slot, count in slots.items() if slot < first))
    yield "+Inf", float(sum(slots.values()))


def _seconds(slots: Mapping[int, int]) -> float:
    """How long they had waited together: each as the middle of its slot, which is an eighth off at most."""
    return sum(count * (slot_ms(slot - 1) + slot_ms(slot) + 2) for slot, count in slots.items()) / 2_000
