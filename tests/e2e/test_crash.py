"""Death and orderly ends of the gate's processes, with calls on their way."""

import asyncio
import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import USER, Gate, Line, queued, request, spoken, total, tries
from tidegate.model.facts import CallRecord, Intent

CHAT = "/v1/chat/completions"
REFUSED = {(429, "rate_limit_exceeded"), (503, "queue_full")}
LONG = {"model": "gpt-4o", "messages": USER, "max_tokens": 600, "stream": True}


@pytest.fixture
def key(keys: Iterator[str]) -> str:
    return next(keys)


@pytest.fixture
def tree(twin: Twin, key: str) -> dict[str, Any]:
    return {"providers": {"openai": provider(twin.url, key, {"gpt-4o": {"rpm": 100_000, "tpm": 60_000_000}})}}


async def begun(line: Line) -> bytes:
    """Ask for a stream of 0.6 s; its first words."""
    line.send(request(CHAT, LONG))
    return await line.until(b'"content":" t3"')


def spoken_in(data: bytes) -> int:
    """How many of the twin's words are in some bytes of a stream of ours."""
    assert data.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")
    return data.count(b'"content":" t')


async def killed(gate: Gate, name: str) -> int:
    """SIGKILL to a child; the pid of the one that stands in."""
    pid = gate.children()[name]
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    await until(lambda: gate.children().get(name, pid) != pid, f"a new {name}")
    return gate.children()[name]


async def test_a_killed_workers_stream_is_cut_and_booked(
    gates: Callable[..., Gate], tree: dict[str, Any], twin: Twin
) -> None:
    """The client sees no clean end, the provider is let go, the call is booked once as estimated, and life goes on."""
    gate = gates(tree)
    async with Line(gate) as line:
        await begun(line)
        await killed(gate, "worker")
        with pytest.raises((asyncio.IncompleteReadError, ConnectionError)):
            await line.until(b"[DONE]")
    answer = await gate.chat("gpt-4o")  # whoever comes meanwhile waits in the backlog, and is answered
    assert (answer.status, len(spoken(answer))) == (200, 20)
    await killed(gate, "worker")
    assert (await gate.chat("gpt-4o")).status == 200
    assert [call["end"] for call in twin.calls()] == ["aborted", "complete", "complete"]
    records = gate.records()
    assert [record.status for record in records] == [0, 200, 200]
    lost = records[0]
    assert (lost.estimated, lost.plan, lost.attempts) == (True, "gpt-4o", 1)
    assert lost.charged_tokens >= 600
    assert lost.target.endswith("/gpt-4o")


async def test_no_call_is_booked_twice_or_never(
    gates: Callable[..., Gate], tree: dict[str, Any], twin: Twin, key: str
) -> None:
    """A worker dies under thirty calls, twice: each call that was begun has one record, ours cover the provider's."""
    gate = gates(tree)
    ended: Counter[str] = Counter()

    async def one(tokens: int) -> None:
        answer = await gate.chat("gpt-4o", max_tokens=tokens)
        ended["answered" if answer.status == 200 else "cut"] += 1

    for _ in range(2):
        calls = [asyncio.get_running_loop().create_task(one(20 + 10 * number)) for number in range(30)]
        await until(lambda: any(call.done() for call in calls), "an answer")  # noqa: B023 - awaited here
        await killed(gate, "worker")
        await asyncio.gather(*calls)
    assert sum(ended.values()) == 60
    assert ended["answered"] >= 2
    assert ended["cut"] >= 2
    assert (await gate.chat("gpt-4o")).status == 200
    facts = gate.facts()
    begun_ids = {fact.call_id for fact in facts if isinstance(fact, Intent)}
    records = Counter(fact.call_id for fact in facts if isinstance(fact, CallRecord))
    assert records == dict.fromkeys(begun_ids, 1)
    await until(lambda: all(call["end"] != "open" for call in twin.calls()), "the provider's calls to end")
    booked = sum(fact.charged_tokens for fact in facts if isinstance(fact, CallRecord))
    assert booked >= twin.ledger(key, "gpt-4o")["charged_tokens"]


async def test_the_quota_outlives_the_worker(gates: Callable[..., Gate], twin: Twin, key: str) -> None:
    """At saturation the worker dies: the next one knows that the quota is used up, and the provider sees no burst."""
    limits = {"rpm": 1_000, "tpm": 60_000}
    twin.ask("limits", {"key": key, "model": "gpt-4o"} | limits)
    gate = gates({"providers": {"openai": provider(twin.url, key, {"gpt-4o": limits})}})
    soon = {"x-tidegate-deadline-ms": "300"}

    async def burst(count: int) -> Counter[int]:
        call: dict[str, Any] = {"max_tokens": 2_000, "stop": " t3", "headers": soon}  # a short answer to a dear call
        answers = await asyncio.gather(*(gate.chat("gpt-4o", **call) for _ in range(count)))
        # 503 is for who stands behind a call that waits: one does where the next token is within its 0.3 s.
        refused = [answer for answer in answers if answer.status != 200]
        assert {(a.status, a.json["error"]["code"]) for a in refused} <= REFUSED
        # A minute for the bucket, and two seconds for each place that a refusal before it booked.
        assert all(int(a.headers["retry-after"]) <= 60 + 2 * 3 * count for a in refused)
        return Counter("refused" if answer.status != 200 else "answered" for answer in answers)

    assert 20 < (await burst(40))["answered"] <= 30  # of 60,000 tokens, and 1,000 more in each second
    for _ in range(2):
        await killed(gate, "worker")
        after = await burst(40)
        assert after["refused"] > 30  # a gate that had forgotten would have let thirty pass
    books = twin.ledger(key, "gpt-4o")
    assert (books["throttled"], books["avoidable"]) == (0, 0)


async def test_a_killed_control_process_costs_no_call(gates: Callable[..., Gate], tree: dict[str, Any]) -> None:
    """Two hundred calls while it dies twice: all answered, by the same worker; the page comes back with every call."""
    gate = gates(tree)
    worker = gate.worker
    await until(lambda: "control" in gate.children(), "the control process")

    async def caller() -> list[int]:
        return [(await gate.chat("gpt-4o", max_tokens=1)).status for _ in range(25)]

    callers = [asyncio.get_running_loop().create_task(caller()) for _ in range(8)]
    for _ in range(2):
        await killed(gate, "control")
    assert await asyncio.gather(*callers) == [[200] * 25] * 8
    assert gate.worker == worker
    await until(lambda: total(gate, "tidegate_calls_total{") == 200, "every call on the page")


async def test_sigterm_lets_calls_finish(gates: Callable[..., Gate], tree: dict[str, Any], twin: Twin) -> None:
    """A running stream is completed, idle connections go, nobody new comes in, and the gate ends with 0."""
    gate = gates(tree)
    async with Line(gate) as idle, Line(gate) as busy:
        assert await idle.usable()
        heard = await begun(busy)
        gate.signal(signal.SIGTERM)
        assert await idle.closed()
        assert spoken_in(heard + await busy.rest()) == 600
    assert await asyncio.to_thread(gate.wait_end) == 0
    with pytest.raises(ConnectionError):
        await asyncio.open_connection("127.0.0.1", gate.port)
    record = gate.records()[-1]
    assert (record.status, record.completion_tokens, record.estimated) == (200, 600, False)
    assert [call["end"] for call in twin.calls()] == ["complete"]


async def test_sighup_takes_over_what_is_right(
    gates: Callable[..., Gate], tree: dict[str, Any], twin: Twin, key: str
) -> None:
    """New limits, a new strategy and a new client key hold at once; a running stream goes on in the same worker."""
    gate = gates(tree)
    worker = gate.worker
    assert (await gate.chat("gpt-4o", max_tokens=40_000)).status == 200
    async with Line(gate) as line:
        heard = await begun(line)
        gate.write(changed(twin, key))
        gate.signal(signal.SIGHUP)
        answer = await gate.chat("fresh", headers=NEW_KEY)
        while answer.status == 401 or answer.headers.get("x-ratelimit-limit-tokens") != "60000":
            answer = await gate.chat("fresh", headers=NEW_KEY)
        assert (answer.headers["x-ratelimit-limit-requests"], tries(answer)) == ("500", ["gpt-4o 200"])
        assert int(answer.headers["x-ratelimit-remaining-tokens"]) <= 60_000
        assert (await gate.chat("fresh")).status == 401
        assert spoken_in(heard + await line.until(b"0\r\n\r\n")) == 600
    assert gate.worker == worker


async def test_sighup_takes_over_nothing_that_is_wrong(gates: Callable[..., Gate], twin: Twin, key: str) -> None:
    """A wrong file is told in the log, without its secrets, and changes nothing."""
    gate = gates(changed(twin, key))
    gate.write(json.dumps(changed(twin, key)).replace('"rpm": 500', '"rpm": -1').replace("tg-new", "tg-newer"))
    gate.signal(signal.SIGHUP)
    await until(lambda: ".gpt-4o.rpm: " in gate.log(), "the log to say what is wrong")
    assert "tg-new" not in gate.log()
    answer = await gate.chat("fresh", headers=NEW_KEY)
    assert (answer.status, answer.headers["x-ratelimit-limit-requests"]) == (200, "500")
    assert (await gate.chat("fresh", headers={"authorization": "Bearer tg-newer"})).status == 401


NEW_KEY = {"authorization": "Bearer tg-new"}


def changed(twin: Twin, key: str) -> dict[str, Any]:
    return {
        "providers": {"openai": provider(twin.url, key, {"gpt-4o": {"rpm": 500, "tpm": 60_000}})},
        "strategies": {"fresh": {"primary_model": "gpt-4o"}},
        "clients": {"keys": [{"name": "new", "key": "tg-new"}]},
    }


async def test_a_quota_shrinks_without_a_burst(gates: Callable[..., Gate], twin: Twin, key: str) -> None:
    """A smaller limit after a reload: who waits and can never be served now is told so; the provider is spared."""
    twin.ask("limits", {"key": key, "model": "gpt-4o", "tpm": 60_000})
    tree = {"providers": {"openai": provider(twin.url, key, {"gpt-4o": {"rpm": 1_000, "tpm": 60_000}})}}
    gate = gates(tree)
    assert (await gate.chat("gpt-4o", max_tokens=50_000)).status == 200
    waiting = asyncio.get_running_loop().create_task(gate.chat("gpt-4o", max_tokens=30_000))
    await until(lambda: queued(gate, "gpt-4o") == 1, "the call to stand in the queue")
    twin.ask("limits", {"key": key, "model": "gpt-4o", "tpm": 20_000})
    tree["providers"]["openai"]["scopes"][0]["limits"]["gpt-4o"]["tpm"] = 20_000
    gate.write(tree)
    gate.signal(signal.SIGHUP)
    answer = await waiting
    assert (answer.status, answer.json["error"]["code"]) == (400, "request_exceeds_quota")
    assert twin.ledger(key, "gpt-4o")["throttled"] == 0
