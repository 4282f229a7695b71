"""Three workers of one machine are one gate for its tenants: limits, budgets, signatures, idempotency keys."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest

from harness.gate import HUGE, provider
from harness.twin import Twin
from tests.e2e.stand import USER, Gate
from tests.twin.http import Answer
from tidegate.client import Signer

WORKERS = 3
MODEL = "gpt-4o"
BUDGET = 6_000  # tokens, a millionth of a dollar each


TENANTS: dict[str, Any] = {
    "minute": {"limits": {"rpm": 60}},
    "few": {"limits": {"concurrent": 5}},
    "budget": {"budget": {"per_month": BUDGET / 1e6}},
    "calm": {},
}


@pytest.fixture(scope="module")
def crowd(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    made = provider(session_twin.url, "sk-crowd", {MODEL: {"rpm": HUGE, "tpm": HUGE}})
    made["models"] = {MODEL: {"price": {"input": 1, "output": 1}}}
    tree = {
        "providers": {"openai": made},
        "namespaces": {
            name: {"keys": [{"name": name, "key": f"tg-{name}", "signing": "optional"}], **of}
            for name, of in TENANTS.items()
        },
    }
    gate = Gate(tmp_path_factory.mktemp("crowd"), tree, "--workers", str(WORKERS))
    yield gate
    gate.close()


async def ask(crowd: Gate, tenant: str, tokens: int = 5, **fields: Any) -> Answer:
    return await crowd.chat(MODEL, max_tokens=tokens, headers={"authorization": f"Bearer tg-{tenant}"}, **fields)


async def test_requests_a_minute_over_all_workers(crowd: Gate) -> None:
    """Sixty at most, and not sixty for each worker; the others are told when."""
    answers = await asyncio.gather(*[ask(crowd, "minute") for _ in range(180)])
    found = Counter(one.status for one in answers)
    assert 45 <= found[200] <= 60  # a worker that is not heard for a moment loses what it held
    assert found[200] + found[429] == 180
    assert 40 < max(int(one.headers["retry-after"]) for one in answers if one.status == 429) <= 61


async def test_calls_at_a_time_over_all_workers(crowd: Gate, session_twin: Twin) -> None:
    """Five means five, wherever they come in."""
    session_twin.fault({"fault": "slow", "match": {"model": MODEL}, "ms": 4000})
    try:
        answers = await asyncio.gather(*[ask(crowd, "few") for _ in range(30)])
    finally:
        session_twin.fault()
    assert Counter(one.status for one in answers) == {200: 5, 429: 25}
    later = await asyncio.gather(*[ask(crowd, "few") for _ in range(5)])
    assert {one.status for one in later} == {200}


async def test_a_budget_is_not_overrun_by_many_streams(crowd: Gate, session_twin: Twin) -> None:
    """Two hundred beside each other, at whichever worker: what they cost together fits."""
    key = "sk-crowd"
    before = session_twin.ledger(key, MODEL).get("billed_tokens", 0)
    answers = await asyncio.gather(*[ask(crowd, "budget", 50, stream=True) for _ in range(200)])
    statuses = Counter(one.status for one in answers)
    assert set(statuses) <= {200, 429, 503}, statuses  # 503: a worker heard nothing for a while on a busy machine
    spent = session_twin.ledger(key, MODEL)
    assert statuses[200] >= 10, [one.body for one in answers if one.status != 200][:3]
    assert sum_of(spent) - before <= BUDGET


def sum_of(books: dict[str, Any]) -> int:
    return int(books.get("billed_tokens", 0))


async def test_a_signature_is_used_once_whichever_worker_is_asked(crowd: Gate) -> None:
    """Shown to all of them at once and again: one is let in."""
    body = json.dumps({"model": MODEL, "messages": USER, "max_tokens": 5}).encode()
    signed = Signer("calm", "tg-calm").headers("POST", "/v1/chat/completions", body)
    answers = await asyncio.gather(*[crowd.post("/v1/chat/completions", body, **signed) for _ in range(20)])
    assert Counter(one.status for one in answers) == {200: 1, 401: 19}
    again = await asyncio.gather(*[crowd.post("/v1/chat/completions", body, **signed) for _ in range(10)])
    assert {one.status for one in again} <= {401, 429}  # who fails too often is slowed down


async def test_one_execution_per_idempotency_key(crowd: Gate, session_twin: Twin) -> None:
    """Thirty clients of the official SDK ask under one key: one call, one answer, told thirty times."""
    before = len(session_twin.calls(MODEL))

    async def once() -> str:
        async with openai.AsyncOpenAI(
            base_url=crowd.url, api_key="tg-calm", max_retries=0, http_client=httpx2.AsyncClient()
        ) as client:
            answer = await client.chat.completions.create(
                model=MODEL, messages=USER, max_tokens=5, extra_headers={"idempotency-key": "order-7"}
            )
            return answer.id

    ids = await asyncio.gather(*[once() for _ in range(30)])
    assert len(set(ids)) == 1
    assert len(session_twin.calls(MODEL)) - before == 1
    other = {"model": MODEL, "messages": USER, "max_tokens": 6}
    answers = await asyncio.gather(
        *[
            crowd.post("/v1/chat/completions", other, authorization="Bearer tg-calm", idempotency_key="order-7")
            for _ in range(10)
        ]
    )
    assert {one.status for one in answers} == {422}
