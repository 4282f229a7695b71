"""One try: what is sent, what came of it, and that its slot is settled once."""

import asyncio
import json

import msgspec
import pytest

from tests.line.scenes import (
    DONE,
    EVENTS,
    MINUTE,
    PROFILE,
    Client,
    call_of,
    chunk,
    lane_alone,
    pass_through,
    refusal,
    said,
    shown,
    streaming,
    usage_chunk,
)
from tidegate.line.attempt import Answered, attempt, request_body
from tidegate.line.lane import Lane, Slot
from tidegate.line.service import Way
from tidegate.line.taps import RawTap
from tidegate.model.call import Call, Kind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure
from tidegate.model.snapshot import Limits, RefusalRule
from tidegate.providers.dialects import CODECS
from tidegate.providers.openai.stream import StreamTap
from tidegate.providers.translate.table import crossing
from tidegate.testing import ManualClock, Reply, ScriptedTransport
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

CHAT = Way(CODECS[Kind.CHAT])
QUOTA = 10_000
SPENT = 6_000  # so that corrections are given back whole


class Try:
    """One attempt at a lane whose quota is in use, and what is left of it afterwards."""

    def __init__(self, call: Call, *, crossed: bool = False, **profile: object) -> None:
        self.clock = ManualClock()
        self.lane: Lane = lane_alone(self.clock, Limits(60, QUOTA), msgspec.structs.replace(PROFILE, **profile))
        transport = self.lane.service.transport
        assert isinstance(transport, ScriptedTransport)
        self.transport = transport
        self.lane.quota.tokens[0].take(SPENT, self.clock.now())
        call.deadline = self.clock.now() + MINUTE
        self.call = call
        self.reserved = self.lane.reserve(call)
        permit = pass_through(self.lane, self.clock, self.reserved)
        assert permit is not None
        self.slot: Slot = self.lane.slot(permit, None, self.clock.now())
        self.judged: list[tuple[Failure, int]] = []  # and what was charged then
        put = self.lane.service.ways[call.kind].put(call, "a", 0) if crossed else None
        self.task = asyncio.get_running_loop().create_task(
            attempt(call, self.slot, b"sk-1", put, self.clock, self.judge)
        )

    def judge(self, call: Call, slot: Slot, failure: Failure, key: bytes) -> None:
        assert (call, slot, key) == (self.call, self.slot, b"sk-1")
        self.judged.append((failure, self.charged))

    async def reply(self, reply: Reply) -> Answered | Failure:
        await settle()
        self.transport.answer(reply)
        return await self.task

    async def fail(self, *, sent: bool) -> Failure:
        await settle()
        self.transport.fail("broken", sent=sent)
        outcome = await self.task
        assert isinstance(outcome, Failure)
        return outcome

    @property
    def charged(self) -> int:
        """Tokens that this attempt costs, as the mirror stands."""
        return QUOTA - SPENT - self.lane.quota.tokens[0].left(self.clock.now())

    @property
    def requests(self) -> int:
        return 60 - self.lane.quota.requests[0].left(self.clock.now())


# ── what is sent ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_head() -> None:
    """Method, the provider's path and host, the scope's credential, and the client's own headers."""
    clock = ManualClock()
    lane = lane_alone(clock, Limits())
    call = call_of()
    head = lane.service.head(call, lane.service.ways[call.kind], "a", b"sk-1")
    assert head == (
        b"POST /v1/chat/completions HTTP/1.1\r\nhost: openai.test\r\nauthorization: Bearer sk-1\r\nx-a: b\r\n"
    )


def test_the_clients_bytes_are_sent_whenever_nothing_has_to_change() -> None:
    """The very object: nothing is copied."""
    call = call_of()
    assert request_body(call, CHAT, "a", None) is call.body
    asked = call_of(stream=True, stream_options={"include_usage": True})
    assert request_body(asked, CHAT, "a", None) is asked.body


def test_another_model_and_the_usage_are_asked_for() -> None:
    """Where the target differs, and where the client did not ask for usage in its stream."""
    body = json.loads(request_body(call_of(stream=True), CHAT, "b", None))
    assert body["model"] == "b"
    assert body["stream_options"] == {"include_usage": True}
    assert "stream_options" not in json.loads(request_body(call_of(), CHAT, "b", None))


def test_fewer_tokens_leave_room_for_less_thought() -> None:
    """Also where the thought came of a translation: the provider would refuse a budget beyond the limit."""
    way = Way(CODECS[Kind.MESSAGES], crossing(Kind.CHAT, Kind.MESSAGES))
    call = call_of(max_tokens=16_000, reasoning_effort="high")
    crossed = way.put(call, "claude-sonnet-4-5", 1)
    assert json.loads(request_body(call, way, "claude-sonnet-4-5", crossed))["thinking"]["budget_tokens"] > 1_024
    call.clamp = 1_024
    body = json.loads(request_body(call, way, "claude-sonnet-4-5", crossed))
    assert (body["max_tokens"], body.get("thinking")) == (1_024, None)


async def test_what_is_forwarded_as_it_is_stays_as_it_is() -> None:
    """Whatever it contains."""
    call = call_of(kind=Kind.PASS)
    call.body = b'{"model":"x","stream":true}'
    one = Try(call)
    await settle()
    assert one.transport.sent[0].body is call.body
    one.task.cancel()


async def test_how_it_is_sent() -> None:
    """With the call's deadline; as a stream when it is one, or when nobody knows."""
    for call, stream in ((call_of(), False), (call_of(stream=True), True), (call_of(kind=Kind.PASS), True)):
        one = Try(call)
        await settle()
        sent = one.transport.sent[0]
        assert (sent.stream, sent.deadline) == (stream, call.deadline)
        one.task.cancel()
        await settle()


# ── a complete answer ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_answer_settles_by_its_usage() -> None:
    """The real prompt instead of the estimate."""
    one = Try(call_of("word " * 100))
    outcome = await one.reply(Reply(200, [], answer(108, 5)))
    assert isinstance(outcome, Answered)
    assert (outcome.status, outcome.usage, outcome.charged) == (200, Usage(108, 5), 108)
    assert one.charged == 108 < one.reserved
    assert one.requests == 1


async def test_an_answer_without_usage_keeps_its_charge() -> None:
    """Nothing is corrected by what is not known; it is billed by experience, and marked so."""
    one = Try(call_of())
    outcome = await one.reply(Reply(200, [], b'{"choices":[]}'))
    assert isinstance(outcome, Answered)
    assert outcome.usage is not None
    assert outcome.usage.estimated
    assert one.charged == outcome.charged == one.reserved


@pytest.mark.parametrize("body", [b"", b"<html>", answer()[:-10], b"[[["])
async def test_an_answer_that_is_not_json_is_a_failure(body: bytes) -> None:
    """A 200 can be half an answer: it is tried again, and stays charged."""
    one = Try(call_of())
    outcome = await one.reply(Reply(200, [], body))
    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.TRANSIENT
    assert one.charged == one.reserved


async def test_an_answer_that_cannot_be_translated_costs_what_it_says() -> None:
    """The client has nothing of it; the provider counted it all the same. It is judged as charged."""
    call = call_of("word " * 100, max_tokens=9)
    call.kind = Kind.MESSAGES  # which is not the provider's own
    one = Try(call, crossed=True)
    body = json.dumps({"choices": [{"message": 5}], "usage": {"prompt_tokens": 108, "completion_tokens": 5}}).encode()
    outcome = await one.reply(Reply(200, [], body))
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.usage) == (Reason.TRANSIENT, Usage(108, 5))
    assert one.judged == [(outcome, one.reserved)]
    assert one.charged == 108 < one.reserved


async def test_what_is_forwarded_as_it_is_may_answer_anything() -> None:
    """Pictures are no JSON; only a request is charged."""
    one = Try(call_of(kind=Kind.PASS))
    outcome = await one.reply(Reply(200, [], b"\x89PNG"))
    assert isinstance(outcome, Answered)
    assert outcome.body == b"\x89PNG"
    assert (one.charged, one.requests) == (0, 1)


async def test_headers_are_watched_on_every_reply() -> None:
    """Also on a refusal."""
    one = Try(call_of())
    await one.reply(shown(5_000, 3_000, reset=b"24s", status=429))
    assert [allowed.limit for allowed in one.lane.quota.tokens] == [10_000, 5_000]


@pytest.mark.parametrize(
    ("error", "reason", "status", "named_us"),
    [
        ({"message": "m", "code": 429}, Reason.RATE, 429, 7 * SECOND),
        ({"message": "out of credits", "code": "insufficient_quota"}, Reason.BILLING, 429, 7 * SECOND),
        ({"message": "m", "code": "1234"}, Reason.TRANSIENT, 500, 7 * SECOND),
        ("words alone", Reason.TRANSIENT, 500, 7 * SECOND),
        ({"code": {}}, Reason.TRANSIENT, 500, 7 * SECOND),
    ],
)
async def test_a_200_that_states_an_error_is_a_refusal(
    error: object, reason: Reason, status: int, named_us: int
) -> None:
    """Classed by the profile's rows, with the status that its code may be; it is judged, and stays charged."""
    one = Try(call_of())
    body = json.dumps({"error": error, "user_id": "u"}).encode()
    outcome = await one.reply(Reply(200, [(b"retry-after", b"7")], body))
    assert isinstance(outcome, Failure)
    assert (outcome.reason, outcome.named_us) == (reason, named_us)
    assert outcome.answer is not None
    assert (outcome.answer.status, outcome.answer.body) == (status, body)
    assert [failure for failure, _ in one.judged] == [outcome]
    assert one.charged == one.reserved


async def test_an_answer_that_mentions_an_error_is_an_answer() -> None:
    """Beside choices an error is a word of theirs."""
    one = Try(call_of())
    assert isinstance(await one.reply(Reply(200, [], b'{"choices":[{"index":0}],"error":{"code":429}}')), Answered)


# ── failures ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (said(7), Reason.RATE),
        (refusal(429, "insufficient_quota"), Reason.BILLING),
        (refusal(503), Reason.OVERLOAD),
        (refusal(401), Reason.AUTH),
        (refusal(400, "content_filter"), Reason.POLICY),
        (refusal(500), Reason.TRANSIENT),
        (Reply(502, [], b"<html>Bad Gateway</html>"), Reason.TRANSIENT),
        (Reply(429, [], b"\xff\xfe"), Reason.RATE),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_a_refusal_is_classed_and_stays_charged(reply: Reply, reason: Reason) -> None:
    """By the profile's rows; the provider may have counted it."""
    one = Try(call_of())
    outcome = await one.reply(reply)
    assert isinstance(outcome, Failure)
    assert outcome.reason is reason
    assert outcome.answer is not None
    assert outcome.answer.body == reply.body
    assert one.charged == one.reserved


@pytest.mark.parametrize("how", ["refused", "a mistake", "not sent", "sent", "not JSON", "stream"])
async def test_a_failure_is_judged_before_it_is_settled(how: str) -> None:
    """Once; till then nobody can take its place."""
    play = Try(call_of())
    if how == "stream":
        reply, stream = streaming()
        stream.cut()
        outcome = await play.reply(reply)
    elif how.endswith("sent"):
        outcome = await play.fail(sent=how == "sent")
    else:
        kinds = {"refused": said(), "a mistake": refusal(400), "not JSON": Reply(200, [], b"{")}
        outcome = await play.reply(kinds[how])
    assert play.judged == [(outcome, play.reserved)]
    assert play.slot.lane.calls == 0


async def test_a_refusal_names_its_time() -> None:
    """Milliseconds before seconds, as the headers are read."""
    one = Try(call_of())
    reply = said(7)
    reply.headers.append((b"retry-after-ms", b"1500"))
    outcome = await one.reply(reply)
    assert isinstance(outcome, Failure)
    assert outcome.named_us == 1_500_000


async def test_a_refusal_names_its_time_where_its_profile_looks_for_it() -> None:
    """In the text, here; in the headers, where its row says nothing."""
    rows = (RefusalRule("RATE", text="wait here", not_before=("text",)), *PROFILE.refusals)
    outcome = await Try(call_of(), refusals=rows).reply(
        refusal(429, after=15, message="Wait here. Try again in 1m2.5s.")
    )
    assert isinstance(outcome, Failure)
    assert outcome.named_us == 62_500_000


async def test_a_clients_mistake_uses_no_tokens() -> None:
    """Refused before it was counted; it was a request all the same."""
    one = Try(call_of())
    outcome = await one.reply(refusal(400))
    assert isinstance(outcome, Failure)
    assert outcome.reason is Reason.FATAL
    assert (one.charged, one.requests) == (0, 1)


async def test_what_was_not_sent_is_free() -> None:
    """Tokens and request come back."""
    one = Try(call_of())
    outcome = await one.fail(sent=False)
    assert (outcome.reason, outcome.sent, outcome.answer) == (Reason.TRANSIENT, False, None)
    assert (one.charged, one.requests) == (0, 0)


async def test_a_request_that_cannot_be_made_is_free() -> None:
    """A defect of the gate costs nobody's quota, and holds no place."""
    call = call_of()
    call.body, call.shape.model = b"{", "another"
    one = Try(call)
    with pytest.raises(msgspec.DecodeError):
        await one.task
    assert (one.charged, one.requests, one.lane.calls, one.transport.sent) == (0, 0, 0, [])


async def test_what_may_have_been_sent_is_not() -> None:
    """A reset after the first byte."""
    one = Try(call_of())
    outcome = await one.fail(sent=True)
    assert outcome.sent
    assert (one.charged, one.requests) == (one.reserved, 1)


async def test_a_cancelled_attempt_leaves_its_slot_to_who_cancelled_it() -> None:
    """It may have reached the provider: the line keeps the charge and writes the attempt down."""
    one = Try(call_of())
    await settle()
    one.task.cancel()
    await settle()
    assert one.task.cancelled()
    assert one.transport.cancelled == 1
    assert one.slot.permit.open
    assert one.charged == one.reserved


@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
async def test_a_refusal_that_repeats_the_key_is_shown_without_it(status: int) -> None:
    """The client is shown the provider's words, and the key is the gate's."""
    one = Try(call_of())
    await settle()
    body = json.dumps({"error": {"message": "Incorrect API key: sk-1.", "type": "t", "code": "500"}}).encode()
    one.transport.answer(Reply(status, [], body))
    outcome = await one.task
    assert isinstance(outcome, Failure)
    assert outcome.answer is not None
    assert b"sk-1" not in outcome.answer.body
    assert b"Incorrect API key: ***" in outcome.answer.body


# ── streams ──────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_stream_is_answered_with_its_first_content() -> None:
    """Not before; it holds its slot until it ends."""
    one = Try(call_of(stream=True))
    reply, stream = streaming()
    await settle()
    one.transport.answer(reply)
    await settle()
    assert not one.task.done()
    stream.say(chunk(), chunk("Hel"))
    outcome = await one.task
    assert isinstance(outcome, Answered)
    assert outcome.splice is not None
    assert isinstance(outcome.splice.tap, StreamTap)
    assert one.charged == one.reserved
    client = Client()
    outcome.splice.attach(client)
    stream.say(usage_chunk(), DONE)
    assert client.body == chunk() + chunk("Hel") + DONE
    assert outcome.splice.tap.usage == Usage(9, 2)


@pytest.mark.parametrize("how", ["cut", "end", "deadline", "cancel"])
async def test_a_stream_without_content_is_a_failed_attempt(how: str) -> None:
    """It stays charged, and no timer is left behind."""
    one = Try(call_of(stream=True))
    reply, stream = streaming()
    await settle()
    one.transport.answer(reply)
    await settle()
    stream.say(chunk())
    if how == "cut":
        stream.cut()
    elif how == "end":
        stream.end()
    elif how == "deadline":
        await one.clock.advance(MINUTE)
    else:
        one.task.cancel()
    await settle()
    if how == "cancel":
        assert one.task.cancelled()
    else:
        outcome = one.task.result()
        assert isinstance(outcome, Failure)
        assert outcome.reason is Reason.TRANSIENT
    assert stream.aborted is (how in {"deadline", "cancel"})
    assert one.clock.pending == []
    assert not one.slot.permit.open
    assert how == "deadline" or one.charged == one.reserved


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": "insufficient_quota", "type": "insufficient_quota"}, Reason.BILLING),
        ({"code": "content_filter", "type": "invalid_request_error"}, Reason.POLICY),
        ({"code": None, "type": "server_error"}, Reason.TRANSIENT),
    ],
)
async def test_an_error_as_the_first_event_is_a_refusal_like_any_other(error: object, reason: Reason) -> None:
    """A reply that began with 200 can still be one about money."""
    one = Try(call_of(stream=True))
    reply, stream = streaming()
    await settle()
    one.transport.answer(reply)
    await settle()
    stream.say(chunk(), b"data: %b\n\n" % json.dumps({"error": error}).encode())
    outcome = await one.task
    assert isinstance(outcome, Failure)
    assert outcome.reason is reason
    assert outcome.answer is not None
    assert outcome.answer.status >= 400


async def test_a_refusal_of_a_stream_is_a_refusal() -> None:
    """Complete, not streamed."""
    one = Try(call_of(stream=True))
    outcome = await one.reply(said(3))
    assert isinstance(outcome, Failure)
    assert outcome.named_us == 3 * SECOND


@pytest.mark.parametrize(
    ("call", "headers"),
    [(call_of(stream=True), [(b"content-type", b"audio/mpeg")]), (call_of(kind=Kind.PASS), EVENTS)],
    ids=["no events", "forwarded as it is"],
)
async def test_a_stream_of_an_unknown_kind_is_passed_through(call: Call, headers: list[tuple[bytes, bytes]]) -> None:
    """From its first byte, uninterpreted."""
    one = Try(call)
    stream = ScriptedStream()
    outcome = await one.reply(Reply(200, headers, b"", stream))
    assert isinstance(outcome, Answered)
    assert outcome.splice is not None
    assert isinstance(outcome.splice.tap, RawTap)


async def test_a_defect_after_the_head_of_a_stream_leaves_no_connection_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody would read it: it is closed, and whoever asked hears of the defect."""

    def watch(*_: object) -> None:
        raise ValueError("a defect")

    monkeypatch.setattr(Lane, "watch", watch)
    one = Try(call_of(stream=True))
    reply, stream = streaming()
    with pytest.raises(ValueError, match="a defect"):
        await one.reply(reply)
    assert stream.aborted
