"""How the limits of namespaces stand, on the metrics page: those of users and keys would be too many series."""

from collections.abc import Iterator
from typing import Final

from prometheus_client.core import GaugeMetricFamily, Metric

from tidegate.control.board import WorkerView

_NANO: Final = 1_000_000_000
_LABELS: Final = ["worker", "namespace", "model", "limit"]
_UNITS: Final = {"nano_day": "money_day", "nano_month": "money_month"}


def spend_metrics(views: list[WorkerView]) -> Iterator[Metric]:
    """Used, held by calls in flight, and allowed; money in the house currency."""
    used = GaugeMetricFamily("tidegate_tenant_used", "What is used of a namespace's limit", labels=_LABELS)
    held = GaugeMetricFamily("tidegate_tenant_reserved", "What calls in flight hold of it", labels=_LABELS)
    limit = GaugeMetricFamily("tidegate_tenant_limit", "A namespace's limit", labels=_LABELS)
    for view in views:
        for gauge in view.spends:
            if gauge.user or gauge.key:
                continue
            unit = _NANO if gauge.period in _UNITS else 1
            at = [str(view.worker), gauge.namespace, gauge.model, _UNITS.get(gauge.period, gauge.period)]
            used.add_metric(at, gauge.used / unit)
            held.add_metric(at, gauge.reserved / unit)
            limit.add_metric(at, gauge.limit / unit)
    yield from (used, held, limit)
