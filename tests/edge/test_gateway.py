"""The data port's handler, without sockets: who is answered what, and what is recorded."""

import asyncio
import json
from typing import Any

import pytest

from tests.edge.known import known
from tests.line.scenes import (
    DONE,
    Client,
    chunk,
    loyal_play,
    play_of,
    provider,
    refusal,
    said,
    spend,
    streaming,
    usage_chunk,
)
from tidegate.edge.access.memo import HeadMemo
from tidegate.edge.gateway import Gateway, Runtime
from tidegate.model.facts import BROKEN, LEFT, Fact
from tidegate.model.snapshot import Limits
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.wire.exchange import BUFFER, STREAM, Exchange, Likeness

CHAT = b"/v1/chat/completions"
BODY = {"model": "a", "messages": [{"role": "user", "content": "hello"}]}


class Wire(Client):
    """The wire's side of one exchange: what the client gets."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 0
        self.fields: dict[bytes, bytes] = {}
        self.transport: Any = self

    def respond(self, _exchange: Exchange, status: int, head: bytes, body: bytes) -> None:
        self.begin(_exchange, status, head)
        self.body = body
        self.ended = True

    def begin(self, _exchange: Exchange, status: int, head: bytes) -> int:
        assert head.endswith(b"\r\n")
        self.status = status
        self.fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[:-1])
        return 2  # until close: bytes as they are

    def finished(self, _exchange: Exchange) -> None:
        self.ended = True

    def cut(self, _exchange: Exchange) -> None:
        self.aborted = True

    @property
    def error(self) -> Any:
        return json.loads(self.body)["error"]


class Door:
    """A gateway in front of a playbook's line."""

    def __init__(self, play: Playbook | None = None, names: dict[str, str] | None = None) -> None:
        self.play = play or play_of()
        runtime = Runtime(self.play.book, known(names))
        self.gateway = Gateway(runtime, self.play.line, self.play.clock, self.play.recorder, self.play.recorder)

    def ask(
        self,
        path: bytes = CHAT,
        body: object = None,
        method: bytes = b"POST",
        alike: Likeness | None = None,
        peer: str = "",
        **headers: bytes,
    ) -> "Asked":
        fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
        wire: Any = Wire()
        path, _, query = path.partition(b"?")
        exchange = Exchange(wire, method, path, path, query, list(fields.items()), fields, peer, alike)
        exchange.body = body if isinstance(body, bytes) else json.dumps({**BODY, **(body or {})}).encode()  # type: ignore[dict-item]
        intake = self.gateway.head(exchange)
        if not exchange.replied:
            self.gateway.call(exchange)
        return Asked(exchange, wire, intake)

    @property
    def records(self) -> list[Any]:
        return self.play.recorder.records


class Asked:
    """One request, and what came of it."""

    def __init__(self, exchange: Exchange, wire: Wire, intake: object) -> None:
        self.exchange = exchange
        self.wire = wire
        self.intake = intake

    def leave(self) -> None:
        self.exchange.connection = None
        if self.exchange.on_gone is not None:
            self.exchange.on_gone()


@pytest.fixture
async def door() -> Door:
    return Door()


@pytest.mark.parametrize("wanted", [True, False])
async def test_a_session_stays_with_one_scope(wanted: bool) -> None:
    """Whatever its calls say, when their pool picks by affinity; where none does, nothing is read."""
    door = Door(loyal_play() if wanted else play_of())
    plan = door.play.book.plan("a")
    assert plan is not None
    assert plan.loyal is wanted
    targets = set()
    for number in range(8):
        body = {"messages": [{"role": "user", "content": f"question {number}"}]}
        asked = door.ask(body=body, x_tidegate_session=b"s")
        await settle()
        assert b"x-tidegate-session" not in door.play.sent("openai")[-1].head
        await door.play.provider("openai", Reply(200, [], answer()))
        targets.add(asked.wire.fields[b"x-tidegate-target"])
    assert len(targets) == 1


# ── what needs no call ───────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_gates_own_pages(door: Door) -> None:
    """Its models, its health; draining it is alive and not ready."""
    assert json.loads(door.ask(b"/v1/models", method=b"GET").wire.body)["object"] == "list"
    assert door.ask(b"/healthz", method=b"GET").wire.status == 200
    assert door.ask(b"/readyz", method=b"GET").wire.status == 200
    door.gateway.draining = True
    assert door.ask(b"/readyz", method=b"GET").wire.status == 503
    assert door.ask(b"/healthz", method=b"GET").wire.status == 200


@pytest.mark.parametrize(
    ("path", "method", "status", "code"),
    [
        (b"/nowhere", b"GET", 404, "unknown_url"),
        (b"/v1/realtime", b"GET", 501, "unsupported"),
        (CHAT, b"GET", 405, "method_not_supported"),
        (CHAT, b"DELETE", 405, "method_not_supported"),
        (b"/v1/models", b"POST", 405, "method_not_supported"),
    ],
)
async def test_what_is_refused_by_its_head(door: Door, path: bytes, method: bytes, status: int, code: str) -> None:
    """Before the body is read; nothing is recorded, every refusal has an id of its own."""
    first, second = door.ask(path, method=method).wire, door.ask(path, method=method).wire
    assert (first.status, first.error["code"]) == (status, code)
    assert first.fields[b"x-request-id"] != second.fields[b"x-request-id"]
    assert door.records == []


async def test_only_who_has_a_key() -> None:
    """Health alone is open."""
    door = Door(names={"k1": "team"})
    assert door.ask().wire.status == 401
    assert door.ask(b"/v1/models", method=b"GET").wire.status == 401
    assert door.ask(b"/v1/files", method=b"GET").wire.status == 401
    assert door.ask(b"/healthz", method=b"GET").wire.status == 200
    asked = door.ask(authorization=b"Bearer k1")
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.status == 200
    assert door.records[0].client == "team"


@pytest.mark.parametrize(
    ("path", "method", "intake"),
    [(CHAT, b"POST", BUFFER), (b"/v1/files", b"POST", STREAM), (b"/v1/files", b"GET", STREAM), (b"/x", b"GET", BUFFER)],
)
async def test_how_a_body_is_taken_in(door: Door, path: bytes, method: bytes, intake: object) -> None:
    """Whole where it is read, as it arrives where it is forwarded."""
    asked = door.ask(path, method=method)
    assert asked.intake is intake
    await settle()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


@pytest.mark.parametrize(
    ("body", "status", "param"),
    [
        (b"{", 400, None),
        (b"[]", 400, None),
        ({"model": ""}, 400, "model"),
        ({"model": "m\r\nx: y"}, 400, "model"),
        ({"max_tokens": -1}, 400, "max_tokens"),
        ({"messages": "hello"}, 400, "messages"),
    ],
)
async def test_a_body_that_is_no_call(door: Door, body: object, status: int, param: str | None) -> None:
    """Refused in OpenAI's form, with the field; nothing is spent, nothing recorded."""
    wire = door.ask(body=body).wire
    assert (wire.status, wire.error["param"]) == (status, param)
    assert door.play.recorder.facts == []
    assert door.play.sent("openai") == []


async def test_a_model_that_nobody_serves() -> None:
    """404, with the way to find out what is served."""
    door = Door(play_of(provider("one"), provider("two")))
    wire = door.ask(body={"model": "x" * 200}).wire
    assert (wire.status, wire.error["code"], wire.error["param"]) == (404, "model_not_found", "model")
    assert "/v1/models" in wire.error["message"]


@pytest.mark.parametrize("value", [b"0", b"-5", b"soon", b"9" * 5_000])
async def test_a_deadline_that_is_none(door: Door, value: bytes) -> None:
    """Whatever is sent for one."""
    wire = door.ask(x_tidegate_deadline_ms=value).wire
    assert (wire.status, wire.error["param"]) == (400, "x-tidegate-deadline-ms")


# ── calls ────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_and_its_record(door: Door) -> None:
    """Byte for byte, with what the gate tells; one intent, one record."""
    asked = door.ask()
    await settle()
    headers = [(b"content-type", b"application/json"), (b"x-request-id", b"req_theirs"), (b"set-cookie", b"a=b")]
    await door.play.provider("openai", Reply(200, headers, answer(10, 5)))
    wire = asked.wire
    assert (wire.status, wire.body) == (200, answer(10, 5))
    assert wire.fields[b"x-tidegate-target"] == b"openai/main/a"
    assert wire.fields[b"x-tidegate-attempts"] == b"openai/main/a 200"
    assert wire.fields[b"x-tidegate-upstream-request-id"] == b"req_theirs"
    assert wire.fields[b"x-ratelimit-limit-tokens"] == b"60000"
    assert b"set-cookie" not in wire.fields
    [record] = door.records
    assert (record.status, record.target, record.model, record.attempts) == (200, "openai/main/a", "a", 1)
    assert (record.prompt_tokens, record.completion_tokens, record.estimated) == (10, 5, False)
    assert [type(fact).__name__ for fact in door.play.recorder.facts] == ["Intent", "CallRecord"]


async def test_a_refusal_of_the_gate(door: Door) -> None:
    """With the true time, and recorded like every call."""
    spend(door.play, 60_000)
    wire = door.ask(body={"max_tokens": 5_000}, x_tidegate_deadline_ms=b"1000").wire
    await settle()
    assert (wire.status, wire.error["code"]) == (429, "rate_limit_exceeded")
    assert wire.fields[b"retry-after-ms"] == b"5000"
    assert wire.fields[b"x-should-retry"] == b"true"
    assert [record.status for record in door.records] == [429]
    assert door.play.recorder.refusals == [("a", "over_quota")]


async def test_the_providers_last_word(door: Door) -> None:
    """Its status and body, the attempts, and no promise that is not true."""
    asked = door.ask()
    await settle()
    await door.play.provider("openai", refusal(429, "insufficient_quota", after=5))
    wire = asked.wire
    assert (wire.status, wire.error["code"]) == (429, "insufficient_quota")
    assert wire.fields[b"x-should-retry"] == b"false"
    assert b"retry-after" not in wire.fields
    assert wire.fields[b"x-tidegate-attempts"] == b"openai/main/a 429 billing"
    assert door.records[0].target == ""


async def test_waiting_is_told(door: Door) -> None:
    """In the queue and in back-off, in the header as in the record."""
    spend(door.play, 60_000)
    asked = door.ask(body={"max_tokens": 1_000})
    await door.play.until(SECOND)
    await door.play.provider("openai", said(15))
    await door.play.until(16 * SECOND)
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.fields[b"x-tidegate-wait-ms"] == b"16000"
    [record] = door.records
    assert (record.queued_us, record.waited_us, record.attempts) == (SECOND, 15 * SECOND, 2)


@pytest.mark.parametrize("given", [b"abc123", b"550e8400-e29b-41d4-a716-446655440000", b"a.b_c:d"])
async def test_the_clients_own_id_is_kept(door: Door, given: bytes) -> None:
    """Whatever form its tokens have."""
    asked = door.ask(x_request_id=given)
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.fields[b"x-request-id"] == given


@pytest.mark.parametrize("given", [b"", b"a b", b"a\tb", b"x" * 129, b"\xff", b"--", b"<script>"])
async def test_a_strange_id_is_replaced(door: Door, given: bytes) -> None:
    """By one of ours."""
    wire = door.ask(b"/nowhere", x_request_id=given).wire
    assert wire.fields[b"x-request-id"].startswith(b"req_")


@pytest.mark.parametrize(
    ("path", "allowed"), [(CHAT, b"POST"), (b"/v1/models", b"GET, HEAD"), (b"/healthz", b"GET, HEAD")]
)
async def test_a_wrong_method_is_told_the_right_ones(door: Door, path: bytes, allowed: bytes) -> None:
    """RFC 9110, 15.5.6: a 405 has an Allow header."""
    wire = door.ask(path, method=b"DELETE").wire
    assert (wire.status, wire.fields[b"allow"]) == (405, allowed)


async def test_a_client_that_leaves_is_recorded(door: Door) -> None:
    """Before its answer: 499, and nothing more is sent to it."""
    asked = door.ask()
    await settle()
    asked.leave()
    await settle()
    assert [record.status for record in door.records] == [LEFT]
    assert door.play.transports["openai"].cancelled == 1
    assert asked.wire.status == 0


async def test_a_client_that_leaves_at_once_is_recorded(door: Door) -> None:
    """Before its call took its first step: nothing was sent for it."""
    asked = door.ask()
    asked.leave()
    await settle()
    (record,) = door.records
    assert (record.status, record.attempts, record.charged_tokens) == (LEFT, 0, 0)
    assert not asked.wire.status


# ── heads that are alike ─────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_head_like_the_last_one_is_not_read_again() -> None:
    """Who calls, its deadline and what goes on to the provider are the same."""
    door, alike = Door(names={"k": "ann"}), Likeness()
    door.ask(alike=alike, authorization=b"Bearer k", accept=b"x/y", x_tidegate_deadline_ms=b"5000")
    door.ask(alike=alike)
    await settle()
    first, again = door.play.sent("openai")
    assert first.head == again.head
    assert b"accept: x/y\r\n" in again.head
    assert first.deadline == again.deadline == door.play.clock.now() + 5 * SECOND
    assert [intent.client for intent in door.play.recorder.intents] == ["ann", "ann"]


async def test_a_key_that_is_withdrawn_ends_with_the_house() -> None:
    """Though the connection stays, and with it what was found out about its head."""
    door, alike = Door(names={"k": "ann"}), Likeness()
    door.ask(alike=alike, authorization=b"Bearer k")
    door.gateway.runtime = Runtime(door.play.book, known({"other": "bob"}))
    assert door.ask(alike=alike, authorization=b"Bearer k").wire.status == 401


async def test_a_head_that_is_refused_is_looked_at_again(door: Door) -> None:
    """Nothing is remembered of it."""
    alike = Likeness()
    assert door.ask(alike=alike, x_tidegate_deadline_ms=b"0").wire.status == 400
    assert isinstance(alike.note, HeadMemo)
    assert alike.note.caller is None


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def streamed(door: Door) -> tuple[Asked, Any]:
    asked = door.ask(body={"stream": True})
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    stream.say(chunk(), chunk("Hel"))
    await settle()
    return asked, stream


async def test_a_stream_and_its_record(door: Door) -> None:
    """The record is written before the last byte, with the real usage."""
    asked, stream = await streamed(door)
    assert asked.wire.status == 200
    assert asked.wire.body == chunk() + chunk("Hel")
    assert door.records == []
    stream.say(chunk("lo"), usage_chunk(9, 2), DONE)
    assert asked.wire.body == chunk() + chunk("Hel") + chunk("lo") + DONE
    assert asked.wire.ended
    [record] = door.records
    assert (record.status, record.streamed, record.prompt_tokens, record.completion_tokens) == (200, True, 9, 2)


@pytest.mark.parametrize(("how", "status"), [("cut", BROKEN), ("gone", LEFT)])
async def test_a_stream_that_does_not_end_well(door: Door, how: str, status: int) -> None:
    """Recorded once, as estimated; the upstream is closed for who left."""
    asked, stream = await streamed(door)
    if how == "cut":
        stream.cut()
        assert b"stream_cut" in asked.wire.body
        assert asked.wire.ended
    else:
        asked.leave()
        assert stream.aborted
    [record] = door.records
    assert (record.status, record.estimated, record.completion_tokens) == (status, True, 1)


async def test_back_pressure_reaches_the_provider(door: Door) -> None:
    """The client's pause is the upstream's."""
    asked, stream = await streamed(door)
    assert asked.exchange.on_pause is not None
    assert asked.exchange.on_resume is not None
    asked.exchange.on_pause()
    assert stream.paused
    asked.exchange.on_resume()
    assert not stream.paused


async def test_an_end_that_cannot_be_recorded_does_not_look_complete(
    door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """The disk is full when the stream ends: the client sees a cut, not [DONE] without a record."""

    class FullDisk:
        def append(self, fact: Fact) -> None:
            raise OSError(28, "No space left on device")

    asked, stream = await streamed(door)
    door.gateway.replies._journal = FullDisk()
    stream.say(DONE)
    assert asked.wire.aborted
    assert DONE not in asked.wire.body
    assert "journal" in caplog.text


# ── what is forwarded as it is ───────────────────────────────────────────────────────────────────────────────────────


async def test_other_paths_go_to_the_first_provider_or_the_named_one() -> None:
    """With their query; governed by requests."""
    door = Door(play_of(provider("one", {"*": Limits(60, 0)}), provider("two", {})))
    door.ask(b"/v1/files?limit=2", method=b"GET", body=b"")
    await settle()
    assert door.play.sent("one")[0].head.startswith(b"GET /v1/files?limit=2 HTTP/1.1\r\n")
    door.ask(b"/v1/files", method=b"GET", body=b"", x_tidegate_provider=b"two")
    await settle()
    assert len(door.play.sent("two")) == 1
    wire = door.ask(b"/v1/files", method=b"GET", body=b"", x_tidegate_provider=b"three").wire
    assert wire.status == 400
    assert "one, two" in wire.error["message"]
    assert (
        door.play.book.unrouted["one"].targets[0].pools[0].lanes[0].quota.requests[0].left(door.play.clock.now()) == 59
    )


async def test_a_reload_leaves_calls_in_flight_alone(door: Door) -> None:
    """They keep the plan they began with; the next ones have the new runtime."""
    asked = door.ask()
    await settle()
    empty = play_of(provider("other"), provider("another"))
    door.gateway.runtime = Runtime(empty.book, known())
    await door.play.provider("openai", Reply(200, [], answer()))
    assert asked.wire.status == 200
    assert door.ask(body={"model": "unheard-of"}).wire.status == 404
