"""Input and output limited apart, as Anthropic does it: the output is used up, and the provider refuses nobody."""

import asyncio
import time
from collections import Counter
from typing import Any

import anthropic

from bench.figures import Figure, at_least, exactly, told
from bench.proofs.steps import Context, Row
from bench.twin import gated, twin
from harness.twin import Twin

_MODEL = "claude-3-haiku"
_OTPM = 12_000
_TOKENS = 40  # of an answer
_OFFERED = 3.0  # times the quota
_FULL_S, _QUICK_S = 180, 40


def by_output(context: Context, row: Row) -> None:
    """Three times what the output limit allows: with the limit in the file, and with headers alone to learn it from."""
    seconds = _QUICK_S if context.quick else _FULL_S
    row.commands.append(f"tidegate twin --otpm {_OTPM} --tpm 10000000 --rpm 1000000; tidegate serve; {seconds} s")
    for name, limits in (
        ("told", {"rpm": 1_000_000, "itpm": 10_000_000, "otpm": _OTPM}),
        ("learnt", {"rpm": 1_000_000}),
    ):
        options = ("--rpm", "1000000", "--tpm", "10000000", "--otpm", str(_OTPM), "--ttft-ms", "20", "--tpot-ms", "2")
        with twin(context.work, *options) as provider, gated(context.work, _settings(provider, limits)) as url:
            row.figures += _judged(name, asyncio.run(_offer(provider, url.removesuffix("/v1"), seconds)), seconds)


def _settings(provider: Twin, limits: dict[str, int]) -> dict[str, Any]:
    scope = {"name": "main", "keys": ["sk-ant"], "limits": {_MODEL: limits}}
    url = f"http://127.0.0.1:{provider.port}/anthropic"
    return {"providers": {"anthropic": {"profile": "anthropic", "base_url": url, "scopes": [scope]}}}


async def _offer(provider: Twin, url: str, seconds: int) -> tuple[dict[str, Any], Counter[int]]:
    """The provider's books after so long, and the statuses that clients got."""
    client = anthropic.AsyncAnthropic(base_url=url, api_key="any", max_retries=0, timeout=60)
    seen: Counter[int] = Counter()
    provider.ask("reset", {})
    began, sent, running = time.monotonic(), 0, set()
    rate = _OFFERED * _OTPM / 60 / _TOKENS
    while (now := time.monotonic() - began) < seconds:
        while sent < now * rate:
            task = asyncio.create_task(_ask(client, seen))
            running.add(task)
            task.add_done_callback(running.discard)
            sent += 1
        await asyncio.sleep(0.01)
    books = provider.ask("ledger?by_key=0&per_second=0")["by_model"][_MODEL]
    await asyncio.gather(*running)
    await client.close()
    return books, seen


async def _ask(client: anthropic.AsyncAnthropic, seen: Counter[int]) -> None:
    question: Any = [{"role": "user", "content": "three short words"}]
    try:
        await client.messages.create(
            model=_MODEL, max_tokens=_TOKENS, messages=question, extra_headers={"x-tidegate-deadline-ms": "4000"}
        )
        seen[200] += 1
    except anthropic.APIStatusError as error:
        seen[error.status_code] += 1


def _judged(name: str, measured: tuple[dict[str, Any], Counter[int]], seconds: int) -> list[Figure]:
    books, seen = measured
    possible = _OTPM + _OTPM * seconds / 60  # what was full at the beginning, and what came back since
    used = 100 * books["charged_output_tokens"] / possible
    statuses = ", ".join(f"{count} × {status}" for status, count in sorted(seen.items()))
    return [
        at_least(f"output limit {name}: used of what was possible", used, 95, "%"),
        exactly(f"output limit {name}: avoidable 429s", books["avoidable"], 0, f"{books['throttled']} in all"),
        told(f"output limit {name}: what clients got", statuses),
    ]
