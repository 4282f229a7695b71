"""What the gate refused and where calls went instead, on the metrics page; and who said 429, the gate or a provider."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, Metric

from tidegate.control.board import WorkerView
from tidegate.observe.meters import FALLBACK, MOVED, REASONS

_RATE: Final = REASONS.index("rate")
_AT_THE_DOOR: Final = ("address", "key_and_address", "user", "failures")
_TOO_MANY: Final = {"over_quota", "insufficient_quota", "tenant_limit", "tenant_exhausted", *_AT_THE_DOOR}  # with 429


def refusal_metrics(views: list[WorkerView]) -> Iterator[Metric]:
    """By plan; kinds are a few words, tiers the configuration's."""
    refused = CounterMetricFamily(
        "tidegate_refusals", "Calls that the gate refused", labels=["worker", "plan", "kind", "tier"]
    )
    fallbacks = CounterMetricFamily("tidegate_fallbacks", "Changes to the next target", labels=["worker", "plan"])
    moved = CounterMetricFamily(
        "tidegate_moved_calls", "Calls that another target than the first answered", labels=["worker", "plan"]
    )
    for view in views:
        for tally in view.tallies:
            at = [str(view.worker), tally.plan]
            if tally.what == FALLBACK:
                fallbacks.add_metric(at, tally.count)
            elif tally.what == MOVED:
                moved.add_metric(at, tally.count)
            else:
                refused.add_metric([*at, tally.what, tally.tier], tally.count)
    yield from (refused, fallbacks, moved)
    yield _throttled(views)


def _throttled(views: list[WorkerView]) -> Metric:
    family = CounterMetricFamily("tidegate_throttled", "429s by who said it first", labels=["worker", "origin"])
    for view in views:
        gate = sum(tally.count for tally in view.tallies if tally.what in _TOO_MANY)
        family.add_metric([str(view.worker), "gate"], gate)
        family.add_metric([str(view.worker), "provider"], sum(lane.failed[_RATE] for lane in view.lanes))
    return family
