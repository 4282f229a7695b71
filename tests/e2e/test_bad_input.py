"""What is wrong with a request is said in OpenAI's form; nothing hangs, and the worker lives.

Every connection is usable after its answer or closed on purpose: both are asserted.
"""

import asyncio
import json
import random
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.conftest import Place
from tests.e2e.stand import HEALTH, USER, Gate, Line, queued, request
from tests.twin.http import Answer
from tests.wire.test_vectors import mutate
from tests.wire.vectors import VECTORS

CHAT = "/v1/chat/completions"
MIB = 1_048_576
SEED = 20_261_121


def of(answer: Answer) -> tuple[int, str | None, str | None]:
    """Status, and what the error says of code and field. The shape is OpenAI's, or this fails."""
    error = answer.json["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["message"]
    assert isinstance(error["type"], str)
    return answer.status, error["code"], error["param"]


def body(**fields: Any) -> bytes:
    return json.dumps({"model": "gpt-4o", "messages": USER} | fields).encode()


# ── bodies ──────────────────────────────────────────────────────────────────────────────────────────────────────────

DEEP = 200_000
INVALID: dict[str, tuple[bytes, str, str | None]] = {  # the field that is to blame, and a piece of the message
    "nothing": (b"", "could not parse", None),
    "half an object": (b'{"model": "gpt-4o", "messages": [', "could not parse", None),
    "no JSON": (b"model=gpt-4o", "could not parse", None),
    "two values": (body() + body(), "could not parse", None),
    "a trailing comma": (b'{"model": "gpt-4o", "messages": [],}', "could not parse", None),
    "a single quote": (b"{'model': 'gpt-4o'}", "could not parse", None),
    "NaN": (body(temperature=float("nan")), "could not parse", None),
    "a list": (b"[]", "Invalid body", None),
    "a text": (b'"gpt-4o"', "Invalid body", None),
    "a number": (b"1", "Invalid body", None),
    "null": (b"null", "Invalid body", None),
    "a NUL byte": (b'{"model": "gpt-4o\x00"}', "could not parse", None),
    "only NUL bytes": (bytes(100), "could not parse", None),
    "a byte order mark": (b"\xef\xbb\xbf" + body(), "could not parse", None),
    "UTF-16": (body().decode().encode("utf-16"), "not UTF-8", None),
    "invalid UTF-8": (b'{"model": "gpt-4o", "messages": "\xff\xfe"}', "not UTF-8", None),
    "a cut character": (b'{"model": "gpt-4o", "messages": "\xe4\xb8', "not UTF-8", None),
    "UTF-8 of a surrogate": (b'{"model": "gpt-4o", "messages": "\xed\xa0\x80"}', "not UTF-8", None),
    "a name with a NUL": (body(model="gpt\u00004o"), "'model'", "model"),
    "a name that leads out of a path": (body(model="../gpt-4o"), "'model'", "model"),
    "a name of 100 kB": (body(model="x" * 100_000), "'model'", "model"),
    "half a surrogate pair in a name": (b'{"model": "gpt-4o\\ud800", "messages": []}', "could not parse", None),
    "nesting in messages": (b'{"model":"gpt-4o","messages":' + b"[" * DEEP + b"]" * DEEP + b"}", "deep", None),
    "nesting in a field nobody knows": (b'{"x":' + b'{"x":' * DEEP + b"1" + b"}" * DEEP + b"}", "deep", None),
    "nesting without an end": (b'{"model":"gpt-4o","messages":' + b"[" * DEEP, "deep", None),
    "no model": (b'{"messages": []}', "model", "model"),
    "model null": (body(model=None), "model", "model"),
    "model empty": (body(model=""), "model", "model"),
    "model a number": (body(model=5), "Invalid type for 'model'", "model"),
    "model a list": (body(model=["gpt-4o"]), "Invalid type for 'model'", "model"),
    "no messages": (b'{"model": "gpt-4o"}', "'messages'", "messages"),
    "messages null": (body(messages=None), "'messages'", "messages"),
    "messages a text": (body(messages="hello"), "'messages'", "messages"),
    "messages an object": (body(messages={}), "'messages'", "messages"),
    "max_tokens a text": (body(max_tokens="many"), "'max_tokens'", "max_tokens"),
    "max_tokens a fraction": (body(max_tokens=1.5), "'max_tokens'", "max_tokens"),
    "max_tokens negative": (body(max_tokens=-1), "'max_tokens'", "max_tokens"),
    "max_tokens far below": (body(max_tokens=-(10**30)), "'max_tokens'", "max_tokens"),
    "max_tokens far above": (body(max_tokens=10**30), "'max_tokens'", "max_tokens"),
    "max_tokens beyond doubles": (b'{"model":"gpt-4o","messages":[],"max_tokens":1e400}', "'max_tokens'", "max_tokens"),
    "max_completion_tokens negative": (body(max_completion_tokens=-1), "'max_comp", "max_completion_tokens"),
    "n zero": (body(n=0), "'n'", "n"),
    "n a text": (body(n="2"), "'n'", "n"),
    "stream a text": (body(stream="yes"), "'stream'", "stream"),
    "stream a number": (body(stream=1), "'stream'", "stream"),
    "stream_options a list": (body(stream=True, stream_options=[]), "'stream_options'", "stream_options"),
    "include_usage a text": (
        body(stream=True, stream_options={"include_usage": "yes"}),
        "'stream_options.include_usage'",
        "stream_options.include_usage",
    ),
}


async def test_a_body_that_is_no_request(gate: Gate, twin: Twin) -> None:
    """400 with the field and the remedy, one after the other on one connection; the provider hears of none."""
    wrong = {}
    async with Line(gate) as line:
        for name, (data, piece, param) in INVALID.items():
            line.send(request(CHAT, data))
            answer = await line.reply()
            status, _, blamed = of(answer)
            message = answer.json["error"]["message"]
            if (status, blamed) != (400, param) or piece not in message:
                wrong[name] = status, blamed, message
        assert await line.usable()
    assert wrong == {}
    assert twin.ledger()["calls"] == 0


async def test_what_the_gate_does_not_read_is_the_providers_to_judge(gate: Gate, twin: Twin, place: Place) -> None:
    """Fields that no gate needs to know: 400 in the provider's words, after one call, and nothing is charged for it."""
    wrong: tuple[tuple[dict[str, Any], str], ...] = (
        ({"messages": [5]}, "messages[0]"),
        ({"messages": [{"role": "user", "content": 5}]}, "messages[0].content"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"n": 1_000}, "n"),
        ({"stop": 5}, "stop"),
    )
    for count, (fields, param) in enumerate(wrong, 1):
        answer = await gate.chat(place.strategy, **fields)
        assert (of(answer)[0], of(answer)[2]) == (400, param)
        assert [call["status"] for call in twin.calls()] == [400] * count
    assert {record.charged_tokens for record in gate.records(place.strategy)} == {0}


async def test_other_kinds_of_calls(gate: Gate, twin: Twin) -> None:
    """Completions want a prompt, embeddings an input."""
    async with Line(gate) as line:
        for path, field in (("/v1/completions", "prompt"), ("/v1/embeddings", "input")):
            line.send(request(path, {"model": "gpt-4o"}))
            assert of(await line.reply()) == (400, "invalid_request", field)
        assert await line.usable()
    assert twin.ledger()["calls"] == 0


async def test_odd_bodies_that_are_valid(gate: Gate, twin: Twin) -> None:
    """What JSON allows is not refused: escapes of NUL, odd types, doubled fields; also 400 levels of nesting."""
    deep: Any = "x"
    for _ in range(400):
        deep = [deep]
    bodies = (
        body(messages=[{"role": "user", "content": "a\u0000b"}], max_tokens=1),
        b' \r\n\t{"model":"x","model":"gpt-4o","messages":[{"role":"user","content":"a"}],"max_tokens":1} \n',
        body(max_tokens=1, vendor=deep),
        body(max_tokens=1, tools=None, stream=None, stream_options=None, n=None),
    )
    async with Line(gate) as line:
        for data in bodies:
            line.send(request(CHAT, data, content_type="text/plain"))
            assert (await line.reply()).status == 200, data
    assert twin.ledger()["served"] == len(bodies)


async def test_unknown_models(gate: Gate, twin: Twin) -> None:
    """404, with what was asked for, however odd it is."""
    names = ("gpt-9", "*", "a/b", "模型", "x" * 256, "GPT-4O", " gpt-4o", "<b>&amp;</b>")
    async with Line(gate) as line:
        for name in names:
            line.send(request(CHAT, body(model=name)))
            answer = await line.reply()
            assert of(answer) == (404, "model_not_found", "model"), name
            assert len(answer.body) < 1_000
        assert await line.usable()
    assert twin.ledger()["calls"] == 0


async def test_a_cost_above_the_bucket_is_no_question_of_time(gate: Gate, twin: Twin) -> None:
    """A permanent 400 without a time to come again, for each way of being too large; what fits is served."""
    too_large: tuple[dict[str, Any], ...] = (
        {"max_tokens": 1_001},
        {"max_tokens": 501, "n": 2},
        {"max_completion_tokens": 5_000, "max_tokens": 1},
        {"messages": [{"role": "user", "content": "word " * 20_000}]},
        {"max_tokens": 1 << 40},
    )
    async with Line(gate) as line:
        for fields in too_large:
            line.send(request(CHAT, body(model="small", **fields)))
            answer = await line.reply()
            assert of(answer) == (400, "request_exceeds_quota", "max_tokens"), fields
            assert not {"retry-after", "retry-after-ms", "x-should-retry"} & set(answer.headers)
        assert twin.ledger()["calls"] == 0
        line.send(request(CHAT, body(model="small", max_tokens=1_000)))
        assert (await line.reply()).status == 200


async def test_a_deadline_that_is_none(gate: Gate) -> None:
    """Whole milliseconds from 1 to a day, and nothing else."""
    async with Line(gate) as line:
        for value in ("0", "-5", "soon", "1.5", "1e3", "9" * 30, "86400001", "٣"):
            line.send(request(CHAT, body(), x_tidegate_deadline_ms=value))
            assert of(await line.reply()) == (400, "invalid_request", "x-tidegate-deadline-ms"), value
        assert await line.usable()


# ── routes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_routes_that_are_none(gate: Gate, twin: Twin) -> None:
    """404, 405 or 501, and the connection goes on."""
    wrong = (
        (b"GET /v1/chat/completions HTTP/1.1", 405, "method_not_supported"),
        (b"DELETE /v1/models HTTP/1.1", 405, "method_not_supported"),
        (b"GET / HTTP/1.1", 404, "unknown_url"),
        (b"GET /v1 HTTP/1.1", 404, "unknown_url"),
        (b"GET /v1/ HTTP/1.1", 404, "unknown_url"),
        (b"GET /openai/v1/models HTTP/1.1", 404, "unknown_url"),
        (b"GET /%00%ff\xc3 HTTP/1.1".replace(b"\xc3", b""), 404, "unknown_url"),
        (b"OPTIONS * HTTP/1.1", 404, "unknown_url"),
        (b"GET /v1/realtime?model=gpt-4o HTTP/1.1", 501, "unsupported"),
    )
    async with Line(gate) as line:
        for first, status, code in wrong:
            line.send(first + b"\r\nhost: gate\r\n\r\n")
            assert of(await line.reply())[:2] == (status, code), first
        assert await line.usable()
    assert twin.ledger()["calls"] == 0


async def test_a_websocket_is_refused_clearly(gate: Gate) -> None:
    """501 in the form that the SDK understands, and the end of the connection."""
    ask = b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: AAAA\r\n"
    async with Line(gate) as line:
        line.send(b"GET /v1/realtime HTTP/1.1\r\nhost: gate\r\n" + ask + b"\r\n")
        assert of(await line.reply())[0] == 501
        assert await line.closed()


# ── heads and sizes ─────────────────────────────────────────────────────────────────────────────────────────────────

POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: gate\r\n"
REFUSED_HEADS: dict[str, tuple[bytes, int]] = {
    "a header of 1 MB": (POST + b"x: " + b"a" * MIB + b"\r\n\r\n", 431),
    "1 MB of headers": (POST + b"".join(b"x-%d: %b\r\n" % (i, b"a" * 100) for i in range(10_000)) + b"\r\n", 431),
    "1 MB of headers without an end": (POST + b"x: y\r\n" * 175_000, 431),
    "1 MB of a header's name": (POST + b"a" * MIB, 431),
    "many small headers": (POST + b"x: y\r\n" * 1_000 + b"\r\n", 431),
    "a URL of 1 MB": (b"GET /v1/" + b"a" * MIB + b" HTTP/1.1\r\nhost: gate\r\n\r\n", 414),
    "a URL without an end": (b"GET /v1/" + b"a" * MIB, 414),
    "a method without an end": (b"A" * MIB, 414),
    "100 MB are announced": (POST + b"content-length: 104857600\r\n\r\n", 413),
    "100 MB are announced politely": (POST + b"expect: 100-continue\r\ncontent-length: 104857600\r\n\r\n", 413),
    "more than memory": (POST + b"content-length: 999999999999999999\r\n\r\n", 413),
    "a NUL byte in a header": (POST + b"x: a\x00b\r\n\r\n", 400),
    "a NUL byte in the URL": (b"GET /v1/mo\x00dels HTTP/1.1\r\nhost: gate\r\n\r\n", 400),
    "two framings": (POST + b"content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    "two lengths": (POST + b"content-length: 3\r\ncontent-length: 4\r\n\r\nabcd", 400),
    "a folded header": (POST + b"x: a\r\n b\r\n\r\n", 400),
    "a bad chunk size": (POST + b"transfer-encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 400),
    "no host": (b"GET /healthz HTTP/1.1\r\n\r\n", 400),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), 400),
    "HTTP/0.9": (b"GET /healthz\r\n\r\n", 400),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
}


async def test_a_head_that_is_refused(gate: Gate, twin: Twin) -> None:
    """The right status in the right form, before any body is read, and the connection is closed on purpose."""

    async def one(name: str, data: bytes, status: int) -> str:
        async with Line(gate) as line:
            line.send(data)
            answer = await line.reply()
            good = (of(answer)[0], answer.headers.get("connection")) == (status, "close")
            return "" if good and await line.closed() else f"{name}: {answer.status} {answer.headers}"

    results = await asyncio.gather(*(one(name, data, status) for name, (data, status) in REFUSED_HEADS.items()))
    assert [wrong for wrong in results if wrong] == []
    assert twin.ledger()["calls"] == 0


@pytest.mark.parametrize("chunked", [False, True], ids=["announced", "chunked"])
async def test_a_body_of_100_mb_that_comes_all_the_same(gate: Gate, chunked: bool) -> None:
    """The answer is there long before the body is, and who goes on sending can still read it; memory stays flat."""
    framing = b"transfer-encoding: chunked\r\n\r\n" if chunked else b"content-length: 104857600\r\n\r\n"
    piece = b" " * MIB
    before = resident_mib(gate.worker)
    async with Line(gate) as line:
        line.send(POST + framing)
        for _ in range(100):
            line.send(b"%x\r\n%b\r\n" % (MIB, piece) if chunked else piece)
            try:
                await line.writer.drain()
            except ConnectionError:
                break
        answer = await line.reply()
        assert of(answer)[:2] == (413, "body_too_large")
    assert resident_mib(gate.worker) - before < 70  # a chunked body is known to be too large only after 32 MiB


async def test_a_body_at_the_limit_is_read(gate: Gate) -> None:
    """32 MiB of JSON: read, and refused for what it says."""
    async with Line(gate) as line:
        line.send(request(CHAT, b'{"x":"' + b"a" * (33_554_432 - 8) + b'"}'))
        assert of(await line.reply()) == (400, "invalid_request", "model")
        assert await line.usable()


def resident_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


# ── slow clients ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def strict(gates: Callable[..., Gate], twin: Twin) -> Gate:
    """A gate with short time-outs."""
    times = {"head_timeout_seconds": 0.5, "body_timeout_seconds": 0.5, "write_timeout_seconds": 1}
    return gates(
        {
            "providers": {"openai": provider(twin.url, "sk-strict", {"gpt-4o": {"rpm": 1_000, "tpm": 1_000_000}})},
            "server": times | {"idle_timeout_seconds": 0.5},
        }
    )


async def test_slow_clients(strict: Gate, twin: Twin) -> None:
    """Whoever drips a head, drips a body, says nothing, or does not read is let go in time; others notice nothing."""

    async def drip(begun: bytes, byte: bytes) -> tuple[Any, ...]:
        async with Line(strict) as line:
            line.send(begun)
            reply = asyncio.get_running_loop().create_task(line.reply())
            while not reply.done():
                line.send(byte)  # something comes all the time, and it is no progress
                await asyncio.wait([reply], timeout=0.05)
            return (*of(reply.result())[:2], await line.closed())

    async def silent(begun: bytes) -> bool:
        async with Line(strict) as line:
            line.send(begun)
            if begun:
                assert (await line.reply()).status == 200
            return await line.closed()

    async def greedy() -> bool:
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
        sock.connect(("127.0.0.1", strict.port))
        sock.sendall(b"GET /v1/files/file-100000000/content HTTP/1.1\r\nhost: gate\r\n\r\n")
        with sock:
            await until(lambda: [c["end"] for c in twin.calls() if "content" in c["path"]] == ["aborted"], "its end")
        return True

    before = resident_mib(strict.worker)
    results = await asyncio.gather(
        drip(b"POST /v1/chat", b"x"),
        drip(POST + b"x-slow: ", b"y"),
        drip(POST + b"content-length: 1000\r\n\r\n", b"z"),
        drip(POST + b"transfer-encoding: chunked\r\n\r\n", b"1\r\nz\r\n"),
        silent(b""),
        silent(HEALTH),
        greedy(),
        strict.chat("gpt-4o"),
    )
    assert results[:4] == [(408, "request_timeout", True)] * 4
    assert results[4:7] == [True] * 3
    assert results[7].status == 200
    assert resident_mib(strict.worker) - before < 20  # nothing of the 100 MB that nobody reads is held


# ── leaving, at every stage ─────────────────────────────────────────────────────────────────────────────────────────

WHOLE = request(CHAT, body(max_tokens=5))
STAGES: dict[str, bytes] = {
    "after connecting": b"",
    "in the request line": WHOLE[:10],
    "in the head": WHOLE[:60],
    "after the head": WHOLE[: WHOLE.index(b"\r\n\r\n") + 4],
    "in the body": WHOLE[:-10],
    "in a chunk": POST + b"transfer-encoding: chunked\r\n\r\nff\r\nabc",
    "in an upload": request("/v1/files", b"x" * 100_000)[:-10],
    "before any answer": WHOLE,
    "with a second request on its way": WHOLE + WHOLE,
}


@pytest.mark.parametrize("rst", [False, True], ids=["fin", "rst"])
async def test_leaving_at_every_stage(gate: Gate, twin: Twin, rst: bool) -> None:
    """Nothing is left open, neither at the gate nor at the provider, and the next call is served."""
    for data in STAGES.values():
        for _ in range(3):
            async with Line(gate) as line:
                line.send(data)
                await line.writer.drain()
                if rst:
                    linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
                    line.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    assert (await gate.chat("gpt-4o")).status == 200
    await until(lambda: all(call["end"] != "open" for call in twin.calls()), "the provider's calls to end")


@pytest.fixture
def waiting(places: Iterator[Place]) -> dict[str, tuple[dict[str, Any], Place]]:
    """Faults that keep a call somewhere on its way."""
    return {
        "waits for the answer": ({"fault": "slow", "ms": 60_000}, next(places)),
        "waits to try again": ({"fault": "429", "retry_after": 30}, next(places)),
        "waits for the rest": ({"fault": "stall", "after_bytes": 1_500}, next(places)),
    }


async def test_leaving_while_the_gate_waits(
    gate: Gate, twin: Twin, waiting: dict[str, tuple[dict[str, Any], Place]]
) -> None:
    """For an answer, for the next try, in mid-stream: the provider is let go, the record says 499, none is left."""
    twin.fault(*(rule | {"match": {"model": place.alone}} for rule, place in waiting.values()))
    models = [place.alone for _, place in waiting.values()]
    async with Line(gate) as first, Line(gate) as second, Line(gate) as third:
        for line, model in zip((first, second, third), models, strict=True):
            line.send(request(CHAT, {"model": model, "messages": USER, "stream": True}))
        await until(lambda: all(twin.calls(model) for model in models), "the calls to arrive")
        assert b"200 OK" in await third.until(b'"content":" t1"')
    await until(
        lambda: {record.plan: record.status for record in gate.records()}.items() >= dict.fromkeys(models, 499).items(),
        "the records",
    )
    await until(lambda: all(call["end"] != "open" for call in twin.calls()), "the provider's calls to end")
    assert [[call["end"] for call in twin.calls(model)] for model in models] == [["aborted"], ["complete"], ["aborted"]]


async def test_leaving_the_queue(gate: Gate, twin: Twin) -> None:
    """Who waits for quota and leaves costs nothing: his turn goes to the next one, and the provider never hears."""
    first = await gate.chat("narrow", max_tokens=900)
    assert first.status == 200
    async with AsyncExitStack() as leaving:
        for _ in range(5):
            line = await leaving.enter_async_context(Line(gate))
            line.send(request(CHAT, {"model": "narrow", "messages": USER, "max_tokens": 300}))
        await until(lambda: queued(gate, "narrow") == 5, "five to stand in the queue")
        patient = asyncio.get_running_loop().create_task(gate.chat("narrow", max_tokens=5))
        await until(lambda: queued(gate, "narrow") == 6, "another one to stand behind them")
    answer = await patient
    assert answer.status == 200
    assert len(twin.calls("narrow")) == 2
    assert [record.status for record in gate.records("narrow")].count(499) == 5


# ── ten thousand at random ──────────────────────────────────────────────────────────────────────────────────────────

FUZZED, HEADS, IN_ROW = 9_000, 1_000, 60
SEEDS = (
    body(max_tokens=2),
    body(max_tokens=2, stream=True, stream_options={"include_usage": False}),
    body(max_tokens=1, n=2, tools=[{"type": "function", "function": {"name": "f", "parameters": {}}}]),
    body(messages=[{"role": "user", "content": [{"type": "text", "text": "中文 \ud83d\ude00"}]}], stop=["a"]),
    b'{"model":"text-embedding-3-small","input":["a","b"],"encoding_format":"float","dimensions":4}',
    b'{"model":"gpt-4o","prompt":"once","max_tokens":3,"best_of":1,"echo":false}',
)
TOKENS = (
    b"null",
    b"-1",
    b"1e9",
    b"[]",
    b"{}",
    b'""',
    b"\xff",
    b"\x00",
    b'"',
    b"\\",
    b",",
    b"}",
    b"[[[[",
    b"true",
    b"\n",
)


def mangled(data: bytes, rng: random.Random) -> bytes:
    """A body with a few bytes or words changed, doubled, or cut off."""
    raw = bytearray(data)
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(len(raw) + 1)
        match rng.randrange(5):
            case 0:
                raw[at : at + 1] = rng.randbytes(1)
            case 1:
                raw[at : at + rng.randrange(8)] = rng.choice(TOKENS)
            case 2:
                raw[at:at] = rng.choice(TOKENS)
            case 3:
                raw[at:at] = raw[at : at + rng.randrange(20)]
            case _:
                del raw[at:]
    return bytes(raw)


async def test_ten_thousand_fuzzed_requests(gate: Gate, twin: Twin) -> None:
    """Each gets an answer in its turn, in the right form; broken heads end their connection; the gate serves on."""
    rng = random.Random(SEED)
    paths = (CHAT, CHAT, CHAT, "/v1/embeddings", "/v1/completions")
    statuses: dict[int, int] = {}
    open_before = descriptors(gate.worker)

    async def row() -> None:
        async with Line(gate) as line:
            sent = [request(rng.choice(paths), mangled(rng.choice(SEEDS), rng)) for _ in range(IN_ROW)]
            line.send(b"".join(sent))
            for _ in sent:
                answer = await line.reply()
                statuses[answer.status] = statuses.get(answer.status, 0) + 1
                if answer.status >= 400:
                    of(answer)
            assert await line.usable()

    async def broken() -> None:
        async with Line(gate) as line:
            line.send(mutate(rng.choice(VECTORS).raw, rng).replace(b"/v1/x", b"/v1/models"))
            line.writer.write_eof()
            said = await line.rest()
            assert not said or said.startswith(b"HTTP/1.1 ")

    async def several(what: Callable[[], Any], count: int) -> None:
        for _ in range(count):
            await what()

    await asyncio.gather(
        *(several(row, FUZZED // IN_ROW // 5) for _ in range(5)), *(several(broken, HEADS // 10) for _ in range(10))
    )
    assert sum(statuses.values()) == FUZZED
    assert statuses[400] > FUZZED // 3
    assert statuses[200] > 100
    assert set(statuses) <= {200, 400, 404, 413}
    await until(lambda: all(call["end"] != "open" for call in twin.calls()), "the provider's calls to end")
    await until(lambda: descriptors(gate.worker) <= open_before + 30, "connections to be closed")


def descriptors(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))
