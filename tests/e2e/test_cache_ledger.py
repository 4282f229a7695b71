"""Hits of a real gate: in the database once each, whoever is killed; then explained and purged on the admin port."""

import asyncio
import os
import signal
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import Gate
from tests.e2e.test_managed_keys import Admin
from tidegate.model.facts import Hits

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ROUNDS = 4
QUESTIONS = 5


@pytest.fixture
def gate(gates: Callable[..., Gate], twin: Twin, keys: Iterator[str]) -> Gate:
    limits = {"gpt-4o": {"rpm": 100_000, "tpm": 60_000_000}}
    return gates({
        "providers": {"openai": provider(twin.url, next(keys), limits)},
        "defaults": {"caching": {"enabled": True}},
        "namespaces": {"red": {"keys": [{"name": "red-key", "key": "tg-red-0123456789abcdef"}]}},
    })  # fmt: skip


async def ask(gate: Gate, question: str, **headers: str) -> str:
    """What the cache said; "" when the gate was not there."""
    told = {"authorization": "Bearer tg-red-0123456789abcdef"} | headers
    try:
        asked = [{"role": "user", "content": question}]
        answer = await gate.chat("gpt-4o", messages=asked, max_tokens=100, stop=" t9", headers=told)
    except (OSError, EOFError, AssertionError, TimeoutError):
        return ""
    return answer.headers["x-tidegate-cache"] if answer.status == 200 else ""


async def told_id(gate: Gate, **headers: str) -> str:
    """What the client is told to ask for, later, of its question."""
    told = {"authorization": "Bearer tg-red-0123456789abcdef"} | headers
    asked = [{"role": "user", "content": "who"}]
    answer = await gate.chat("gpt-4o", messages=asked, max_tokens=100, stop=" t9", headers=told)
    return str(answer.headers["x-request-id"])


def rows(gate: Gate, query: str) -> Sequence[tuple[Any, ...]]:
    connection = sqlite3.connect(gate.state / "tidegate.db", timeout=10)
    try:
        return connection.execute(query).fetchall()
    except sqlite3.OperationalError:  # there are no tables yet
        return []
    finally:
        connection.close()


def known(gate: Gate) -> Counter[int]:
    """The hits of the journal."""
    return Counter(hit.call_id for fact in gate.facts() if isinstance(fact, Hits) for hit in fact.hits)


def stored(gate: Gate) -> Counter[int]:
    """The hits of the database."""
    return Counter(call for (call,) in rows(gate, "SELECT call_id FROM hits"))


async def kill(gate: Gate, name: str) -> None:
    pid = gate.children()[name]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    await until(lambda: gate.children().get(name, pid) != pid, f"a new {name}")


async def test_each_hit_once_whoever_is_killed(gate: Gate) -> None:
    """What stands in the journal stands in the database, in rows and in sums, over deaths of worker and control."""
    for deed in range(ROUNDS):
        before = len(known(gate))
        await asyncio.gather(*(ask(gate, f"question {number % QUESTIONS}") for number in range(10 * QUESTIONS)))
        await until(lambda: len(known(gate)) > before, "hits in the journal")  # noqa: B023 - at once
        await kill(gate, ("control", "worker")[deed % 2])
    assert await ask(gate, "question 0") in {"hit", "miss"}
    await until(lambda: known(gate) == stored(gate), "all hits")
    assert set(known(gate).values()) == {1}
    sums = "SELECT sum(calls), sum(prompt_tokens), sum(cost_nano) FROM hourly_hits WHERE layer IN ('exact', 'joined')"
    assert rows(gate, sums) == rows(gate, "SELECT count(*), sum(prompt_tokens), sum(cost_nano) FROM hits")
    made = sum(one.cache == "miss" for one in gate.records())
    await until(
        lambda: rows(gate, "SELECT sum(calls) FROM hourly_hits WHERE layer = 'miss'") == [(made,)], "all misses"
    )


async def test_an_equal_question_is_found_by_its_own_id(gate: Gate) -> None:
    """The id that its client was given tells its story, so does its trace: whose answer it was, and what that saved."""
    admin = Admin(gate)
    named = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01", "x-request-id": "night-1"}
    given = [await told_id(gate), await told_id(gate), await told_id(gate, **named)]
    await until(lambda: len(rows(gate, "SELECT * FROM hits")) == 2, "the hits")
    await until(lambda: len(rows(gate, "SELECT * FROM calls")) == 1, "the call")
    listed = (await admin.ask("GET", "/calls?cache=hit"))["calls"]
    made = (await admin.ask("GET", "/calls?cache=made"))["calls"]
    (found,) = (await admin.ask("GET", f"/calls?trace={TRACE}"))["calls"]
    assert listed[0]["id"] == found["id"]
    assert (found["request_id"], found["model"], found["served"]) == ("night-1", "gpt-4o", "gpt-4o")
    plain = listed[1]
    assert given == [f"req_{int(made[0]['id']):x}", f"req_{int(plain['id']):x}", "night-1"]
    shown = await admin.ask("GET", f"/calls/{plain['id']}")
    assert (shown["namespace"], shown["cache"], shown["hit"]["source"]) == ("red", "exact", made[0]["id"])
    assert [one["stage"] for one in shown["stages"]] == ["read", "cached", "end"]
    assert shown["read_us"] > 0
    assert shown["hit"]["saved_prompt_tokens"] == made[0]["prompt_tokens"] > 0 == shown["prompt_tokens"]
    assert {one["id"] for one in (await admin.ask("GET", "/calls/tail"))["calls"]} >= {plain["id"], found["id"]}


async def test_a_purge_reaches_the_worker_and_a_call_is_explained(gate: Gate, twin: Twin) -> None:
    """From the admin port to the answer: what fits the purge is asked anew, what does not is still known."""
    admin = Admin(gate)
    for tag in ("price", "manual"):
        assert await ask(gate, tag, **{"x-tidegate-tag": tag}) == "miss"
        assert await ask(gate, tag, **{"x-tidegate-tag": tag}) == "hit"
    await until(lambda: len(rows(gate, "SELECT * FROM hits")) == 2, "the hits")
    ((hit, source),) = rows(gate, "SELECT call_id, source FROM hits WHERE tag = 'price'")
    explained = await admin.ask("GET", f"/calls/{hit}/cache")
    assert (explained["outcome"], explained["layer"], explained["source"]) == ("hit", "exact", str(source))
    await until(lambda: len(rows(gate, "SELECT * FROM cache_notes")) == 2, "the notes")
    made = await admin.ask("GET", f"/calls/{source}/cache")
    assert (made["said"], made["kept"], made["served"][0]["id"]) == ("miss", "stored", str(hit))
    stats = await admin.ask("GET", "/cache/stats?by=layer&namespace=red")
    assert (stats["total"]["hits"], stats["total"]["misses"], stats["lines"][0]["layer"]) == (2, 2, "exact")
    await admin.ask("POST", "/cache/purge", {"what": "tag", "value": "price"})
    async with asyncio.timeout(20):
        while await ask(gate, "price", **{"x-tidegate-tag": "price", "cache-control": "no-store"}) != "miss":
            pass
    assert await ask(gate, "manual", **{"x-tidegate-tag": "manual"}) == "hit"
    await admin.ask("POST", "/cache/purge", {"what": "key", "value": made["answer"]})
