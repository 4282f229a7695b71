"""Spans and meters as the SDK's objects, and its exporters: `tidegate[otel]`. Imported when an endpoint is named."""

import logging
from collections.abc import Iterable
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import (
    AggregationTemporality,
    Gauge,
    HistogramDataPoint,
    Metric,
    MetricExportResult,
    MetricsData,
    NumberDataPoint,
    ResourceMetrics,
    ScopeMetrics,
    Sum,
)
from opentelemetry.sdk.metrics.export import Histogram as HistogramData
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, Status, StatusCode, TraceFlags

from tidegate import __version__
from tidegate.model.telemetry import TelemetrySettings
from tidegate.tracing import names
from tidegate.tracing.meters import Labels, Meter
from tidegate.tracing.spans import Span

_TIMEOUT_S: Final = 10.0
_SAMPLED: Final = TraceFlags(TraceFlags.SAMPLED)
_SCOPE: Final = InstrumentationScope("tidegate", __version__, names.SCHEMA)

logging.getLogger("opentelemetry").setLevel(logging.CRITICAL)  # what fails is told by the sender, once


class Otlp:
    """Both exporters of one endpoint. Used by one thread."""

    __slots__ = ("_metrics", "_resource", "_spans")

    def __init__(self, settings: TelemetrySettings, instance: str) -> None:
        """`instance`: which process of the service."""
        self._resource = Resource(
            {names.SERVICE: settings.service, names.SERVICE_VERSION: __version__, names.SERVICE_INSTANCE: instance},
            names.SCHEMA,
        )
        base, headers = settings.endpoint.rstrip("/"), dict(settings.headers)
        self._spans = OTLPSpanExporter(f"{base}/v1/traces", headers=headers, timeout=_TIMEOUT_S)
        self._metrics = OTLPMetricExporter(f"{base}/v1/metrics", headers=headers, timeout=_TIMEOUT_S)

    def spans(self, spans: Iterable[Span]) -> bool:
        """Send them; whether they were taken. Within the exporter's time-out."""
        return self._spans.export([_span(span, self._resource) for span in spans]) is SpanExportResult.SUCCESS

    def meters(self, meters: Iterable[Meter], begin_us: int, now_us: int) -> bool:
        """Send all counters as they stand; whether they were taken."""
        made = [_metric(meter, begin_us * 1_000, now_us * 1_000) for meter in meters]
        scope = ScopeMetrics(_SCOPE, made, names.SCHEMA)
        data = MetricsData([ResourceMetrics(self._resource, [scope], names.SCHEMA)])
        return self._metrics.export(data) is MetricExportResult.SUCCESS

    def close(self) -> None:
        """Let go of connections."""
        self._spans.shutdown()  # type: ignore[no-untyped-call]
        self._metrics.shutdown()


def _context(trace_id: str, span_id: str) -> SpanContext:
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=_SAMPLED)


def _span(span: Span, resource: Resource) -> ReadableSpan:
    return ReadableSpan(
        span.name,
        _context(span.trace_id, span.span_id),
        _context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource,
        span.attributes,
        [Event(event.name, event.attributes, event.at_us * 1_000) for event in span.events],
        kind=SpanKind.SERVER if span.server else SpanKind.CLIENT,
        status=Status(StatusCode.ERROR, span.failed) if span.failed else Status(StatusCode.UNSET),
        start_time=span.begin_us * 1_000,
        end_time=span.end_us * 1_000,
        instrumentation_scope=_SCOPE,
    )


def _metric(meter: Meter, begin: int, now: int) -> Metric:
    cumulative = AggregationTemporality.CUMULATIVE
    if meter.kind == "histogram":
        rows = [_histogram(meter, labels, begin, now) for labels in meter.histograms]
        return Metric(meter.name, meter.text, meter.unit, HistogramData(rows, cumulative))
    points = [NumberDataPoint(dict(labels), begin, now, value) for labels, value in meter.numbers.items()]
    if meter.kind == "gauge":
        return Metric(meter.name, meter.text, meter.unit, Gauge(points))
    return Metric(meter.name, meter.text, meter.unit, Sum(points, cumulative, is_monotonic=True))


def _histogram(meter: Meter, labels: Labels, begin: int, now: int) -> HistogramDataPoint:
    """Without the smallest and the greatest value: OTLP lets who does not know them leave them out."""
    counts, total = meter.histograms[labels]
    unknown: Any = None  # the SDK's record wants numbers; its encoder leaves out what is none
    return HistogramDataPoint(
        dict(labels), begin, now, sum(counts), total, list(counts), list(meter.bounds), min=unknown, max=unknown
    )
