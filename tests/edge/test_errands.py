"""What is asked of patient work goes to the desk and comes back, as it comes."""

import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from tests.edge.cached import Quiet
from tests.edge.desk import Asked, Gate, fine, request
from tests.edge.known import digest
from tests.wire.app import until
from tidegate.cache.answers import Answers
from tidegate.cache.memory import Memory
from tidegate.edge.access.principals import Clients
from tidegate.edge.caching.cache import Cache
from tidegate.edge.caching.hits import HitLog
from tidegate.edge.errands import GRACE_US, LATE_US, PAUSE_US, SOON_US, Errands
from tidegate.model.snapshot import (
    Allowance,
    CacheSettings,
    Caching,
    ClientKey,
    Namespace,
    Snapshot,
    User,
)
from tidegate.policy.caching.purges import Purges
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

CHAT = "/v1/chat/completions"
BODY = {"model": "s", "messages": [{"role": "user", "content": "hello"}]}
ASYNC: dict[str, Any] = {"primary_model": "a", "execution_mode": "async", "queue_backend": "redis://r"}
PIECE = b"x" * 65_536
MIB = 1 << 20

Open = Callable[..., Awaitable[Gate]]


@pytest.fixture
async def gates() -> AsyncIterator[Open]:
    opened: list[Gate] = []

    async def make(clients: Clients | None = None, **strategy: Any) -> Gate:
        opened.append(Gate(Path(folder), clients, **strategy))
        await opened[-1].open()
        return opened[-1]

    with tempfile.TemporaryDirectory() as folder:  # a socket's path is short
        yield make
        for gate in opened:
            await gate.close()


@pytest.fixture
async def gate(gates: Open) -> Gate:
    return await gates(**ASYNC)


def keys(*named: ClientKey, **namespace: Any) -> Clients:
    spaces = (Namespace("acme", clients=named, **namespace),)
    return Clients(Snapshot(version=1, providers=(), namespaces=spaces))


def key(name: str, **more: Any) -> ClientKey:
    return ClientKey(name, digest(name), **more)


# ── the desk's own API ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_asks_and_what(gates: Open) -> None:
    """Path, query, body and header lines as the client sent them, without its key, and who the worker says it is."""
    gate = await gates(keys(key("ann", user="u", models=("gpt-*", "s")), users=(User("u"),)))
    reply = await gate.ask(
        "/v1/jobs?limit=2&x=%2f",
        {"path": CHAT},
        authorization="Bearer ann",
        idempotency_key="k",
        prefer="respond-async, wait=5",
        anthropic_version="2023-06-01",
        x_tidegate_tag="night",
        x_tidegate_caller="forged",
        x_tidegate_hold="forged",
        x_tidegate_cache="bypass",
        x_forwarded_for="1.2.3.4",
        x_mine="1",
        connection="keep-alive, x-hop",
        x_hop="1",
    )
    (asked,) = gate.desk.asked
    assert (reply.status, reply.body) == (200, b"{}")
    assert asked.line == b"POST /v1/jobs?limit=2&x=%2f HTTP/1.1"
    assert json.loads(asked.body) == {"path": CHAT}
    who = {"client": "ann", "namespace": "acme", "user": "u", "tag": "night", "models": ["gpt-*", "s"]}
    assert asked.told("x-tidegate-caller") == who
    assert not asked.repeated
    told = {name.decode(): value.decode() for name, value in asked.headers.items()}
    told.pop("x-tidegate-caller")
    assert told == {
        "host": "gate.example",
        "idempotency-key": "k",
        "prefer": "respond-async, wait=5",
        "anthropic-version": "2023-06-01",
        "x-tidegate-cache": "bypass",
        "x-mine": "1",
        "transfer-encoding": "chunked",
    }
    assert gate.play.recorder.facts == []


async def test_an_open_gate_has_nobody_to_name(gate: Gate) -> None:
    """And no bound of models."""
    await gate.ask("/v1/batches", method="GET")
    who = gate.desk.asked[0].told("x-tidegate-caller")
    assert who == {"client": "", "namespace": "", "user": "", "tag": "", "models": None}


@pytest.mark.parametrize(
    "path",
    ["/v1/jobs", "/v1/jobs/job_1/events", "/v1/files", "/v1/Files/f", "/v1/batches/b/cancel", "/v1/messages/batches/x"],
)
async def test_paths_of_the_desk(gate: Gate, path: str) -> None:
    """Whatever the method and the case: no provider sees them."""
    for method in ("GET", "DELETE"):
        assert (await gate.ask(path, method=method)).status == 200
        assert gate.desk.asked[-1].line == f"{method} {path} HTTP/1.1".encode()
    assert not gate.sent


@pytest.mark.parametrize("path", ["/v1/filesystem", "/v1/jobsite", "/v1/uploads", "/v1/messages/batch"])
async def test_paths_of_providers(gate: Gate, path: str) -> None:
    """Everything else goes where it has always gone."""
    asking = asyncio.ensure_future(gate.ask(path, {}))
    await until(lambda: bool(gate.sent))
    await gate.play.provider("openai", Reply(200, [], b"{}"))
    assert (await asking).status == 200
    assert not gate.desk.asked


async def test_without_patient_work_they_are_a_providers(gate: Gate) -> None:
    """As they have always been."""
    gate.runtime.tickets = None
    asking = asyncio.ensure_future(gate.ask("/v1/files", method="GET"))
    await until(lambda: bool(gate.sent))
    await gate.play.provider("openai", Reply(200, [], b"{}"))
    assert (await asking).status == 200
    assert not gate.desk.asked


async def test_owners_are_the_desks_business(gates: Open) -> None:
    """A namespace that may not see what providers keep, and a key for certain models, may have jobs and files."""
    gate = await gates(keys(key("ann", models=("a",)), stored=False))
    assert (await gate.ask("/v1/files", method="GET", authorization="Bearer ann")).status == 200
    gate.runtime.tickets = None
    assert (await gate.ask("/v1/files", method="GET", authorization="Bearer ann")).status == 403


async def test_who_shows_no_key_is_not_passed_on(gates: Open) -> None:
    """401 in the words of the path's maker; a revoked key between two requests is one."""
    gate = await gates(keys(key("ann")))
    assert (await gate.ask("/v1/jobs", method="GET")).status == 401
    reply = await gate.ask("/v1/messages/batches", {}, x_api_key="nobody")
    assert (reply.status, json.loads(reply.body)["type"]) == (401, "error")
    assert not gate.desk.asked


async def test_every_request_of_a_connection_is_looked_at(gate: Gate) -> None:
    """Heads that are alike are no reason to take one for the other."""
    client = await gate.client()
    for _ in range(3):
        assert (await client.ask(request("/v1/jobs", method="GET"))).status == 200
    assert len(gate.desk.asked) == 3


async def test_a_bad_tag_is_refused(gate: Gate) -> None:
    """As for any call."""
    assert (await gate.ask("/v1/jobs", {}, x_tidegate_tag="a b\tc;" + "x" * 500)).status == 400


async def test_refusals_of_the_desk_are_told_as_they_are(gate: Gate) -> None:
    """With what it says beside them, and the request's name."""

    async def refuse(asked: Asked) -> None:
        await asked.read()
        head = b"content-type: application/json\r\nretry-after: 3\r\nx-tidegate-job: job_1\r\ndate: never\r\n"
        asked.writer.write(b"HTTP/1.1 409 Conflict\r\n%bcontent-length: 3\r\n\r\n{1}" % head)

    gate.desk.script = refuse
    reply = await gate.ask("/v1/jobs", {}, x_request_id="mine")
    assert (reply.status, reply.body) == (409, b"{1}")
    assert (reply.headers[b"retry-after"], reply.headers[b"x-tidegate-job"]) == (b"3", b"job_1")
    assert reply.headers[b"x-request-id"] == reply.headers[b"request-id"] == b"mine"
    assert reply.headers[b"date"] != b"never"


# ── streams, both ways ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_upload_waits_for_the_desk(gate: Gate) -> None:
    """What the desk has not read stays with the client but for a little; then every byte of it is there, in order."""
    begin = asyncio.Event()
    got = sha256()

    async def slow(asked: Asked) -> None:
        await begin.wait()
        while piece := await asked.chunk():
            got.update(piece)
        asked.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkept")

    gate.desk.script = slow
    client = await gate.client()
    size = 64 * MIB
    client.send(request("/v1/files", method="POST", content_length=str(size)))
    sent, expected = 0, sha256()
    while sent < size and client.writer.transport.get_write_buffer_size() < MIB:
        piece = sent.to_bytes(8, "big") * (len(PIECE) // 8)
        client.send(piece)
        expected.update(piece)
        sent += len(piece)
        await settle()
    assert sent < 16 * MIB  # sockets' buffers, and 64 KiB here and there
    begin.set()
    while sent < size:
        client.send(PIECE)
        expected.update(PIECE)
        sent += len(PIECE)
        await client.writer.drain()
    reply = await client.reply()
    assert (reply.status, reply.body) == (200, b"kept")
    assert got.digest() == expected.digest()


async def test_a_download_waits_for_the_client(gate: Gate) -> None:
    """The same the other way."""
    written = 0

    async def long(asked: Asked) -> None:
        nonlocal written
        asked.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % (64 * MIB))
        while written < 64 * MIB:
            asked.writer.write(PIECE)
            written += len(PIECE)
            await asked.writer.drain()

    gate.desk.script = long
    client = await gate.client()
    client.send(request("/v1/files/f/content", method="GET"))
    before = -1
    while written != before:
        before = written
        await asyncio.sleep(0.05)
    assert written < 16 * MIB
    await client.reader.readuntil(b"\r\n\r\n")
    got = 0
    while got < 64 * MIB:
        size = int(await client.reader.readuntil(b"\r\n"), 16)
        await client.reader.readexactly(size + 2)
        got += size
    assert got == written == 64 * MIB


async def test_events_arrive_as_they_are_sent(gate: Gate) -> None:
    """One by one."""
    more = asyncio.Event()

    async def events(asked: Asked) -> None:
        asked.writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for number in range(3):
            asked.writer.write(b"8\r\ndata: %d\n\r\n" % number)
            await more.wait()
            more.clear()
        asked.writer.write(b"0\r\n\r\n")

    gate.desk.script = events
    client = await gate.client()
    client.send(request("/v1/jobs/job_1/events", method="GET"))
    data = b""
    for number in range(3):
        while b"data: %d\n" % number not in data:
            data += await client.reader.read(1_000)
        assert b"data: %d\n" % (number + 1) not in data
        more.set()
    await client.reader.readuntil(b"0\r\n\r\n")
    gate.desk.script = fine
    assert (await client.ask(request("/v1/jobs", method="GET"))).status == 200


async def test_a_reply_that_breaks_off_is_no_whole_one(gate: Gate) -> None:
    """The client's connection is cut."""

    async def half(asked: Asked) -> None:
        asked.writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf")
        await asked.writer.drain()
        await until(lambda: cut)
        asked.writer.transport.abort()

    cut = False
    gate.desk.script = half
    client = await gate.client()
    client.send(request("/v1/files/f/content", method="GET"))
    assert b"half" in await client.reader.readuntil(b"half")
    cut = True
    assert b"0\r\n\r\n" not in await client.rest()


async def test_who_leaves_is_not_waited_for(gate: Gate) -> None:
    """The desk's side is closed, before the reply and in the middle of it."""

    async def never(asked: Asked) -> None:
        await asked.reader.read()

    async def forever(asked: Asked) -> None:
        asked.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n")
        await asked.reader.read()

    for number, script in enumerate((never, forever), 1):
        gate.desk.script = script
        client = await gate.client()
        client.send(request("/v1/jobs/job_1/events", method="GET"))
        await until(lambda number=number: len(gate.desk.asked) == number)
        if script is forever:
            await client.reader.readuntil(b"1\r\nx\r\n")
        client.abort()
        await until(lambda number=number: gate.desk.ended == number)


# ── a desk that is away ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_desk_that_is_away(gate: Gate) -> None:
    """503 at once, in the maker's words; it is counted, and calls go on."""
    gate.desk.die()
    reply = await gate.ask("/v1/jobs", method="GET")
    assert (reply.status, reply.headers[b"x-should-retry"]) == (503, b"true")
    message = json.loads(reply.body)["error"]["message"]
    assert "is away" in message
    assert "answered at once are not affected" in message
    reply = await gate.ask("/v1/messages/batches", {})
    assert (reply.status, json.loads(reply.body)["type"]) == (503, "error")
    assert gate.play.recorder.refusals == [("", "jobs_away")] * 2
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY | {"model": "a"}, x_tidegate_job_ticket=gate.ticket()))
    await until(lambda: bool(gate.sent))
    await settle()
    await gate.play.provider("openai", Reply(200, [], answer()))
    assert (await asking).status == 200


@pytest.mark.parametrize(("method", "again"), [("GET", b"true"), ("DELETE", b"true"), ("POST", b"false")])
async def test_a_desk_that_dies_before_it_answers(gate: Gate, method: str, again: bytes) -> None:
    """What may have been done is not called to be tried again."""

    async def die(asked: Asked) -> None:
        gate.desk.die()

    gate.desk.script = die
    reply = await gate.ask("/v1/jobs/job_1", method=method)
    assert (reply.status, reply.headers[b"x-should-retry"]) == (503, again)
    assert ("may have taken" in json.loads(reply.body)["error"]["message"]) == (method == "POST")


async def test_a_desk_that_hangs(gate: Gate) -> None:
    """Is away when it has said nothing for 45 s; where it was asked to wait, it has longer."""

    async def never(asked: Asked) -> None:
        await asked.reader.read()

    gate.desk.script = never
    asking = [asyncio.ensure_future(gate.ask(path, method="GET")) for path in ("/v1/jobs", "/v1/jobs/j/result?wait=60")]
    await until(lambda: len(gate.desk.asked) == 2)
    await gate.play.clock.advance(46 * SECOND)
    assert (await asking[0]).status == 503
    assert not asking[1].done()
    asking[1].cancel()


# ── calls that become jobs ───────────────────────────────────────────────────────────────────────────────────────────


async def test_a_call_is_handed_over(gate: Gate) -> None:
    """With its strategy, what carries it, how long its client waits and whether it streams; nothing is charged here."""
    reply = await gate.ask(
        CHAT + "?x=1", BODY | {"stream": True}, x_tidegate_deadline_ms="2500", x_tidegate_session="z"
    )
    (asked,) = gate.desk.asked
    assert (reply.status, reply.body) == (200, b"{}")
    assert asked.line == b"POST /v1/chat/completions?x=1 HTTP/1.1"
    assert json.loads(asked.body) == BODY | {"stream": True}
    hold = {"strategy": "s", "backend": "redis://r", "deadline_ms": 2_500, "stream": True}
    assert asked.told("x-tidegate-hold") == hold
    assert asked.headers[b"idempotency-key"].startswith(b"gate-req_")
    assert asked.headers[b"x-tidegate-session"] == b"z"
    assert gate.play.recorder.facts == []
    assert gate.gateway.open == 0


async def test_its_own_deadline_and_key(gates: Open) -> None:
    """The plan's deadline where it states none; its own Idempotency-Key goes with it, and is no business of ours."""
    gate = await gates(**ASYNC, deadline_us=7 * SECOND)
    for _ in range(2):
        assert (await gate.ask(CHAT, BODY, idempotency_key="k")).status == 200
    assert [asked.headers[b"idempotency-key"] for asked in gate.desk.asked] == [b"k", b"k"]
    assert gate.desk.asked[0].told("x-tidegate-hold")["deadline_ms"] == 7_000


@pytest.mark.parametrize(
    "preference", ["respond-async", "wait=10, Respond-Async;foo", "handling=lenient,respond-async"]
)
async def test_who_would_rather_come_back(gates: Open, preference: str) -> None:
    """RFC 7240: also of a strategy whose calls are answered at once."""
    gate = await gates()
    assert (await gate.ask(CHAT, BODY | {"model": "a"}, prefer=preference)).status == 200
    (asked,) = gate.desk.asked
    assert asked.headers[b"prefer"] == preference.encode()
    assert asked.told("x-tidegate-hold")["strategy"] == "a"
    assert asked.told("x-tidegate-hold")["backend"] == ""


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        (CHAT, BODY, {"x_tidegate_job_ticket": ""}),
        ("/v1/messages/count_tokens", BODY, {"prefer": "respond-async"}),
        ("/v1/audio/speech", BODY, {"prefer": "respond-async"}),
    ],
    ids=["a job's own", "counting", "forwarded"],
)
async def test_what_is_answered_at_once(gate: Gate, path: str, body: Any, headers: dict[str, str]) -> None:
    """Calls of jobs, of tokens to be counted, and what is forwarded as it is."""
    if "x_tidegate_job_ticket" in headers:
        headers = {"x_tidegate_job_ticket": gate.ticket(), "prefer": "respond-async"}
    asking = asyncio.ensure_future(gate.ask(path, body, **headers))
    await until(lambda: asking.done() or bool(gate.sent))
    if not asking.done():
        await settle()
        await gate.play.provider("openai", Reply(200, [], answer()))
    assert (await asking).status == 200
    assert not gate.desk.asked


async def test_a_strategy_that_is_not_asynchronous(gates: Open) -> None:
    """Answers at once, whatever else its clients prefer."""
    gate = await gates(primary_model="a")
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY, prefer="wait=5, respond-asynchronously"))
    await until(lambda: bool(gate.sent))
    await settle()
    await gate.play.provider("openai", Reply(200, [], answer()))
    assert (await asking).status == 200
    assert not gate.desk.asked


async def test_without_patient_work_calls_are_made_at_once(gate: Gate) -> None:
    """A preference is none of ours then."""
    gate.runtime.tickets = None
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY, prefer="respond-async"))
    await until(lambda: bool(gate.sent))
    await settle()
    await gate.play.provider("openai", Reply(200, [], answer()))
    assert (await asking).status == 200


async def test_what_cannot_be_a_call_is_no_job(gates: Open) -> None:
    """Bad bodies, models that nobody serves, models that the key may not use."""
    gate = await gates(keys(key("ann", models=("a",))), **ASYNC)
    by = {"authorization": "Bearer ann"}
    assert (await gate.ask(CHAT, b"{", **by)).status == 400
    assert (await gate.ask(CHAT, BODY, **by)).status == 403
    assert (await gate.ask(CHAT, BODY)).status == 401
    assert not gate.desk.asked


async def test_it_is_handed_to_the_next_desk(gate: Gate) -> None:
    """Under the same key, with the time that is left, and its client notices nothing."""

    async def replayed(asked: Asked) -> None:
        await asked.read()
        asked.writer.write(b"HTTP/1.1 200 OK\r\nidempotent-replayed: true\r\nx-request-id: req_1\r\n")
        asked.writer.write(b"content-length: 4\r\n\r\ndone")

    async def die(asked: Asked) -> None:
        await asked.read()
        gate.desk.die()

    gate.desk.script = die
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY, x_tidegate_deadline_ms="10000"))
    await until(lambda: len(gate.desk.asked) == 1)
    gate.desk.script = replayed
    for _ in range(5):
        await gate.play.clock.advance(PAUSE_US)
    await gate.desk.open()
    while not asking.done():
        await gate.play.clock.advance(PAUSE_US)
    reply = await asking
    first, second = gate.desk.asked
    assert (reply.status, reply.body, reply.headers[b"x-request-id"]) == (200, b"done", b"req_1")
    assert b"idempotent-replayed" not in reply.headers
    assert first.headers[b"idempotency-key"] == second.headers[b"idempotency-key"]
    assert first.body == second.body
    assert second.told("x-tidegate-hold")["deadline_ms"] <= 9_000


@pytest.mark.parametrize(("sent", "limit", "again"), [(False, SOON_US, b"true"), (True, LATE_US, b"false")])
async def test_no_desk_comes(gate: Gate, sent: bool, limit: int, again: bytes) -> None:
    """The client is told after a while, sooner where nobody can have its call, and long before its deadline."""

    async def die(asked: Asked) -> None:
        gate.desk.die()

    gate.desk.script = die
    if not sent:
        gate.desk.die()
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY))
    began, waited = gate.play.clock.now(), 0
    while not asking.done():
        await gate.play.clock.advance(PAUSE_US)
        waited = gate.play.clock.now() - began
    reply = await asking
    assert (reply.status, reply.headers[b"x-should-retry"]) == (503, again)
    assert waited >= limit
    assert gate.play.recorder.refusals == [("s", "jobs_away")]


async def test_a_hung_desk_costs_no_more_than_the_deadline(gate: Gate) -> None:
    """And the time in which the desk itself would have told it."""

    async def never(asked: Asked) -> None:
        await asked.reader.read()

    gate.desk.script = never
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY, x_tidegate_deadline_ms="60000"))
    await until(lambda: len(gate.desk.asked) == 1)
    await gate.play.clock.advance(60 * SECOND)
    assert not asking.done()
    await gate.play.clock.advance(GRACE_US + SECOND)
    assert (await asking).status == 503


async def test_the_client_leaves_and_the_desk_hears_of_it(gate: Gate) -> None:
    """By its connection, whether it was reached already or not."""

    async def never(asked: Asked) -> None:
        await asked.read()
        await asked.reader.read()

    gate.desk.script = never
    client = await gate.client()
    client.send(request(CHAT, BODY))
    await until(lambda: len(gate.desk.asked) == 1)
    client.abort()
    await until(lambda: gate.desk.ended == 1)
    gate.desk.die()
    client = await gate.client()
    client.send(request(CHAT, BODY))
    errands = gate.gateway.pipeline.jobs
    assert isinstance(errands, Errands)
    await until(lambda: bool(errands._tasks))
    client.abort()
    await until(lambda: not errands._tasks)
    assert gate.play.recorder.refusals == []


async def test_nothing_is_left_of_an_errand(gate: Gate) -> None:
    """Neither a task nor an exchange that holds on to it."""
    for _ in range(3):
        await gate.ask("/v1/jobs", method="GET")
        await gate.ask(CHAT, BODY)
    errands = gate.gateway.pipeline.jobs
    assert isinstance(errands, Errands)
    assert not errands._tasks
    assert gate.ways.prompt.statistics().connections == gate.ways.waiting.statistics().connections == 1


# ── answers that are known ───────────────────────────────────────────────────────────────────────────────────────────


def keep(gate: Gate) -> Cache:
    """From now on it keeps answers."""
    clock, recorder, gateway = gate.play.clock, gate.play.recorder, gate.gateway
    answers = Answers(Memory(1 << 20), [], CacheSettings(), Purges(), clock, Quiet())  # type: ignore[arg-type]
    cache = Cache(answers, gateway.replies, clock, HitLog(clock, recorder), gateway.pipeline.resume)
    gateway.pipeline.cache = cache
    return cache


async def run(gate: Gate, **headers: str) -> None:
    """As a runner does: the call of a job, made and kept."""
    asking = asyncio.ensure_future(gate.ask(CHAT, BODY, x_tidegate_job_ticket=gate.ticket(**headers)))
    before = gate.sent
    await until(lambda: gate.sent > before)
    await gate.play.provider("openai", Reply(200, [], answer()))
    assert (await asking).status == 200


async def test_a_known_answer_needs_no_job(gates: Open) -> None:
    """The call is answered at once, also in words that were not asked before; what is not known becomes a job."""
    gate = await gates(**ASYNC, caching=Caching(enabled=True, ttl_seconds=60))
    keep(gate)
    await run(gate)
    for body in (BODY, json.dumps(BODY, indent=1).encode()):
        reply = await gate.ask(CHAT, body)
        assert (reply.status, reply.headers[b"x-tidegate-cache"]) == (200, b"hit")
    assert not gate.desk.asked
    await gate.ask(CHAT, BODY | {"seed": 1})
    await gate.ask(CHAT, BODY, x_tidegate_cache="refresh")
    await gate.ask(CHAT, BODY, idempotency_key="k")
    assert len(gate.desk.asked) == 3
    assert gate.gateway.open == 0


@pytest.mark.parametrize(("rpm", "handed"), [(0, 0), (100, 1)])
async def test_a_known_answer_that_costs_is_charged_to_its_job(gates: Open, rpm: int, handed: int) -> None:
    """Where hits are charged and its tenant has limits: the run is what they are asked for."""
    spaces = (Namespace("acme", clients=(key("ann"),), allowance=Allowance(rpm=rpm)),)
    limiting = partial(Accounts(lambda _: UTC).limits_of, wall=0)
    clients = Clients(Snapshot(version=1, providers=(), namespaces=spaces), limiting=limiting)
    gate = await gates(clients, **ASYNC, caching=Caching(enabled=True, ttl_seconds=60, charge="full"))
    keep(gate)
    await run(gate, client="ann", namespace="acme")
    assert (await gate.ask(CHAT, BODY, authorization="Bearer ann")).status == 200
    assert len(gate.desk.asked) == handed
