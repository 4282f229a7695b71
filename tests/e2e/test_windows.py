"""Windows of a real gate: what a limit looks like from its first second, also over the death of who looks."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from typing import Any

from harness.gate import provider
from harness.supervised import START
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, total
from tests.twin.http import Answer

NARROW = {"rpm": 600, "tpm": 60_000}
LIMITED = 'tidegate_measure_limited_seconds{model="gpt-4o"}'
WAIT = 'tidegate_measure_queue_wait_ms{model="gpt-4o"'
DEADLINE = {"x-tidegate-deadline-ms": "60000"}


def tree(twin: Twin, key: str, limits: dict[str, int]) -> dict[str, Any]:
    return {"providers": {"openai": provider(twin.url, key, {"gpt-4o": limits})}}


async def test_a_limit_goes_on_when_control_dies(gates: Callable[..., Gate], twin: Twin, keys: Iterator[str]) -> None:
    """Calls wait for a quota that is used up: their model is limited since then, whoever counts the seconds."""
    gate = gates(tree(twin, next(keys), {"rpm": 60, "tpm": 1_000}))
    calls = [asyncio.create_task(gate.chat("gpt-4o", max_tokens=400, headers=DEADLINE)) for _ in range(6)]
    await until(lambda: total(gate, LIMITED) >= 3, "a limit of three seconds", START)
    assert total(gate, WAIT) > 0
    before, control = total(gate, LIMITED), gate.children()["control"]
    os.kill(control, signal.SIGKILL)
    gate.wait_child("control", control)
    await until(lambda: total(gate, LIMITED) > 0, "the next one's word", START)
    found = total(gate, LIMITED)
    assert found >= before
    await until(lambda: total(gate, LIMITED) > found, "the seconds that go on", START)
    for call in calls:
        call.cancel()


async def test_what_the_node_used_is_what_the_provider_charged(
    gates: Callable[..., Gate], twin: Twin, keys: Iterator[str]
) -> None:
    """Of all workers, a minute's worth: no call of the first seconds is missing, and each counts once."""
    gate = gates(tree(twin, key := next(keys), NARROW))
    answers: list[Answer] = [await gate.chat("gpt-4o") for _ in range(20)]
    assert {answer.status for answer in answers} == {200}
    used = 'tidegate_quota_used{model="gpt-4o",provider="openai",scope="main",unit='
    await until(lambda: total(gate, used + '"requests"') == 20, "all calls", START)
    charged = twin.ledger(key, "gpt-4o")["charged_tokens"]
    await until(lambda: total(gate, used + '"tokens"') == charged, f"{charged} tokens", START)
    rate = total(gate, 'tidegate_window_calls_per_second{plan="gpt-4o",window="1m"}')
    assert round(rate * 60) == 20
