"""A real gate whose store is a real Valkey server, which is stopped, killed and started again under its calls."""

import os
import signal
from collections.abc import Callable, Iterator

import pytest

from harness.gate import provider
from harness.servers.valkey import Valkey
from harness.twin import Twin
from harness.wait import until, wait_gone
from tests.e2e.stand import Gate, total
from tests.servers import mortal_valkey

__all__ = ["mortal_valkey"]


@pytest.fixture
def key(keys: Iterator[str]) -> str:
    return next(keys)


@pytest.fixture
def gate(gates: Callable[..., Gate], mortal_valkey: Valkey, twin: Twin, key: str) -> Gate:
    return gates(
        {
            "providers": {"openai": provider(twin.url, key, {"gpt-4o": {"rpm": 100_000, "tpm": 60_000_000}})},
            "defaults": {"caching": {"enabled": True}},
            "cache": {"redis": {"url": mortal_valkey.url, "timeout_ms": 100}},
        }
    )


async def ask(gate: Gate, number: int) -> str:
    """What the cache said to one question, answered with 200."""
    messages = [{"role": "user", "content": f"question {number}"}]
    answer = await gate.post("/v1/chat/completions", {"model": "gpt-4o", "messages": messages})
    assert answer.status == 200, answer.body
    return answer.headers["x-tidegate-cache"]


async def new_worker(gate: Gate) -> None:
    """Whose memory is empty."""
    pid = gate.worker
    os.kill(pid, signal.SIGKILL)
    wait_gone(pid)
    await until(lambda: gate.children().get("worker", pid) != pid, "a new worker")


async def test_an_answer_outlives_the_worker(gate: Gate, mortal_valkey: Valkey, twin: Twin, key: str) -> None:
    """In the server, from which the next worker takes it; the provider is asked once."""
    assert await ask(gate, 1) == "miss"
    await until(lambda: written(gate) == 1, "the answer in the server")
    await new_worker(gate)
    assert [await ask(gate, 1), await ask(gate, 1)] == ["hit", "hit"]
    assert twin.ledger(key, "gpt-4o")["calls"] == 1
    await until(lambda: total(gate, 'tidegate_cache_hits_total{layer="redis"') == 1, "its hit on the page")
    assert total(gate, 'tidegate_cache_hits_total{layer="memory"') == 1


async def test_calls_go_on_whatever_the_server_does(gate: Gate, mortal_valkey: Valkey) -> None:
    """Frozen, going on, killed, started again: each call is answered; the page says whether it is in use."""
    up = 'tidegate_cache_layer_up{layer="redis"'
    assert await ask(gate, 1) == "miss"
    await until(lambda: written(gate) == 1, "the answer in the server")
    mortal_valkey.freeze()
    assert [await ask(gate, number) for number in range(10, 20)] == ["miss"] * 10
    assert await ask(gate, 10) == "hit"
    await until(lambda: total(gate, up) == 0, "the layer out of use")
    mortal_valkey.freeze(signal.SIGCONT)
    await used_again(gate, 100)
    mortal_valkey.kill()
    assert [await ask(gate, number) for number in range(20, 30)] == ["miss"] * 10
    await until(lambda: total(gate, up) == 0, "the layer out of use")
    mortal_valkey.start()
    await used_again(gate, 1_000)
    await until(lambda: total(gate, 'tidegate_cache_errors_total{layer="redis"') >= 6, "its failures on the page")
    assert total(gate, 'tidegate_cache_corrupt_total{layer="redis"') == 0


async def used_again(gate: Gate, first: int) -> None:
    """Calls that find nothing in memory probe the server until it is in use."""
    number = first
    before = total(gate, 'tidegate_cache_writes_total{layer="redis"')
    while total(gate, 'tidegate_cache_layer_up{layer="redis"') == 0 or written(gate) <= before:
        assert number < first + 800, "the layer is never used again"
        assert await ask(gate, number) == "miss"
        number += 1


def written(gate: Gate) -> float:
    return total(gate, 'tidegate_cache_writes_total{layer="redis"')
