"""What a translated stream costs a chunk, and what a call costs that is not translated."""

import json
import os
import sys
import time
from collections.abc import Sequence
from typing import Any

from bench import gate
from bench.figures import at_most, missing, told
from bench.proofs.stage import PATHS, Stage, numbers, provider, question, stage
from bench.proofs.steps import Context, Row
from bench.proofs.wire import benches
from harness import cpu
from harness.twin import Twin
from tidegate.line.taps import CrossedTap
from tidegate.model.call import Kind
from tidegate.providers.codec import Tap
from tidegate.providers.dialects import CODECS
from tidegate.providers.translate.table import crossing

CHUNKS, ROUNDS = 5_000, 9
LIMIT_US = 25
_WIRE_ROUNDS = 13  # a stream's ratio to nginx scatters by a fifth from round to round
_SERVED = 20_000
_TIMING = {"ttft_ms": 0, "tpot_ms": 0, "tokens": 10, "exact_up_to": _SERVED, "chunk_tokens": 1, "chunk_ms": 0}
_PAIRS = (
    (Kind.CHAT, Kind.MESSAGES),
    (Kind.MESSAGES, Kind.CHAT),
    (Kind.RESPONSES, Kind.CHAT),
    (Kind.RESPONSES, Kind.MESSAGES),
)
_BESIDE_NGINX = {
    "governed unary, worker ÷ nginx": "≤ 3.5 ×",
    "51-chunk stream, worker ÷ nginx": "≤ 1.6 ×",
}
_SAME = (Kind.CHAT, Kind.MESSAGES)


def price(_context: Context, row: Row) -> None:
    """CPU time of one process, a chunk at a time, the best of several rounds; text of one token a chunk."""
    row.commands.append("in this process: the provider's tap and the translation, fed one chunk at a time")
    for asked, spoken in _PAIRS:
        name = f"{asked.name.lower()} over {spoken.name.lower()}: CPU a chunk, best of {ROUNDS}"
        row.figures.append(at_most(name, min(_us(asked, spoken) for _ in range(ROUNDS)), LIMIT_US, "µs"))
    for kind in _SAME:
        best = min(_us(kind, kind) for _ in range(ROUNDS))
        row.figures.append(told(f"{kind.name.lower()} as it is, for comparison", f"{best:.2f} µs"))


def in_the_worker(context: Context, row: Row) -> None:
    """All of it, in a real worker: reading, translating, writing; the best of a few streams."""
    row.commands.append("tidegate twin -c, tidegate serve -c; streams of 20,000 chunks")
    models = [{"name": maker, "provider": maker, "context": 10**6, "most_output": 10**6} for maker in PATHS]
    with stage(context.work / "price", _TIMING, models, _settings) as running:
        worker = gate.worker_of(os.getpid())
        for client in PATHS:
            for model in PATHS:
                spent = [_served(running, client, model, worker) for _ in range(3)]
                name = f"{client}'s client of {model}'s model: worker's CPU a chunk"
                if client == model:
                    row.figures.append(told(f"{name}, not translated", f"{min(spent):.2f} µs"))
                else:
                    row.figures.append(at_most(name, min(spent), LIMIT_US, "µs"))


def _settings(running: Twin) -> dict[str, Any]:
    return {"providers": {maker: provider(running, maker, [maker]) for maker in PATHS}}


def _served(running: Stage, client: str, model: str, worker: int) -> float:
    before = cpu.spent_us(worker, whole_tree=False)
    body = running.ask(PATHS[client], question(model, _SERVED)).body
    spent = cpu.spent_us(worker, whole_tree=False) - before
    if len(numbers(body.decode())) != _SERVED:
        raise RuntimeError("the stream did not get through")
    return spent / _SERVED


def same_dialect(context: Context, row: Row) -> None:
    """The sections `unary` and `stream` of `./dev bench wire`, in more rounds, beside nginx; not in a quick run."""
    if context.quick:
        row.figures.append(told("the same dialect on both sides, beside nginx", "not in a quick run"))
        return
    command = [sys.executable, "-m", "bench", "wire", "--only", "unary,stream", "--rounds", str(_WIRE_ROUNDS)]
    done = benches.run_bench(row, command, os.environ)
    found = benches.written("wire") if done.returncode == 0 else []  # else they are those of an earlier run
    row.figures += found
    for name, target in _BESIDE_NGINX.items():
        if not any(figure.name == name for figure in found):
            row.figures.append(missing(name, target, done.stderr[-200:]))


def _us(asked: Kind, spoken: Kind) -> float:
    chunks = stream_of(spoken, CHUNKS)
    tap = _tap(asked, spoken)
    feed, out = tap.feed, list[bytes]()
    began = time.process_time_ns()
    out.extend(map(feed, chunks))
    spent = time.process_time_ns() - began
    if numbers(b"".join(out[:-4]).decode())[:3] != [1, 2, 3] or not tap.finished or tap.failure:
        raise RuntimeError(f"the stream did not get through: {tap.failure!r}")
    return spent / 1_000 / len(chunks)


def _tap(asked: Kind, spoken: Kind) -> Tap:
    tap = CODECS[spoken].tap(keep_usage=True)
    way = crossing(asked, spoken)
    if way is None:
        return tap
    body: dict[str, Any] = {"model": "a", "stream": True}
    question = [{"role": "user", "content": "x"}]
    body |= {"input": "x"} if asked is Kind.RESPONSES else {"messages": question, "max_tokens": 100_000}
    return CrossedTap(tap, way.request(json.dumps(body).encode(), "b", 0).reply.stream())


def stream_of(kind: Kind, count: int) -> Sequence[bytes]:
    """So many pieces of text, as the maker sends them, with what begins and ends a stream."""
    return list(_messages(count) if kind is Kind.MESSAGES else _chat(count))


def _messages(count: int) -> list[bytes]:
    usage = {"input_tokens": 9, "output_tokens": 1}
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "c", "content": [], "usage": usage}
    began: list[dict[str, Any]] = [
        {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None}},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
    ]
    said: list[dict[str, Any]] = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": f" t{number}"}}
        for number in range(1, count + 1)
    ]
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    ended: list[dict[str, Any]] = [
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta", "delta": delta, "usage": {"output_tokens": count}},
        {"type": "message_stop"},
    ]
    events = [*began, *said, *ended]
    return [f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode() for event in events]


def _chat(count: int) -> list[bytes]:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "g"}
        return b"data: %b\n\n" % json.dumps({**head, "choices": [choice], **more}).encode()

    usage = {"prompt_tokens": 9, "completion_tokens": count, "total_tokens": count + 9}
    last = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "g", "choices": []}
    return [
        chunk({"role": "assistant", "content": ""}),
        *(chunk({"content": f" t{number}"}) for number in range(1, count + 1)),
        chunk({}, "stop"),
        b"data: %b\n\n" % json.dumps({**last, "usage": usage}).encode(),
        b"data: [DONE]\n\n",
    ]
