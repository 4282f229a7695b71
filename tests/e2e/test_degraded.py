"""What a call gets instead of a refusal, over real processes: the provider is asked for less, the client is told."""

from collections.abc import Callable, Iterator
from typing import Any

from harness.gate import HUGE, provider
from harness.twin import Twin
from tests.e2e.stand import Gate, spoken

TPM = 1_000
CLAMPED = 80
SOON = {"x-tidegate-deadline-ms": "1000"}
LIMITS = {"gpt-4o": {"rpm": HUGE, "tpm": TPM}, "gpt-4o-mini": {"rpm": HUGE, "tpm": HUGE}}
LADDER = [{"clamp_max_tokens": CLAMPED}, {"model": "gpt-4o-mini", "tiers": ["paid"]}]


async def test_less_and_then_another_model_are_told(
    gates: Callable[[dict[str, Any]], Gate], twin: Twin, keys: Iterator[str]
) -> None:
    """In `x-tidegate-degraded`, for answers and for streams; the ledger has what the provider was asked for."""
    key = next(keys)
    gate = gates({"providers": {"openai": provider(twin.url, key, LIMITS)}, "defaults": {"degrade": LADDER}})
    whole = await gate.chat("gpt-4o", headers=SOON, max_tokens=TPM - 100)
    fewer = await gate.chat("gpt-4o", headers=SOON, max_tokens=500)
    other = await gate.chat("gpt-4o", headers=SOON, max_tokens=500, stream=True)

    told = [answer.headers.get("x-tidegate-degraded") for answer in (whole, fewer, other)]
    assert told == [None, f"max_tokens={CLAMPED}", f"max_tokens={CLAMPED}, model=gpt-4o-mini"]
    served = [answer.headers["x-tidegate-target"].rpartition("/")[2] for answer in (whole, fewer, other)]
    assert served == ["gpt-4o", "gpt-4o", "gpt-4o-mini"]
    assert [len(spoken(answer)) for answer in (fewer, other)] == [CLAMPED, CLAMPED]
    assert [record.degraded for record in gate.records("gpt-4o")] == [said or "" for said in told]
    books = twin.ledger()["by_key"][key]
    assert (books["gpt-4o"]["calls"], books["gpt-4o"]["throttled"]) == (2, 0)
