"""A budget of one dollar under 200 streams beside each other: judged by what the twin billed.

Prices are one for input and output, so that the bill in dollars is the billed tokens. Each client comes again as it is
told to, and leaves when it is told that the budget is used up.
"""

import asyncio
import contextlib
import json
import os
import re
import signal
import time
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.figures import at_least, at_most, exactly, told
from bench.proofs.stage import CHAT, Stage, provider, question, stage
from bench.proofs.steps import Context, Row, Step, passing
from harness import cpu
from harness.twin import Twin
from tidegate.policy.tenant_limits.outlook import SAMPLES, Outlook

CLIENTS = 200
MODEL = "m-budget"
KEY = "tg-budget"
_STATED = 100_000  # `max_tokens` of every call: some thousand times of what it comes to
_TIMING = {
    "ttft_ms": 20,
    "tpot_ms": 2,
    "tokens": {"median": 40, "sigma": 1.0},
    "exact_up_to": 4_000,  # and no answer is longer
    "chunk_ms": 10,
}
_HEAD = re.compile(rb"\r\n([a-z0-9-]+): ([^\r]*)")
_PATIENCE_S = 300
_LEAST = 98.0


@dataclass(slots=True)
class Seen:
    """What the clients met."""

    answered: int = 0
    later: int = 0
    used_up: int = 0
    broken: int = 0
    other: dict[bytes, int] = field(default_factory=dict)


def streams(context: Context, row: Row) -> None:
    """All at once, until the budget is used up."""
    row.commands.append("tidegate twin -c, tidegate serve -c (namespaces: {acme: {budget: {per_month: 1}}})")
    _run(context, row, "budgets", kills=0)


def killed(context: Context, row: Row) -> None:
    """The same; the worker is killed with SIGKILL at a third and at two thirds of the budget."""
    _run(context, row, "budgets-killed", kills=2)


def _run(context: Context, row: Row, name: str, *, kills: int) -> None:
    tokens = 100_000 if context.quick else 500_000  # that a dollar buys
    with stage(context.work / name, _TIMING, [{"name": MODEL}], lambda twin: _settings(twin, 1e6 / tokens)) as running:
        seen, began = Seen(), time.perf_counter()
        asyncio.run(_all(running, seen, [tokens * (kill + 1) // (kills + 1) for kill in range(kills)]))
        lasted = time.perf_counter() - began
        _settled(running)
        calls = running.calls(MODEL)
        billed, records = _billed(running), running.records(MODEL)
    label = "killed twice: " if kills else ""
    note = f"{seen.answered:,} streams in {lasted:.0f} s; {seen.later:,} times told to come later"
    used = 100 * billed / tokens
    row.figures.append(at_least(f"{label}billed, of $1", used, _LEAST, "%", note))
    unseen = billed - sum(record.prompt_tokens + record.completion_tokens for record in records)
    bound = _bound(calls) + max(0, unseen)  # what calls that died were billed beyond what they were booked as
    over, most = max(0.0, used - 100), 100 * bound / tokens
    row.figures.append(at_most(f"{label}billed beyond $1", over, most, "%", "the stated bound"))
    row.figures.append(exactly(f"{label}clients told that the budget is used up", seen.used_up, CLIENTS, _odd(seen)))
    if kills:
        lost = [record for record in records if record.status == 0]
        booked = sum(record.prompt_tokens for record in lost)
        note = f"booked as {booked:,} tokens in all, billed {booked + unseen:,}"
        row.figures.append(told("streams that died with a worker", f"{len(lost)}", note))
    else:
        row.figures.append(exactly("tokens billed and not booked", unseen, 0))


def _settings(twin: Twin, price: float) -> dict[str, Any]:
    made = provider(twin, "openai", [MODEL])
    made["models"] = {MODEL: {"price": {"input": price, "output": price}}}
    space = {"keys": [{"name": "budget", "key": KEY}], "budget": {"per_month": 1}}
    return {"providers": {"openai": made}, "namespaces": {"acme": space}}


def _bound(calls: Sequence[dict[str, Any]]) -> int:
    """Tokens by which the budget may be overrun: what calls in flight at the last grant cost beyond what they held.

    At the least a call holds its prompt and the smallest bound that was learnt; what it took while it grew is left out.
    """
    outlook, least = Outlook(), _STATED
    for call in sorted(calls, key=_end):
        outlook.learn(call["completion_tokens"])
        if outlook.count >= SAMPLES:
            least = min(least, outlook.upper())
    last = max(call["arrived_us"] for call in calls)
    return sum(max(0, call["completion_tokens"] - least) for call in calls if _end(call) >= last)


def _end(call: dict[str, Any]) -> int:
    return int(call["ended_us"])


def _billed(running: Stage) -> int:
    """Tokens on the twin's bill."""
    return int(running.provider.ask("ledger")["by_key"]["sk-row"][MODEL]["billed_tokens"])


def _settled(running: Stage) -> None:
    """Wait until no call is open at the twin."""
    limit = time.monotonic() + 10
    while time.monotonic() < limit and any(call["end"] == "open" for call in running.calls(MODEL)):
        time.sleep(0.05)


async def _all(running: Stage, seen: Seen, kills: Sequence[int]) -> None:
    async with asyncio.timeout(_PATIENCE_S):
        clients: list[Coroutine[Any, Any, None]] = [_client(running.port, seen) for _ in range(CLIENTS)]
        await asyncio.gather(_killer(running, kills), *clients)


async def _killer(running: Stage, kills: Sequence[int]) -> None:
    for at in kills:
        while await asyncio.to_thread(_billed_so_far, running) < at:  # noqa: ASYNC110 - another process's books
            await asyncio.sleep(0.1)
        for pid in cpu.tree(os.getpid()):
            if "--worker" in cpu.command(pid).split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def _billed_so_far(running: Stage) -> int:
    try:
        return _billed(running)
    except KeyError:
        return 0


async def _client(port: int, seen: Seen) -> None:
    body = json.dumps(question(MODEL, _STATED)).encode()
    head = f"POST {CHAT} HTTP/1.1\r\nhost: gate\r\nauthorization: Bearer {KEY}\r\ncontent-type: application/json\r\n"
    request = f"{head}connection: close\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body
    while True:
        try:
            answer = await _exchange(port, request)
        except OSError:
            answer = b""
        shown = answer.partition(b"\r\n\r\n")[0]
        fields = dict(_HEAD.findall(shown))
        if shown[9:12] == b"200" and b"data: [DONE]" in answer:
            seen.answered += 1
        elif shown[9:12] == b"429" and fields[b"x-should-retry"] == b"true":
            seen.later += 1
            await asyncio.sleep(int(fields[b"retry-after-ms"]) / 1_000)
        elif b'"insufficient_quota"' in answer and fields[b"x-should-retry"] == b"false":
            seen.used_up += 1
            return
        elif shown[9:12] in {b"", b"200"}:
            seen.broken += 1  # its worker died
            await asyncio.sleep(0.05)
        else:
            seen.other[shown[9:12]] = seen.other.get(shown[9:12], 0) + 1
            return


async def _exchange(port: int, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(request)
        return await reader.read()
    finally:
        writer.transport.abort()


def _odd(seen: Seen) -> str:
    """What should not have been."""
    return ", ".join(f"{number} answered {status.decode()}" for status, number in seen.other.items())


ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "Budgets: 200 parallel streams against $1, used up and not overrun beyond the stated bound",
        (streams, killed, passing("tests/policy/tenant_limits")),
    ),
)
