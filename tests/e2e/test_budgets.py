"""A tenant's own limits, through a real gate: judged by what the provider billed."""

import asyncio
import json
import os
import random
import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import USER, Gate
from tests.twin.http import Answer

BUDGET = 30_000  # tokens: a millionth of a dollar each
LENGTHS = (10, 20, 20, 40, 40, 60, 60, 100, 200)
MANY = {"rpm": 1_000_000, "tpm": 1_000_000_000}


@pytest.fixture
def key(keys: Iterator[str]) -> str:
    return next(keys)


def tree(twin: Twin, key: str, **tenant: Any) -> dict[str, Any]:
    made = provider(twin.url, key, {"gpt-4o": MANY, "gpt-4o-mini": MANY})
    free = {"price": {"input": 0, "output": 0}}
    made["models"] = {"gpt-4o": {"price": {"input": 1, "output": 1}}, "gpt-4o-mini": free}
    return {"providers": {"openai": made}, "namespaces": {"acme": {"keys": [{"name": "ci", "key": "tg-ci"}], **tenant}}}


TENANTS: dict[str, Any] = {
    "minute": {"by_model": {"gpt-4o": {"limits": {"rpm": 5}}}},
    "few": {"limits": {"concurrent": 2}},
    "small": {"limits": {"tpm": 200, "tokens_per_day": 400}},
    "twice": {"limits": {"rpm": 2}},
    "day": {"limits": {"tokens_per_day": 60}},
}


@pytest.fixture(scope="module")
def shared(session_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """A gate with a tenant for each test."""
    full = tree(session_twin, "sk-shared")
    full["namespaces"] = {name: {"keys": [{"name": name, "key": f"tg-{name}"}], **of} for name, of in TENANTS.items()}
    gate = Gate(tmp_path_factory.mktemp("tenants"), full)
    yield gate
    gate.close()


async def ask(gate: Gate, tokens: int = 20, tenant: str = "ci", **fields: Any) -> Answer:
    return await gate.chat("gpt-4o", max_tokens=tokens, headers={"authorization": f"Bearer tg-{tenant}"}, **fields)


def error(answer: Answer) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(answer.body)["error"]
    return found


async def spend_all(gate: Gate, parallel: int, luck: random.Random) -> list[Answer]:
    """Streams of mixed lengths beside each other, until every client is told that the budget is used up."""

    async def client() -> Answer:
        while True:
            try:
                answer = await ask(gate, luck.choice(LENGTHS), stream=True)
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.05)  # the worker was killed
                continue
            if answer.status == 429 and answer.headers["x-should-retry"] == "true":
                await asyncio.sleep(int(answer.headers["retry-after-ms"]) / 1_000)
            elif answer.status != 200:
                return answer

    return await asyncio.gather(*(client() for _ in range(parallel)))


async def test_two_hundred_streams_use_a_budget_up_and_no_more(
    gates: Callable[..., Gate], twin: Twin, key: str
) -> None:
    """98 % at least by the provider's bill; beyond it, less than what those in flight at the end can come to."""
    gate = gates(tree(twin, key, budget={"per_month": BUDGET / 1e6}))
    for answer in await spend_all(gate, 200, random.Random(1)):
        assert answer.status == 429
        assert (error(answer)["type"], error(answer)["code"]) == ("insufficient_quota", "insufficient_quota")
        assert answer.headers["x-should-retry"] == "false"
        assert "retry-after" not in answer.headers
        assert "monthly money budget of namespace 'acme'" in error(answer)["message"]
    billed = twin.ledger(key, "gpt-4o")["billed_tokens"]
    assert 0.98 * BUDGET <= billed <= BUDGET + 200 * max(LENGTHS)
    assert sum(record.cost_nano for record in gate.records()) == 1_000 * billed


async def test_budgets_go_on_after_a_kill(gates: Callable[..., Gate], twin: Twin, key: str) -> None:
    """What was spent before counts after: no second budget, none lost, each record once."""
    gate = gates(tree(twin, key, budget={"per_day": BUDGET / 1e6}))
    spending = asyncio.get_running_loop().create_task(spend_all(gate, 20, random.Random(2)))
    for part in (0.3, 0.6):
        await until(lambda: twin.ledger(key, "gpt-4o").get("billed_tokens", 0) > part * BUDGET, "some spent")  # noqa: B023
        pid = gate.worker
        os.kill(pid, signal.SIGKILL)
        wait_gone(pid)
    await spending
    booked = sum(record.prompt_tokens + record.completion_tokens for record in gate.records())
    assert BUDGET - max(LENGTHS) <= booked <= BUDGET + 20 * max(LENGTHS)
    billed = twin.ledger(key, "gpt-4o")["billed_tokens"]
    assert 0.9 * BUDGET <= billed <= BUDGET + 20 * max(LENGTHS)
    assert sum(record.status == 0 for record in gate.records()) <= 40


async def test_a_changed_budget_keeps_what_was_spent(gates: Callable[..., Gate], twin: Twin, key: str) -> None:
    """More is granted what is more, and no more."""
    gate = gates(tree(twin, key, limits={"tokens_per_day": 100}))
    while (answer := await ask(gate, 30)).status == 200:
        pass
    assert "daily token budget" in error(answer)["message"]
    used = sum(record.prompt_tokens + record.completion_tokens for record in gate.records())
    gate.write(tree(twin, key, limits={"tokens_per_day": used + 60}))
    os.kill(gate.process.pid, signal.SIGHUP)
    answered = 0
    await until_answered(gate)
    while (answer := await ask(gate, 30)).status == 200:
        answered += 1
    assert answered <= 1
    assert error(answer)["code"] == "insufficient_quota"


async def until_answered(gate: Gate) -> None:
    """The new configuration is in force."""
    async with asyncio.timeout(10):
        while (await ask(gate, 30)).status != 200:
            await asyncio.sleep(0.05)


async def test_requests_a_minute(shared: Gate) -> None:
    """Exactly as many pass; the others are told when, and it is within the minute. Another model is not concerned."""
    answers = await asyncio.gather(*(ask(shared, tenant="minute") for _ in range(20)))
    refused = [answer for answer in answers if answer.status == 429]
    assert len(refused) == 15
    assert {error(answer)["code"] for answer in refused} == {"rate_limit_exceeded"}
    assert all(50_000 < int(answer.headers["retry-after-ms"]) <= 60_012 for answer in refused)
    other = await shared.chat("gpt-4o-mini", headers={"authorization": "Bearer tg-minute"})
    assert other.status == 200


async def test_calls_at_a_time(shared: Gate) -> None:
    """A place is free again when a call has ended, also one whose client has left."""
    answers = await asyncio.gather(*(ask(shared, tokens=200, tenant="few", stream=True) for _ in range(6)))
    assert sorted(answer.status for answer in answers) == [200] * 2 + [429] * 4
    assert all(answer.headers["x-should-retry"] == "true" for answer in answers if answer.status == 429)
    assert (await ask(shared, tenant="few")).status == 200


async def test_a_call_that_is_larger_than_a_limit(shared: Gate) -> None:
    """Waiting would never help; and a large `max_tokens` alone is no such call."""
    answer = await ask(shared, tenant="small", messages=[{"role": "user", "content": "word " * 2_000}])
    assert (answer.status, error(answer)["code"]) == (400, "request_exceeds_quota")
    assert "limit of tokens a minute" in error(answer)["message"]
    assert (await ask(shared, tokens=150, tenant="small")).status == 200


async def test_what_is_answered_by_the_gate_costs_nothing(shared: Gate) -> None:
    """An idempotent replay is no request."""
    headers = {"authorization": "Bearer tg-twice", "idempotency-key": "once"}
    answers = [await shared.chat("gpt-4o", headers=headers) for _ in range(5)]
    assert {answer.status for answer in answers} == {200}
    assert (await ask(shared, tenant="twice")).status == 200
    assert (await ask(shared, tenant="twice")).status == 429


async def test_anthropics_clients_are_told_in_their_words(shared: Gate) -> None:
    """A rate limit by its type, a spend limit by its details, and not worth another try."""
    while (await ask(shared, tokens=30, tenant="day")).status == 200:
        pass
    body = {"model": "gpt-4o", "messages": USER, "max_tokens": 30}
    answer = await shared.post("/v1/messages", body, x_api_key="tg-day", anthropic_version="2023-06-01")
    assert (answer.status, error(answer)["type"]) == (429, "rate_limit_error")
    assert error(answer)["details"] == {"error_code": "enforced_spend_limit_reached"}
    assert answer.headers["x-should-retry"] == "false"
