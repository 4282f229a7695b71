"""Sliding windows on the metrics page, and what alerts look at. All of it is the node's, whatever worker did it."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from prometheus_client.core import GaugeMetricFamily, Metric

from tidegate.model.alerts import AlertRule
from tidegate.model.measures import METRICS, Sample
from tidegate.model.standing import NodeStanding
from tidegate.observe.sliding import WINDOWS
from tidegate.observe.sources import (
    CALL,
    CALLS,
    CHARGED,
    FAILED,
    LANE,
    LEFT,
    MOVES,
    POOL,
    REFUSED,
    REQUESTS,
    THROTTLED,
    TOKENS,
    WAITED_US,
)
from tidegate.observe.windows import Row

MEASURE: Final = "tidegate_measure_"
_PLAN: Final = ["plan", "window"]
_LANE: Final = ["provider", "scope", "model", "window"]


class Seen(NamedTuple):
    """What the windows showed at one moment."""

    standing: NodeStanding
    samples: Sequence[Sample]
    rows: Sequence[Row]
    rules: Sequence[AlertRule] = ()


def window_metrics(seen: Seen | None) -> Iterator[Metric]:
    """Nothing where nobody keeps windows."""
    if seen is None:
        return
    yield from _plans([row for row in seen.rows if row.key[0] == CALL])
    yield from _lanes([row for row in seen.rows if row.key[0] == LANE])
    yield _queues([row for row in seen.rows if row.key[0] == POOL])
    yield from _quotas(seen.standing)
    yield from _measures(seen.samples)
    yield _thresholds(seen.rules)


def _plans(rows: Iterable[Row]) -> Iterator[Metric]:
    calls = GaugeMetricFamily("tidegate_window_calls_per_second", "Calls that ended, or were refused", labels=_PLAN)
    tokens = GaugeMetricFamily("tidegate_window_tokens_per_second", "Tokens of calls that ended", labels=_PLAN)
    shares = {
        FAILED: GaugeMetricFamily("tidegate_window_error_percent", "Calls that failed (5xx, and lost)", labels=_PLAN),
        REFUSED: GaugeMetricFamily("tidegate_window_refusal_percent", "Calls that the gate refused", labels=_PLAN),
        MOVES: GaugeMetricFamily(
            "tidegate_window_moved_percent", "Calls that another target than the first answered", labels=_PLAN
        ),
    }
    for row in rows:
        at, seconds = [row.key[1], row.window], WINDOWS[row.window]
        calls.add_metric(at, row.sums[CALLS] / seconds)
        tokens.add_metric(at, row.sums[TOKENS] / seconds)
        if row.sums[CALLS] > 0:
            for index, family in shares.items():
                family.add_metric(at, 100.0 * row.sums[index] / row.sums[CALLS])
    yield from (calls, tokens, *shares.values())


def _lanes(rows: Iterable[Row]) -> Iterator[Metric]:
    used = GaugeMetricFamily(
        "tidegate_window_quota_per_minute",
        "What was charged to the quota, as so much a minute",
        labels=[*_LANE, "unit"],
    )
    throttled = GaugeMetricFamily("tidegate_window_throttled", "429s of the provider in the window", labels=_LANE)
    for row in rows:
        at, minutes = [*row.key[1:], row.window], WINDOWS[row.window] / 60
        used.add_metric([*at, "tokens"], max(0, row.sums[CHARGED]) / minutes)
        used.add_metric([*at, "requests"], max(0, row.sums[REQUESTS]) / minutes)
        throttled.add_metric(at, row.sums[THROTTLED])
    yield from (used, throttled)


def _queues(rows: Iterable[Row]) -> Metric:
    wait = GaugeMetricFamily(
        "tidegate_window_queue_wait_seconds",
        "Mean wait of the calls that left the queue, most of them at once",
        labels=["pool", "model", "window"],
    )
    for row in rows:
        if row.sums[LEFT] > 0:
            wait.add_metric([*row.key[1:], row.window], row.sums[WAITED_US] / row.sums[LEFT] / 1e6)
    return wait


def _quotas(standing: NodeStanding) -> Iterator[Metric]:
    labels = ["provider", "scope", "model", "unit"]
    used = GaugeMetricFamily("tidegate_quota_used", "What was charged to it in the last minute", labels=labels)
    limit = GaugeMetricFamily("tidegate_quota_in_force", "The limit a minute that is kept to", labels=labels)
    for lane in standing.lanes:
        at = [lane.provider, lane.scope, lane.model]
        for unit, spent, allowed in (
            ("tokens", lane.tokens, lane.limit_tokens),
            ("requests", lane.requests, lane.limit_requests),
        ):
            used.add_metric([*at, unit], spent)
            if allowed > 0:
                limit.add_metric([*at, unit], allowed)
    yield from (used, limit)


def _measures(samples: Sequence[Sample]) -> Iterator[Metric]:
    """One family for each metric that rules may name, with and without samples."""
    families = {
        name: GaugeMetricFamily(f"{MEASURE}{name}", metric.english.capitalize(), labels=sorted(metric.labels))
        for name, metric in METRICS.items()
    }
    for sample in samples:
        families[sample.metric].add_metric([value for _, value in sample.labels], sample.value)
    yield from families.values()


def _thresholds(rules: Sequence[AlertRule]) -> Metric:
    labels = ["rule", "metric", "severity"]
    family = GaugeMetricFamily(
        "tidegate_alert_threshold", "From where on a rule fires, in its metric's unit", labels=labels
    )
    for rule in rules:
        for severity, threshold in (("warning", rule.warning), ("critical", rule.critical)):
            if rule.enabled and threshold is not None:
                family.add_metric([rule.name, rule.metric, severity], threshold)
    return family
