"""Calls made from a trace: moments, sizes and bodies."""

import json
from collections import Counter
from itertools import islice

import pytest

from tidegate.load.calls import CallSettings, LoadCall, plan_calls
from tidegate.load.texts import TextKind, Texts
from tidegate.load.trace import TraceRow

ROWS = [TraceRow(index * 1_000_000, 200 + index % 50, 1 + index % 90) for index in range(1_000)]


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts(1, 40_000)


@pytest.fixture(scope="module")
def calls(texts: Texts) -> list[LoadCall]:
    return list(plan_calls(ROWS, CallSettings(speed=4), texts))


def test_moments(calls: list[LoadCall]) -> None:
    """Speed divides time."""
    assert [call.offset_us for call in calls[:3]] == [0, 250_000, 500_000]


def test_bodies(calls: list[LoadCall]) -> None:
    """Every body is a chat completion whose `max_tokens` is the trace's, with `stream` only where it is streamed."""
    for call, row in zip(calls, ROWS, strict=True):
        body = json.loads(call.body)
        assert body["model"] == "gpt-4o"
        assert body["max_tokens"] == call.max_tokens == row.generated_tokens
        assert [message["role"] for message in body["messages"]] == ["user"]
        assert body.get("stream", False) is call.streamed


def test_mix(calls: list[LoadCall]) -> None:
    """Half is English, 30 % Chinese, 20 % code; 30 % are streamed."""
    kinds = Counter(call.kind for call in calls)
    assert kinds[TextKind.ENGLISH] == pytest.approx(500, abs=60)
    assert kinds[TextKind.CHINESE] == pytest.approx(300, abs=60)
    assert sum(call.streamed for call in calls) == pytest.approx(300, abs=60)


def test_same_calls_for_everybody(calls: list[LoadCall], texts: Texts) -> None:
    """The same trace and settings give the same bytes, and a shorter trace gives the first of them."""
    assert list(plan_calls(ROWS[:50], CallSettings(speed=4), texts)) == calls[:50]
    assert list(plan_calls(ROWS[:50], CallSettings(speed=4, seed=2), texts)) != calls[:50]


@pytest.mark.parametrize(("share", "count"), [(0.0, 0), (1.0, 1_000)])
def test_stream_share(share: float, count: int, texts: Texts) -> None:
    """None and all are possible."""
    planned = plan_calls(ROWS, CallSettings(stream_share=share), texts)
    assert sum(call.streamed for call in planned) == count


def test_nothing_asked_becomes_one(texts: Texts) -> None:
    """A row of no tokens still is a valid call: some text, and one token to generate."""
    (call,) = plan_calls([TraceRow(0, 0, 0)], CallSettings(model='a"b'), texts)
    body = json.loads(call.body)
    assert body["max_tokens"] == 1
    assert body["messages"][0]["content"]
    assert body["model"] == 'a"b'


def test_lazy(texts: Texts) -> None:
    """Calls are made one by one: an endless trace is fine."""

    def endless():
        while True:
            yield TraceRow(0, 10, 10)

    assert len(list(islice(plan_calls(endless(), CallSettings(), texts), 5))) == 5
