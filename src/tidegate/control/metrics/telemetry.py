"""Telemetry's part of the metrics page."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

if TYPE_CHECKING:
    from tidegate.tracing.sender import Figures


def telemetry_metrics(figures: "Figures | None") -> Iterator[Metric]:
    """Whether the collector takes what is sent, and what became of calls."""
    if figures is None:
        return
    yield GaugeMetricFamily("tidegate_telemetry_up", "1 while the collector takes what is sent", value=figures.up)
    yield CounterMetricFamily("tidegate_telemetry_spans", "Spans that the collector took", value=figures.spans_sent)
    yield CounterMetricFamily(
        "tidegate_telemetry_unsampled_calls",
        "Calls that were not among the share to send",
        value=figures.calls_unsampled,
    )
    yield CounterMetricFamily(
        "tidegate_telemetry_missed_segments", "Segments of journals that went unsent", value=figures.segments_missed
    )
    yield CounterMetricFamily("tidegate_telemetry_failures", "Tries that were not taken", value=figures.failures)
