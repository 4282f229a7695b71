"""Pools when things go wrong, with real processes: nothing leaks, no call is lost, none is served twice.

The judge is the twin's ledger, and what reached the clients: every answer is the twin's numbered words, complete and
in order. Each test has a provider of its own at one gate, with scopes of a few calls at a time, so that calls wait and
a permit that is not returned is a place that is missing afterwards.
"""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from harness.gate import HUGE
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import USER, Gate, Line, request, spoken, total
from tests.twin.http import Answer
from tidegate.line.keys import fingerprint

ALL = list(range(1, 21))  # the words of a complete answer
PLACES = 3  # calls at a time in a scope
UNLIMITED = {"rpm": HUGE, "tpm": HUGE}
MODELS = ("revoked", "ten", "cooling", "late", "left", "changed")
Change = Callable[[Gate, Any], None]


def scope(model: str, name: str, keys: int = 1, places: int = PLACES) -> dict[str, Any]:
    names = [f"sk-{model}-{name}-{number}" for number in range(keys)]
    return {"name": name, "keys": names, "limits": {model: UNLIMITED}, "max_concurrent": places}


def tree(twin: Twin, scopes: dict[str, list[dict[str, Any]]], **more: Any) -> dict[str, Any]:
    """A gate with one provider for each model, named like it."""
    return {
        "providers": {
            name: {"dialect": "openai", "base_url": twin.url, "scopes": found} for name, found in scopes.items()
        },
        "defaults": {"retry_policy": {"max_retries": 5, "base_seconds": 0.02, "budget_floor": 1_000}},
        **more,
    }


@pytest.fixture(scope="module")
def own_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """Answers of twenty words, a millisecond each."""
    timing = {"ttft_ms": 0, "tpot_ms": 1, "tokens": 20, "chunk_ms": 2, "chunk_tokens": 1}
    models = [{"name": name} for name in MODELS]
    twin = Twin(tmp_path_factory.mktemp("twin"), {"limits": UNLIMITED, "timing": timing, "models": models})
    yield twin
    twin.close()


@pytest.fixture
def twin(own_twin: Twin) -> Twin:
    own_twin.reset()
    return own_twin


@pytest.fixture(scope="module")
def gate(own_twin: Twin, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    scopes = {name: [scope(name, one) for one in "abc"] for name in ("revoked", "cooling")}
    scopes |= {name: [scope(name, one) for one in "ab"] for name in ("late", "left")}
    scopes["ten"] = [scope("ten", "only", keys=10, places=2 * PLACES)]
    gate = Gate(tmp_path_factory.mktemp("gate"), tree(own_twin, scopes))
    yield gate
    gate.close()


async def chat(gate: Gate, model: str, number: int = 0, **headers: str) -> Answer:
    """Every other one is a stream."""
    return await gate.chat(model, headers=headers, stream=number % 2 == 1)


async def burst(gate: Gate, model: str, count: int, **headers: str) -> list[Answer]:
    return await asyncio.gather(*(chat(gate, model, number, **headers) for number in range(count)))


def judge(gate: Gate, twin: Twin, model: str, answers: Iterable[Answer]) -> None:
    """All were answered whole; each was served once and is on record once."""
    answers = list(answers)
    assert Counter(answer.status for answer in answers) == {200: len(answers)}
    assert all(spoken(answer) == ALL for answer in answers)
    assert sum(call["status"] == 200 for call in twin.calls(model)) == len(answers)
    assert [record.status for record in gate.records(model)] == [200] * len(answers)
    assert len({record.call_id for record in gate.records(model)}) == len(answers)


def most_at_once(calls: Iterable[dict[str, Any]]) -> Counter[str]:
    """By key: how many of the twin's calls ran at the same time."""
    events = sorted(
        event for call in calls for event in ((call["arrived_us"], 1, call["key"]), (call["ended_us"], -1, call["key"]))
    )
    now, most = Counter[str](), Counter[str]()
    for _, step, key in sorted(events, key=lambda event: event[:2]):
        now[key] += step
        most[key] = max(most[key], now[key])
    return most


async def usable(gate: Gate, twin: Twin, model: str, *scopes: str) -> None:
    """Every place of these scopes: as many slow calls run at once as there ever were places."""
    twin.reset()
    twin.fault({"fault": "slow", "ms": 400, "match": {"model": model}})
    answers = await burst(gate, model, PLACES * len(scopes))
    twin.fault()
    assert {answer.status for answer in answers} == {200}
    most = most_at_once(twin.calls(model))
    assert most == {f"sk-{model}-{name}-0": PLACES for name in scopes}
    await until(lambda: total(gate, f'tidegate_queue_calls{{model="{model}"') == 0, "an empty queue on the page")


async def test_a_key_that_is_revoked_in_mid_burst(gate: Gate, twin: Twin) -> None:
    """One of three scopes has it as its only key: every call is answered by the others, after few refusals."""
    running = asyncio.create_task(burst(gate, "revoked", 90))
    await until(lambda: twin.ledger("sk-revoked-b-0", "revoked")["calls"] >= 3, "the scope to be in use")
    twin.fault({"fault": "401", "match": {"key": "sk-revoked-b-0"}})
    judge(gate, twin, "revoked", await running)
    refused = [call for call in twin.calls("revoked") if call["status"] == 401]
    assert {call["key"] for call in refused} == {"sk-revoked-b-0"}
    assert 1 <= len(refused) <= PLACES  # those that were in flight when the first came back
    await usable(gate, twin, "revoked", "a", "c")


async def test_one_bad_key_of_ten(gate: Gate, twin: Twin) -> None:
    """It leaves once, the log and the page say so by its digest, and nobody notices otherwise."""
    bad = "sk-ten-only-4"
    twin.fault({"fault": "401", "match": {"key": bad}})
    judge(gate, twin, "ten", await burst(gate, "ten", 60))
    calls = twin.calls("ten")
    assert 1 <= sum(call["status"] == 401 for call in calls) <= 2 * PLACES
    assert len({call["key"] for call in calls if call["status"] == 200}) == 9
    lines = [json.loads(line) for line in gate.log().splitlines() if "refuses a key" in line]
    assert [(line["scope"], line["key"], line["left"]) for line in lines] == [
        ("ten/only", fingerprint(bad.encode()), 9)
    ]
    assert bad not in gate.log()
    await until(lambda: total(gate, 'tidegate_keys_retired_total{provider="ten"') == 1, "the page to tell")


async def test_all_scopes_cool_and_the_deadline_allows_waiting(gate: Gate, twin: Twin) -> None:
    """One refusal each, then one probe each when its time is over: all who waited are answered.

    Where it does not, they are told at once when it will be over.
    """
    keys = [f"sk-cooling-{name}-0" for name in "abc"]
    twin.fault(*({"fault": "429", "retry_after_ms": 600, "count": 1, "match": {"key": key}} for key in keys))
    judge(gate, twin, "cooling", await burst(gate, "cooling", 40))
    calls = twin.calls("cooling")
    refused = {call["key"]: call for call in calls if call["status"] == 429}
    assert sorted(refused) == keys
    for key, first in refused.items():
        served = [call["arrived_us"] for call in calls if call["key"] == key and call["status"] == 200]
        before = [at for at in served if at < first["arrived_us"] + 600_000]
        assert len(before) < PLACES  # what was in flight beside the refused one
    twin.fault(*({"fault": "429", "retry_after_ms": 20_000, "count": 1, "match": {"key": key}} for key in keys))
    hurried = await burst(gate, "cooling", 4 * PLACES, **{"x-tidegate-deadline-ms": "5000"})
    told = [answer for answer in hurried if answer.status != 200]
    assert len(told) >= PLACES  # those who had been refused and those who would have waited
    assert {answer.status for answer in told} <= {429, 503}
    named = sorted(int(answer.headers["retry-after"]) for answer in told)
    assert 20 <= named[0] <= named[-1] <= 25, named  # one after the other


async def test_a_deadline_in_the_queue(gate: Gate, twin: Twin) -> None:
    """Who has not had its turn by then is told when to come again, and the provider never hears of it."""
    twin.fault({"fault": "slow", "ms": 2_000, "match": {"model": "late"}})
    first = asyncio.create_task(burst(gate, "late", 2 * PLACES))
    await until(lambda: _busy(twin, "late"), "full scopes")
    late = await burst(gate, "late", 5, **{"x-tidegate-deadline-ms": "1200"})
    assert {answer.status for answer in late} <= {429, 503}
    assert all(int(answer.headers["retry-after-ms"]) > 0 for answer in late)
    twin.fault()
    assert all(spoken(answer) == ALL for answer in await first)
    calls = twin.calls("late")
    assert [call["status"] for call in calls] == [200] * 2 * PLACES
    assert len(gate.records("late")) == 2 * PLACES + 5
    await usable(gate, twin, "late", "a", "b")


def _busy(twin: Twin, model: str) -> bool:
    books = [twin.ledger(f"sk-{model}-{name}-0", model) for name in "ab"]
    return [book["calls"] for book in books] == [PLACES, PLACES]


async def test_clients_that_leave(gate: Gate, twin: Twin) -> None:
    """In flight or in the queue: those behind them are answered at once, and every place is usable."""
    twin.fault({"fault": "slow", "ms": 5_000, "match": {"model": "left"}})
    body = {"model": "left", "messages": USER, "max_tokens": 20}
    lines = [await Line(gate).__aenter__() for _ in range(2 * PLACES + 4)]
    for line in lines:
        line.send(request("/v1/chat/completions", body))
    await until(lambda: _busy(twin, "left"), "full scopes")
    await until(lambda: total(gate, 'tidegate_queue_calls{model="left"') == 4, "four that wait")
    stays = asyncio.create_task(burst(gate, "left", 6))
    await until(lambda: total(gate, 'tidegate_queue_calls{model="left"') == 10, "six more")
    twin.fault()
    for line in (*lines[2 * PLACES :], *lines[: 2 * PLACES]):  # those who wait first
        await line.__aexit__()
    answers = await asyncio.wait_for(stays, 4)
    assert all(answer.status == 200 and spoken(answer) == ALL for answer in answers)
    assert len(twin.calls("left")) == 2 * PLACES + 6  # nothing was sent for those who left the queue
    await until(lambda: len(gate.records("left")) == 2 * PLACES + 10, "everybody's record")
    await usable(gate, twin, "left", "a", "b")


def changed(twin: Twin, scheduler: str, names: str, weight: int, share: str) -> dict[str, Any]:
    """One pool of these scopes, two tenants."""
    scopes = [scope("changed", name) for name in names]
    return tree(
        twin,
        {"changed": scopes},
        namespaces={
            "acme": {"tier": "vip", "keys": ["acme"]},
            "globex": {"tier": "free", "weight": weight, "keys": ["globex"]},
            "other": {"tier": "free", "keys": ["other"]},
        },
        pools={
            "all": {
                "scopes": [f"changed/{name}" for name in names],
                "scheduler": scheduler,
                "shares": {"globex": share},
            }
        },
    )


async def test_a_reload_under_load(gates: Callable[..., Gate], twin: Twin) -> None:
    """Schedulers, weights and shares change, scopes come and go, while calls wait and streams run."""
    gate = gates(changed(twin, "dynamic", "ab", 1, "20%"))
    worker, over = gate.worker, asyncio.Event()

    async def caller(name: str, number: int) -> list[Answer]:
        found = []
        while not over.is_set():
            found.append(await chat(gate, "changed", number, authorization=f"Bearer {name}"))
        return found

    callers = [asyncio.create_task(caller(name, n)) for n, name in enumerate(["acme", "globex", "other"] * 10)]
    changes = (
        ("round_robin", "abc", 3, "10%"),
        ("weighted", "bc", 1, "50%"),
        ("dynamic", "c", 2, "20%"),
        ("weighted", "abc", 2, "5%"),
    )
    for number, change in enumerate(changes, 2):
        gate.write(changed(twin, *change))
        gate.signal(signal.SIGHUP)
        await until(lambda number=number: f'"version": {number}' in gate.log(), "the next version")
    over.set()
    answers = [answer for found in await asyncio.gather(*callers) for answer in found]
    assert len(answers) > 100
    assert Counter(answer.status for answer in answers) == {200: len(answers)}
    assert all(spoken(answer) == ALL for answer in answers)
    books = [twin.ledger(f"sk-changed-{name}-0", "changed") for name in "abc"]
    assert sum(book["calls"] for book in books) == len(answers)
    assert len(gate.records("changed")) == len(answers)
    assert set(most_at_once(twin.calls("changed")).values()) <= set(range(1, PLACES + 1))
    twin.reset()
    twin.fault({"fault": "slow", "ms": 400, "match": {"model": "changed"}})
    bearer = {"authorization": "Bearer acme"}
    again = await burst(gate, "changed", 3 * PLACES, **bearer)
    twin.fault()
    assert {answer.status for answer in again} == {200}
    assert most_at_once(twin.calls("changed")) == {f"sk-changed-{name}-0": PLACES for name in "abc"}
    assert gate.worker == worker
