"""`hedge_after_ms`: the second scope's first content, and what the budget allows."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.figures import at_most, exactly, told
from bench.proofs.stage import CHAT, Stage, events, provider, question, spoken, stage
from bench.proofs.steps import Context, Row
from harness.twin import Twin

SLOW_MS, AFTER_MS, STREAMS, SHARE = 3_000, 100, 60, 0.1
_TIMING = {"ttft_ms": 10, "tpot_ms": 1, "tokens": 10, "chunk_tokens": 1, "chunk_ms": 0}


def hedged(context: Context, row: Row) -> None:
    """With a budget for all of them, and for a tenth."""
    row.commands.append(f"tidegate serve -c (streams: {{hedge_after_ms: {AFTER_MS}, hedge_budget: 1 and {SHARE}}})")
    models = [{"name": "free"}, {"name": "tight"}]
    with stage(context.work / "hedged", _TIMING, models, _settings) as running:
        for _ in range(10):  # both scopes are known, and the budget has calls to its share
            running.ask(CHAT, question("s-free", 10))
        first = running.calls("free")[-1]["key"]
        slow = {"fault": "slow", "ms": SLOW_MS, "match": {"key": first}}
        running.provider.ask("faults", {"rules": [slow]})
        known = len(running.calls("free"))
        times = sorted(_seconds(running, "s-free") * 1_000 for _ in range(10))
        calls = running.calls("free")[known:]
        twice = len(calls) - 10
        row.figures.append(at_most("whole answer while the first scope takes 3 s, worst", times[-1], 1_000, "ms"))
        row.figures.append(told("the same, median", f"{times[5]:.0f} ms", f"{twice} of 10 were asked for twice"))
        lost = sum(call["end"] == "aborted" for call in calls if call["key"] == first)
        row.figures.append(exactly("the slow attempts that were stopped", lost, twice))
        running.provider.ask("faults", {"rules": [{"fault": "slow", "ms": 400}]})
        with ThreadPoolExecutor(10) as threads:
            list(threads.map(lambda _: _seconds(running, "s-tight"), range(STREAMS)))
        extra = len(running.calls("tight")) - STREAMS
        row.figures.append(at_most(f"second attempts for {STREAMS} slow streams", extra, STREAMS * SHARE))


def _settings(running: Twin) -> dict[str, Any]:
    budgets = {"free": 1, "tight": SHARE}
    strategies = {
        f"s-{model}": {"primary_model": model, "streams": {"hedge_after_ms": AFTER_MS, "hedge_budget": budget}}
        for model, budget in budgets.items()
    }
    return {
        "providers": {"openai": provider(running, "openai", list(budgets), keys=("sk-a", "sk-b"))},
        "strategies": strategies,
    }


def _seconds(running: Stage, strategy: str) -> float:
    began = time.monotonic()
    told_of = spoken(events(running.ask(CHAT, question(strategy, 10)).body))
    if told_of != list(range(1, 11)):
        raise RuntimeError(f"a hedged answer is not whole: {told_of}")
    return time.monotonic() - began
