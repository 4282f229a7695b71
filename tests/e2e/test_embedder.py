"""Questions embedded by a model of the configuration: calls of the gate's own, in the tenant's name."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate
from tidegate.semantic import ask

MODEL = "text-embedding-3-small"
HEADERS = {"authorization": "Bearer tg-red-0123456789abcdef"}


@pytest.fixture
def key(keys: Iterator[str]) -> str:
    return next(keys)


async def test_a_question_is_embedded_by_a_call(gates: Callable[..., Gate], twin: Twin, key: str) -> None:
    """It is the tenant's, it is in the journal, and the question is compared by what it came to."""
    limits: dict[str, Any] = {name: {"rpm": 100_000, "tpm": 60_000_000} for name in ("gpt-4o", MODEL)}
    gate = gates({
        "providers": {"openai": provider(twin.url, key, limits)},
        "defaults": {"caching": {"enabled": True, "semantic": {"mode": "on", "min_similarity": 0.5}}},
        "cache": {"semantic": {"embedder": MODEL, "budget_ms": 10_000}},
        "namespaces": {"red": {"keys": [{"name": "red-key", "key": "tg-red-0123456789abcdef"}]}},
    })  # fmt: skip

    def standing(name: str) -> Any:
        try:
            return getattr(ask.stats(gate.state), name)
        except ask.Away:
            return None

    await until(lambda: standing("asked") is not None, "the process")
    for text in ("Where is the harbour?", "When is high water?", "too long to be compared " * 50):
        messages = [{"role": "user", "content": text}]
        answer = await gate.post("/v1/chat/completions", {"model": "gpt-4o", "messages": messages}, **HEADERS)
        assert answer.status == 200
    assert twin.ledger(key, MODEL)["calls"] == 2
    await until(lambda: len(gate.records(MODEL)) == 2, "the records")
    assert {(record.tenant, record.client, record.status) for record in gate.records(MODEL)} == {
        ("red", "red-key", 200)
    }
    await until(lambda: standing("asked") == 2, "the questions")
