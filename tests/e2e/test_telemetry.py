"""A real gate, the official SDK, and a collector that speaks OTLP."""

from collections.abc import Callable, Iterator

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.otlp import Collector
from tests.e2e.stand import Gate, total

CLIENT_TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CLIENT_SPAN = "00f067aa0ba902b7"


@pytest.fixture
def collector() -> Iterator[Collector]:
    one = Collector()
    yield one
    one.close()


@pytest.fixture
def gate(gates: Callable[..., Gate], twin: Twin, keys: Iterator[str], collector: Collector) -> Gate:
    return gates(
        {
            "providers": {"openai": provider(twin.url, next(keys), {"gpt-4o": {"rpm": 1_000, "tpm": 6_000_000}})},
            "telemetry": {
                "endpoint": collector.url,
                "headers": {"x-api-key": "canary-otlp-key"},
                "sample": "100%",
                "metrics_every_seconds": 0.5,
                "service": "gate-test",
            },
        }
    )


async def test_a_collector_gets_traces_and_metrics(gate: Gate, collector: Collector, twin: Twin) -> None:
    """The client's trace goes on in the gate; what was said is in none of it; the page says what was sent."""
    await until(lambda: total(gate, "tidegate_telemetry_up") == 1, "the collector in use")
    trace = f"00-{CLIENT_TRACE}-{CLIENT_SPAN}-01"
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "canary-prompt"}]}
    assert (await gate.post("/v1/chat/completions", body, traceparent=trace)).status == 200
    await until(lambda: len(collector.spans) >= 2, "both spans")
    call, attempt = sorted(collector.spans, key=lambda span: span.kind)[:2]
    assert call.trace_id.hex() == attempt.trace_id.hex() == CLIENT_TRACE
    assert (call.parent_span_id.hex(), attempt.parent_span_id) == (CLIENT_SPAN, call.span_id)
    told = {one.key: one.value for one in call.attributes}
    assert told["gen_ai.operation.name"].string_value == "chat"
    assert told["gen_ai.request.model"].string_value == "gpt-4o"
    assert told["gen_ai.provider.name"].string_value == "openai"
    assert told["gen_ai.usage.input_tokens"].int_value > 0
    asked = {one.key: one.value for one in attempt.attributes}
    assert asked["server.address"].string_value == "127.0.0.1"
    assert asked["server.port"].int_value == int(twin.url.rpartition(":")[2].partition("/")[0])
    assert call.start_time_unix_nano <= attempt.start_time_unix_nano < attempt.end_time_unix_nano
    assert "service.name=gate-test" in collector.resources
    assert {head["x-api-key"] for head in collector.heads} == {"canary-otlp-key"}
    assert b"canary-prompt" not in b"".join(span.SerializeToString() for span in collector.spans)
    await until(lambda: _calls(collector) == 1, "the call in the metrics")
    usage = collector.metrics["gen_ai.client.token.usage"].histogram.data_points
    types = [{one.key: one.value.string_value for one in point.attributes}["gen_ai.token.type"] for point in usage]
    assert sorted(types) == ["input", "output"]
    await until(lambda: total(gate, "tidegate_telemetry_spans_total") == len(collector.spans), "what was sent, counted")


def _calls(collector: Collector) -> int:
    metric = collector.metrics.get("gen_ai.client.operation.duration")
    return 0 if metric is None else sum(point.count for point in metric.histogram.data_points)
