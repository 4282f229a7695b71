"""The cache of a real gate, with the official SDKs; the judge is the twin's own log."""

import asyncio
import contextlib
import json
import os
import signal
import sqlite3
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import openai
import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import USER, Gate, Line, request, spoken
from tidegate.model.facts import Hits

CACHED = {"enabled": True, "ttl_seconds": 600}
MANY = 300


@pytest.fixture
def key(keys: Iterator[str]) -> str:
    return next(keys)


@pytest.fixture
def tree(twin: Twin, key: str) -> dict[str, Any]:
    names = ("gpt-4o", "text-embedding-3-small")
    limits: dict[str, Any] = {name: {"rpm": 100_000, "tpm": 60_000_000} for name in names}
    return {
        "providers": {"openai": provider(twin.url, key, limits)},
        "defaults": {"caching": CACHED},
        "namespaces": {
            name: {"keys": [{"name": f"{name}-key", "key": f"tg-{name}-0123456789abcdef"}]} for name in ("red", "blue")
        },
    }


@pytest.fixture
def gate(gates: Callable[..., Gate], tree: dict[str, Any]) -> Gate:
    return gates(tree)


def sdk(gate: Gate, name: str = "red") -> openai.OpenAI:
    return openai.OpenAI(base_url=gate.url, api_key=f"tg-{name}-0123456789abcdef", max_retries=0)


def layers(gate: Gate) -> list[str]:
    """Of all hits in the journal."""
    return [hit.layer for fact in gate.facts() if isinstance(fact, Hits) for hit in fact.hits]


async def test_the_sdk_is_answered_from_the_cache(gate: Gate, twin: Twin, key: str) -> None:
    """Whole and as a stream, each from the other; nobody else's answer is seen; the journal knows each hit."""
    with sdk(gate) as red, sdk(gate, "blue") as blue:
        first = red.chat.completions.with_raw_response.create(model="gpt-4o", messages=USER)  # type: ignore[call-overload]
        again = red.chat.completions.with_raw_response.create(model="gpt-4o", messages=USER)  # type: ignore[call-overload]
        assert (first.headers["x-tidegate-cache"], again.headers["x-tidegate-cache"]) == ("miss", "hit")
        assert again.parse() == first.parse()
        stream = red.chat.completions.create(model="gpt-4o", messages=USER, stream=True)  # type: ignore[call-overload]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
        assert text == first.parse().choices[0].message.content
        assert twin.ledger(key, "gpt-4o")["calls"] == 1
        other = blue.chat.completions.with_raw_response.create(model="gpt-4o", messages=USER)  # type: ignore[call-overload]
        assert other.headers["x-tidegate-cache"] == "miss"
        assert twin.ledger(key, "gpt-4o")["calls"] == 2
    await until(lambda: layers(gate) == ["exact"] * 2, "the hits")


async def test_anthropics_sdk_too(gate: Gate, twin: Twin, key: str) -> None:
    """Through the translation: what is kept is what the client got."""
    client = anthropic.Anthropic(
        base_url=gate.url.removesuffix("/v1"), api_key="tg-red-0123456789abcdef", max_retries=0
    )
    with client:
        asked: Any = {"model": "gpt-4o", "max_tokens": 50, "messages": USER, "stop_sequences": [" t9"]}
        first, again = client.messages.create(**asked), client.messages.create(**asked)
        assert again.content == first.content
        with client.messages.stream(**asked) as stream:
            assert [block.text for block in stream.get_final_message().content] == [first.content[0].text]
    assert twin.ledger(key, "gpt-4o")["calls"] == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_equal_calls_at_once_are_one(gate: Gate, twin: Twin, key: str, stream: bool) -> None:
    """Hundreds of connections, of which the first and every third leave; one call reaches the provider."""
    headers = {"authorization": "Bearer tg-red-0123456789abcdef"}
    body = {"model": "gpt-4o", "messages": USER, "stream": stream}

    async def one(number: int) -> bytes | None:
        async with Line(gate) as line:
            line.send(request("/v1/chat/completions", body, **headers))
            if number % 3 == 0:
                await line.writer.drain()
                return None
            answer = await line.reply()
            assert answer.status == 200
            return answer.body if not stream else json.dumps(spoken(answer)).encode()

    answers = await asyncio.gather(*(one(number) for number in range(MANY)))
    assert len({answer for answer in answers if answer is not None}) == 1
    assert twin.ledger(key, "gpt-4o")["calls"] == 1
    records = gate.records()
    assert sum(bool(record.target) for record in records) <= 1
    assert {record.status for record in records} <= {200, 499}  # who left has one, too


async def test_what_is_on_disk_outlives_the_worker(
    gates: Callable[..., Gate], tree: dict[str, Any], twin: Twin, key: str
) -> None:
    """The next one finds it, and the provider is not asked again."""
    gate = gates(tree | {"cache": {"disk_mb": 64}})
    headers = {"authorization": "Bearer tg-red-0123456789abcdef"}
    ask: dict[str, Any] = {"max_tokens": 100, "stop": " t9", "headers": headers}
    first = await gate.chat("gpt-4o", **ask)
    assert first.headers["x-tidegate-cache"] == "miss"
    await until(lambda: stored(gate), "the answer on disk")
    pid = gate.worker
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    await until(lambda: gate.children().get("worker", pid) != pid, "a new worker")
    again = await gate.chat("gpt-4o", **ask)
    assert (again.status, again.headers["x-tidegate-cache"], again.body) == (200, "hit", first.body)
    assert twin.ledger(key, "gpt-4o")["calls"] == 1


def stored(gate: Gate) -> bool:
    """Whether an answer has reached the disk."""
    path = gate.state / "cache" / "answers.db"
    if not path.exists():
        return False
    with contextlib.closing(sqlite3.connect(path)) as database:
        try:
            return bool(database.execute("SELECT count(*) FROM answers").fetchone()[0])
        except sqlite3.OperationalError:
            return False
