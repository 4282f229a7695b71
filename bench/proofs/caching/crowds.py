"""A thousand equal calls at once, over as many connections, of which some are given up: one call to the provider.

Who leads is known: it sends a moment before the others. The judge is the twin's own ledger.
"""

import asyncio
import contextlib
import json
import random
import resource
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvloop

from bench.figures import Figure, exactly, told
from bench.proofs.stage import Stage, provider, stage
from bench.proofs.steps import Context, Row

CALLS = 1_000
_TIMING = {"ttft_ms": 600, "tpot_ms": 10, "tokens": 40, "chunk_tokens": 1, "chunk_ms": 0}
_LASTS_S = 1.0  # about, from the first byte of a request to the end of its answer
_LEAD_S = 0.02
_PATIENCE_S = 60.0
_MODEL = "gpt-4o"


@dataclass(frozen=True, slots=True)
class Crowd:
    """Equal calls at once; `leaving` is the share of the followers that is gone before the end, the leader too."""

    stream: bool
    leaving: float
    seed: int
    calls: int = CALLS


@dataclass(slots=True)
class Heard:
    """What came of a crowd: the answers of those that stayed, how many left, and who got no answer."""

    answers: list[bytes] = field(default_factory=list)
    left: int = 0
    lost: list[str] = field(default_factory=list)
    upstream: int = 0


def unary(context: Context, row: Row) -> None:
    """Whole answers."""
    _tried(context, row, stream=False)


def streamed(context: Context, row: Row) -> None:
    """Streams, which followers hear from their beginning."""
    _tried(context, row, stream=True)


def _tried(context: Context, row: Row, *, stream: bool) -> None:
    seeds = 2 if context.quick else 10
    what = "streams" if stream else "whole answers"
    row.commands.append(f"tidegate twin -c, tidegate serve -c; {CALLS:,} connections, {what}, seeds 0 to {seeds - 1}")
    with _stage(context.work / f"crowds-{stream}") as running:
        for leaving in (0.0, 0.4):
            heard = [uvloop.run(_one(running, Crowd(stream, leaving, seed))) for seed in range(seeds)]
            row.figures += _figures(f"{what}, {'some leave' if leaving else 'nobody leaves'}", heard)


def _figures(name: str, crowds: list[Heard]) -> list[Figure]:
    lost = [one for heard in crowds for one in heard.lost]
    answers, left = sum(len(heard.answers) for heard in crowds), sum(heard.left for heard in crowds)
    most, kinds = max(heard.upstream for heard in crowds), max(len(set(heard.answers)) for heard in crowds)
    said = f"{len(crowds)} crowds of {CALLS:,}"
    figures = [
        exactly(f"{name}: the most calls at the provider of a crowd", most, 1, said),
        exactly(f"{name}: different answers in a crowd", kinds, 1, f"{answers:,} answers"),
        exactly(f"{name}: stayed, and got no whole answer", len(lost), 0, lost[0] if lost else ""),
    ]
    if left:
        figures.append(told(f"{name}: left before the end", f"{left:,}", "the leader of each among them"))
    return figures


@contextlib.contextmanager
def _stage(home: Path) -> Iterator[Stage]:
    def settings(running: Any) -> dict[str, Any]:
        makers = {"openai": provider(running, "openai", [_MODEL])}
        return {"providers": makers, "defaults": {"caching": {"enabled": True}}}

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 8 * CALLS)), hard))
    with stage(home, _TIMING, ({"name": _MODEL},), settings) as running:
        yield running


async def _one(running: Stage, crowd: Crowd) -> Heard:
    """One crowd, asking what nobody asked before."""
    heard, luck = Heard(), random.Random(crowd.seed)
    before = _upstream(running)
    lines = [await asyncio.open_connection("127.0.0.1", running.port) for _ in range(crowd.calls)]
    request = _request(crowd)
    lines[0][1].write(request)
    await asyncio.sleep(_LEAD_S)
    leavers = _leavers(crowd, luck)
    for _, writer in lines[1:]:
        writer.write(request)
    async with asyncio.TaskGroup() as group:
        for number, (reader, writer) in enumerate(lines):
            at = leavers.get(number)
            group.create_task(_listen(reader, writer, heard) if at is None else _leave(writer, heard, at))
    heard.upstream = _upstream(running) - before
    return heard


def _leavers(crowd: Crowd, luck: random.Random) -> dict[int, float]:
    """Who leaves, and after how many seconds: the leader, and followers by chance."""
    if not crowd.leaving:
        return {}
    gone = {number: luck.random() * _LASTS_S for number in range(crowd.calls) if luck.random() < crowd.leaving}
    return gone | {0: luck.random() * _LASTS_S}


async def _leave(writer: asyncio.StreamWriter, heard: Heard, after_s: float) -> None:
    await asyncio.sleep(after_s)
    writer.transport.abort()
    heard.left += 1


async def _listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, heard: Heard) -> None:
    try:
        heard.answers.append(await asyncio.wait_for(_answer(reader), _PATIENCE_S))
    except (OSError, EOFError, TimeoutError, ValueError) as error:
        heard.lost.append(f"{type(error).__name__}: {error}")
    writer.transport.abort()


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """The body, of a stream without its framing. Raises `ValueError` when it is no answer, or not whole."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise ValueError(head.partition(b"\r\n")[0].decode())
    if b"transfer-encoding: chunked" not in head.lower():
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return await reader.readexactly(length)
    body = await _unchunked(reader)
    if not body.endswith(b"data: [DONE]\n\n"):
        raise ValueError("a stream that does not end")
    return body


async def _unchunked(reader: asyncio.StreamReader) -> bytes:
    pieces = []
    while size := int(await reader.readuntil(b"\r\n"), 16):
        pieces.append(await reader.readexactly(size))
        await reader.readexactly(2)
    return b"".join(pieces)


def _request(crowd: Crowd) -> bytes:
    words = f"crowd {crowd.seed}, {crowd.leaving}, stream {crowd.stream}"
    asked = {
        "model": _MODEL,
        "stream": crowd.stream,
        "messages": [{"role": "user", "content": words}],
    }
    body = json.dumps(asked).encode()
    lines = ("POST /v1/chat/completions HTTP/1.1", "host: gate", "content-type: application/json")
    return "\r\n".join((*lines, f"content-length: {len(body)}", "", "")).encode() + body


def _upstream(running: Stage) -> int:
    return int(running.provider.ask("ledger?by_key=0&per_second=0")["calls"])
