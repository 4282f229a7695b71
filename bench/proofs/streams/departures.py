"""A client that leaves: when the provider is stopped, and what is booked."""

import asyncio
import json
import time
from dataclasses import dataclass
from typing import Any

from bench.figures import at_most, exactly, median, told
from bench.proofs.stage import PATHS, Stage, numbers, provider, question, stage
from bench.proofs.steps import Context, Row
from harness.twin import Twin

TOKENS = 200
LIMIT_MS = 50
_TIMING = {"ttft_ms": 500, "tpot_ms": 20, "tokens": TOKENS, "chunk_tokens": 1, "chunk_ms": 0}
_PLACES = {"before the first byte": 0, "half of it": TOKENS // 2, "99 %": TOKENS * 99 // 100}


@dataclass(frozen=True, slots=True)
class Left:
    """One that left: when (microseconds since 1970), and how many tokens it had read."""

    at_us: int
    read: int


def departures(context: Context, row: Row) -> None:
    """Leaving at each place, with each policy, in both dialects."""
    row.commands.append(
        "tidegate twin -c, tidegate serve -c (streams: {on_disconnect: cancel}, {on_disconnect: drain})"
    )
    rounds = 4 if context.quick else 10
    models = [{"name": f"{maker}-{mode}", "provider": maker} for maker in PATHS for mode in ("cancel", "drain")]
    with stage(context.work / "departures", _TIMING, models, _settings) as running:
        late: list[float] = []
        for maker in PATHS:
            for place, tokens in _PLACES.items():
                late += _cancelled(running, row, maker, place, tokens, rounds)
        row.figures.append(at_most("the provider's end after the client's, worst", max(late), LIMIT_MS, "ms"))
        row.figures.append(told("the same, median", f"{median(late):.1f} ms"))
        for maker in PATHS:
            _drained(running, row, maker, rounds)


def _settings(running: Twin) -> dict[str, Any]:
    modes = ("cancel", "drain")
    providers = {maker: provider(running, maker, [f"{maker}-{mode}" for mode in modes]) for maker in PATHS}
    strategies = {
        f"s-{maker}-{mode}": {"primary_model": f"{maker}-{mode}", "streams": {"on_disconnect": mode}}
        for maker in PATHS
        for mode in modes
    }
    return {"providers": providers, "strategies": strategies}


def _cancelled(running: Stage, row: Row, maker: str, place: str, tokens: int, rounds: int) -> list[float]:
    model = f"{maker}-cancel"
    known, booked = len(running.calls(model)), len(running.records(f"s-{model}"))
    left = asyncio.run(_all(running, maker, model, tokens, rounds))
    _settled(running, model, known + rounds, booked + rounds)
    calls = sorted(running.calls(model)[known:], key=lambda call: json.loads(call["body"])["max_tokens"])
    records = sorted(running.records(f"s-{model}")[booked:], key=lambda record: record.completion_tokens)
    reads = sorted(one.read for one in left)
    flagged = [
        record.status == 499 and record.estimated and read <= record.completion_tokens + 2 < TOKENS + 2
        for read, record in zip(reads, records, strict=False)
    ]
    stopped = sum(call["end"] == "aborted" for call in calls)
    row.figures.append(exactly(f"{maker}, {place}: provider's streams that were stopped", stopped, rounds))
    good = sum(flagged) if len(records) == rounds else len(records) - rounds
    pairs = [(read, record.completion_tokens, record.status) for read, record in zip(reads, records, strict=False)]
    note = "" if good == rounds else f"read, booked, status: {pairs}"
    row.figures.append(
        exactly(f"{maker}, {place}: booked once, as delivered, flagged as estimated", good, rounds, note)
    )
    return [(call["ended_us"] - one.at_us) / 1_000 for one, call in zip(left, calls, strict=False)]


def _drained(running: Stage, row: Row, maker: str, rounds: int) -> None:
    model = f"{maker}-drain"
    asyncio.run(_all(running, maker, model, TOKENS // 2, rounds))
    _settled(running, model, rounds, rounds)
    calls, records = running.calls(model), running.records(f"s-{model}")
    exact = sum(not record.estimated and record.completion_tokens >= TOKENS for record in records)
    whole = sum(call["end"] != "aborted" for call in calls)
    row.figures.append(exactly(f"{maker}, drained: read to the end, exact usage", min(exact, whole), rounds))


def _settled(running: Stage, model: str, calls: int, records: int) -> None:
    """Wait until twin and journal know of all of them; 10 s at most."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit:
        known = running.calls(model)
        closed = len(known) >= calls and all(call["end"] != "open" for call in known)
        if closed and len(running.records(f"s-{model}")) >= records:
            return
        time.sleep(0.02)


async def _all(running: Stage, maker: str, model: str, tokens: int, rounds: int) -> list[Left]:
    """Beside each other, told apart by how much they ask for."""
    return await asyncio.gather(*(_leave(running, maker, model, tokens, TOKENS + each) for each in range(rounds)))


async def _leave(running: Stage, maker: str, model: str, tokens: int, asked: int) -> Left:
    """Ask, read until so many tokens came, and close."""
    reader, writer = await asyncio.open_connection("127.0.0.1", running.port)
    body = json.dumps(question(f"s-{model}", asked)).encode()
    head = [
        f"POST {PATHS[maker]} HTTP/1.1",
        "host: gate",
        "content-type: application/json",
        f"content-length: {len(body)}",
    ]
    writer.write("\r\n".join([*head, "", ""]).encode() + body)
    got = b""
    if not tokens:
        await asyncio.sleep(0.2)  # it has left for the provider, whose first byte takes longer
    while got.count(b" t") < tokens:
        piece = await reader.read(4_096)
        if not piece:
            break
        got += piece
    at_us = time.time_ns() // 1_000
    writer.transport.abort()
    return Left(at_us, len(set(numbers(got.decode()))))
