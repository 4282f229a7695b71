"""`python -m bench sdk`: one application, the official SDK with its own retries, straight and through the gate.

Both ways get the same calls at the same moments, three times what the quota bears; the provider's own ledger judges.
"""

import argparse
import asyncio
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import openai
import uvloop
from rich.table import Table

from bench.figures import Figure, at_least, console, exactly, figures_table, told, write
from bench.twin import KEY, default_data, gated, quota, smallest, trace_in, twin
from tidegate.load.calls import CallSettings, LoadCall, plan_calls
from tidegate.load.ledger import FullReport, Ledger, audit
from tidegate.load.outcome import CallResult, Ending, settle
from tidegate.load.report import summarise
from tidegate.load.trace import read_trace

MODEL = "gpt-4o"
_TWIN = ["--ttft-ms", "50", "--tpot-ms", "0", "--seed", "1"]  # few large chunks: the SDK is slow at reading many


async def play(calls: list[LoadCall], url: str, retries: int) -> list[CallResult]:
    """Every call when it is due, as an application would send it."""
    http = openai.DefaultAsyncHttpxClient(limits=openai.DEFAULT_CONNECTION_LIMITS, timeout=600)
    loop = asyncio.get_running_loop()
    async with openai.AsyncOpenAI(api_key=KEY, base_url=url, max_retries=retries, http_client=http) as client:
        start = loop.time()
        async with asyncio.TaskGroup() as group:
            tasks = []
            for call in calls:
                due = start + call.offset_us / 1e6
                await asyncio.sleep(max(0, due - loop.time()))
                tasks.append(group.create_task(_perform(client, call, due)))
    return [task.result() for task in tasks]


async def _perform(client: openai.AsyncOpenAI, call: LoadCall, due: float) -> CallResult:
    loop = asyncio.get_running_loop()
    result = CallResult(call.index, call.offset_us, call.context_tokens, call.max_tokens, call.streamed)
    result.late_us = int((loop.time() - due) * 1e6)
    try:
        answer = await client.chat.completions.create(**json.loads(call.body))
        if call.streamed:
            async for _ in answer:
                result.first_byte_us = result.first_byte_us or int((loop.time() - due) * 1e6)
        result.status, result.ending = 200, Ending.ANSWERED
    except openai.APIStatusError as error:
        headers = [(name.lower().encode(), value.encode()) for name, value in error.response.headers.items()]
        settle(result, error.status_code, headers, json.dumps({"error": error.body}).encode())
    except openai.OpenAIError as error:
        result.ending, result.kind, result.message = Ending.FAILED, type(error).__name__, str(error)
    result.done_us = int((loop.time() - due) * 1e6)
    return result


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the provider, and what came of it."""

    name: str
    report: FullReport


def measure(options: argparse.Namespace, work: Path) -> list[Way]:
    """Straight, then through the gate, each with a fresh twin."""
    rows = read_trace(trace_in(options.data), limit_calls=options.calls)
    calls = list(plan_calls(rows, CallSettings(MODEL, options.speed)))
    ways = []
    for name, through in ((f"bare SDK, {options.retries} retries", False), ("the same through the gate", True)):
        with twin(work, *quota(options.speed), *_TWIN) as provider:
            if through:
                with gated(work, smallest(provider.url, options.speed)) as url:
                    results = uvloop.run(play(calls, url, options.retries))
            else:
                results = uvloop.run(play(calls, provider.url, options.retries))
            ledger = audit(Ledger(), _ledger(provider.ask("ledger")), MODEL, results)
        ways.append(Way(name, FullReport(summarise(results), ledger)))
    return ways


def _ledger(answer: object) -> Ledger:
    import msgspec

    return msgspec.convert(answer, Ledger)


def ways_table(ways: list[Way]) -> Table:
    """The ways side by side."""
    table = Table(title="the same calls, two ways", title_justify="left")
    for heading in ("", "answered", "429s to the app", "failed", "429s at the provider", "avoidable", "quota used"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_column("p50 s", justify="right")
    table.add_column("p99 s", justify="right")
    table.add_column("sent late, p99 s", justify="right")
    for way in ways:
        replay, ledger = way.report.replay, way.report.ledger
        assert ledger is not None
        share = f"{ledger.utilisation.mean:.1%}" if ledger.utilisation.windows else "–"
        counts = (replay.answered, replay.refused, replay.failed, ledger.throttled, ledger.avoidable)
        times = (replay.latency.p50 / 1e3, replay.latency.p99 / 1e3, replay.lateness.p99 / 1e3)
        table.add_row(way.name, *(f"{count:,}" for count in counts), share, *(f"{time:.1f}" for time in times))
    return table


def figures_of(ways: list[Way]) -> list[Figure]:
    """What the comparison is judged by: the gate's way; the bare one stands beside it."""
    bare, ours = (way.report for way in ways)
    assert bare.ledger is not None
    assert ours.ledger is not None
    return [
        told("bare SDK: answered", f"{bare.replay.answered:,} of {bare.replay.sent:,}"),
        told("bare SDK: 429s at the provider", f"{bare.ledger.throttled:,}", f"{bare.ledger.avoidable:,} avoidable"),
        exactly("through the gate: 429s at the provider", ours.ledger.throttled, 0),
        at_least("through the gate: answered", ours.replay.answered, bare.replay.answered, "calls"),
    ]


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./dev bench sdk", description=__doc__)
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the trace")
    parser.add_argument("--speed", type=float, default=3, help="of the trace; the quota is 150k TPM times this")
    parser.add_argument("--calls", type=int, default=1500, help="the first N of the trace")
    parser.add_argument("--retries", type=int, default=2, help="the SDK's own (its default is 2)")
    return parser.parse_args(words)


def main(words: list[str]) -> int:
    """Measure, print, write `results/sdk.json`."""
    options = arguments(words)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        ways = measure(options, Path(folder))
    out, figures = console(), figures_of(ways)
    out.print(ways_table(ways))
    out.print(figures_table("bench sdk", figures))
    out.print(f"written to {write('sdk', figures, ways=ways)}")
    return 0
