"""The flood counts what comes back, in both loops."""

import asyncio

import pytest

from bench.flood import Flood, requests_of
from tidegate.clock import SystemClock
from tidegate.twin.app import Twin
from tidegate.twin.settings import Limits, Settings, Spread, Timing
from tidegate.twin.tokens import Tokenizer

BODY = b'{"model":"gpt-4o","messages":[{"role":"user","content":"a"}],"max_tokens":5}'
FAST = Timing(ttft_ms=Spread(0.0), tpot_ms=Spread(0.0))


async def flooded(rate: float, rpm: int, connections: int = 3) -> tuple[Twin, Flood, float]:
    twin = Twin(Settings(limits=Limits(rpm=rpm, tpm=10**9), timing=FAST, lean=True), SystemClock(), Tokenizer())
    await twin.start()
    requests = requests_of("/openai/v1/chat/completions", BODY, ["sk-a", "sk-b"])
    flood = Flood(int(twin.origin.rpartition(":")[2]), requests, rate, 0.2)
    result = await flood.run(connections)
    ledger = twin.state.directory.ledger.totals()
    twin.close()
    await asyncio.sleep(0.001)  # closed transports let go of their sockets
    assert result.answered <= ledger["served"]
    assert result.sent == ledger["calls"]
    assert result.failed == 0
    return twin, flood, result.refused


async def test_a_closed_loop_sends_when_it_was_answered():
    """Everything is answered, nothing is lost."""
    assert (await flooded(0, 10**9))[2] == 0


@pytest.mark.parametrize("rate", [0, 500])
async def test_refusals_are_told_apart(rate):
    """Ten a minute for each of two keys."""
    assert (await flooded(rate, 10))[2] > 0
