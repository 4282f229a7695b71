"""What a collector is sent: the SDK's exporters, and a receiver that reads their messages."""

from collections.abc import Iterator

import pytest

from tests.e2e.otlp import Collector
from tests.tracing.test_spans import MAKERS, record
from tidegate.model.telemetry import TelemetrySettings
from tidegate.tracing import names
from tidegate.tracing.operations import SECONDS, Operations
from tidegate.tracing.otlp import Otlp
from tidegate.tracing.spans import spans_of


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


@pytest.fixture
def exporter(collector: Collector) -> Iterator[Otlp]:
    one = Otlp(TelemetrySettings(endpoint=collector.url, service="gate"), "n1")
    yield one
    one.close()


def test_a_histogram_tells_no_more_than_is_known(collector: Collector, exporter: Otlp) -> None:
    """Bounds, counts and the sum; neither a smallest nor a greatest value, which nobody has kept."""
    made = Operations()
    made.add(record(), MAKERS)
    assert exporter.meters(made.meters(), 1, 2)
    (point,) = collector.metrics[names.DURATION].histogram.data_points
    assert (point.count, point.sum, tuple(point.explicit_bounds)) == (1, 0.0017, SECONDS)
    assert len(point.bucket_counts) == len(SECONDS) + 1
    assert not point.HasField("min")
    assert not point.HasField("max")
    told = {one.key: one.value for one in point.attributes}
    assert (told[names.PORT].int_value, told[names.SERVER].string_value) == (443, "llm.example")


def test_which_conventions_are_followed_is_told(collector: Collector, exporter: Otlp) -> None:
    """So that a collector can translate names that have changed since."""
    assert exporter.spans(spans_of(record(), "j", MAKERS))
    assert exporter.meters([], 1, 2)
    assert collector.schemas == {names.SCHEMA}
    assert "service.instance.id=n1" in collector.resources
