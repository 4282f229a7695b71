"""The gate as Anthropic's SDK sees it: answers, errors, streams and lists in its own form."""

import json

import msgspec
import pytest

from tests.edge.test_gateway import Door
from tests.line.scenes import DONE, EVENTS, PROFILE, chunk, play_of, provider, spend, streaming, usage_chunk
from tidegate.line.service import Way
from tidegate.model.call import Call
from tidegate.model.snapshot import Limits
from tidegate.providers.translate.face import Crossed
from tidegate.testing import Reply
from tidegate.testing.clock import settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

MESSAGES, COUNT = b"/v1/messages", b"/v1/messages/count_tokens"
CLAUDE = msgspec.structs.replace(PROFILE, name="anthropic", dialect="anthropic", auth_header="x-api-key")
ASK = {"model": "c", "max_tokens": 64, "messages": [{"role": "user", "content": "hello"}]}
TOLD = {
    "id": "msg_1", "type": "message", "role": "assistant", "model": "c", "stop_reason": "end_turn",
    "content": [{"type": "text", "text": "Hi"}], "usage": {"input_tokens": 9, "output_tokens": 2},
}  # fmt: skip
OVERLOADED = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}


def event(kind: str, **fields: object) -> bytes:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields})}\n\n".encode()


START = event("message_start", message={**TOLD, "content": [], "stop_reason": None})
BLOCK = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
WORD = event("content_block_delta", index=0, delta={"type": "text_delta", "text": "Hi"})
STOP = event("content_block_stop", index=0)
DELTA = event("message_delta", delta={"stop_reason": "end_turn"}, usage={"output_tokens": 2})
END = event("message_stop")


@pytest.fixture
async def door() -> Door:
    claude = provider("anthropic", {"c": Limits(3_000, 60_000)}, keys=("sk-ant",), profile=CLAUDE)
    return Door(play_of(claude, provider()))


async def test_an_answer_passes_as_it_is(door: Door) -> None:
    """Byte for byte, with its ids and its quota in Anthropic's names; the record knows what it cost."""
    asked = door.ask(MESSAGES, body=json.dumps(ASK).encode(), anthropic_version=b"2023-06-01")
    await settle()
    sent = door.play.sent("anthropic")[-1]
    assert sent.head.startswith(b"POST /v1/messages HTTP/1.1\r\n")
    assert b"anthropic-version: 2023-06-01\r\n" in sent.head
    assert json.loads(sent.body) == ASK
    body = json.dumps(TOLD).encode()
    shown = [(b"request-id", b"theirs"), (b"anthropic-ratelimit-requests-limit", b"1")]
    await door.play.provider("anthropic", Reply(200, shown, body))
    fields = asked.wire.fields
    assert asked.wire.body == body
    assert fields[b"request-id"] == fields[b"x-request-id"]
    assert fields[b"x-tidegate-upstream-request-id"] == b"theirs"
    assert fields[b"anthropic-ratelimit-requests-limit"] == b"3000"
    assert fields[b"anthropic-ratelimit-tokens-reset"].endswith(b"Z")
    assert b"x-ratelimit-limit-requests" not in fields
    assert (door.records[-1].prompt_tokens, door.records[-1].completion_tokens) == (9, 2)


async def test_input_and_output_are_shown_apart() -> None:
    """Where they are limited apart."""
    split = msgspec.structs.replace(CLAUDE, split=True, charge="prompt")
    limits = {"c": Limits(rpm=60, itpm=9_000, otpm=600)}
    door = Door(play_of(provider("anthropic", limits, profile=split)))
    asked = door.ask(MESSAGES, body=json.dumps(ASK).encode())
    await settle()
    await door.play.provider("anthropic", Reply(200, [], json.dumps(TOLD).encode()))
    fields = asked.wire.fields
    assert fields[b"anthropic-ratelimit-input-tokens-limit"] == b"9000"
    assert fields[b"anthropic-ratelimit-output-tokens-remaining"] == b"598"
    assert b"anthropic-ratelimit-tokens-limit" not in fields


async def test_a_stream_passes_as_it_is(door: Door) -> None:
    """Held until its first content, then event by event."""
    asked = door.ask(MESSAGES, body=json.dumps({**ASK, "stream": True}).encode())
    await settle()
    reply, stream = streaming()
    await door.play.provider("anthropic", reply)
    stream.say(START, event("ping"), BLOCK)
    await settle()
    assert asked.wire.status == 0
    stream.say(WORD)
    await settle()
    stream.say(STOP + DELTA, END)
    stream.end()
    await settle()
    assert asked.wire.body == START + event("ping") + BLOCK + WORD + STOP + DELTA + END
    assert asked.wire.ended
    assert door.records[-1].status == 200


async def test_a_cut_ends_in_its_error_event(door: Door) -> None:
    """Typed as its SDK reads it; the part that was delivered is booked as an estimate."""
    asked = door.ask(MESSAGES, body=json.dumps({**ASK, "stream": True}).encode())
    await settle()
    stream = ScriptedStream()
    await door.play.provider("anthropic", Reply(200, EVENTS, b"", stream))
    stream.say(START + BLOCK + WORD)
    await settle()
    stream.cut()
    await settle()
    last = asked.wire.body.removeprefix(START + BLOCK + WORD)
    assert last.startswith(b"event: error\ndata: ")
    assert json.loads(last.split(b"data: ")[1])["error"]["type"] == "api_error"
    assert (door.records[-1].prompt_tokens, door.records[-1].estimated) == (9, True)


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        (b"{", 400, "invalid_request_error"),
        (json.dumps({**ASK, "model": "nobody's"}).encode(), 404, "not_found_error"),
        (json.dumps({"model": "c", "messages": []}).encode(), 400, "invalid_request_error"),
    ],
)
async def test_what_is_wrong_is_said_in_its_form(body: bytes, status: int, kind: str) -> None:
    """With a message that names the remedy."""
    one = provider("anthropic", {"c": Limits(3_000, 60_000)}, profile=CLAUDE)
    two = provider("other", {"d": Limits(3_000, 60_000)}, profile=CLAUDE)
    asked = Door(play_of(one, two)).ask(MESSAGES, body=body)
    told = json.loads(asked.wire.body)
    assert asked.wire.status == status
    assert (told["type"], told["error"]["type"]) == ("error", kind)


async def test_its_key_and_its_lists() -> None:
    """`x-api-key` is a key; shared paths follow `anthropic-version`; what is not known says so in its form."""
    door = Door(names={"some": "team"})
    asked = door.ask(b"/v1/models", method=b"GET", x_api_key=b"wrong", anthropic_version=b"2023-06-01")
    assert asked.wire.status == 401
    assert json.loads(asked.wire.body)["error"]["type"] == "authentication_error"
    door = Door()
    for headers, expected in (({"anthropic_version": b"2023-06-01"}, "has_more"), ({}, "object")):
        assert expected in json.loads(door.ask(b"/v1/models", method=b"GET", **headers).wire.body)
    assert json.loads(door.ask(b"/v1/models/a", method=b"GET", anthropic_version=b"1").wire.body)["type"] == "model"


async def test_a_count_is_the_providers_where_it_counts(door: Door) -> None:
    """Forwarded, and nothing but a request."""
    asked = door.ask(COUNT, body=json.dumps({"model": "c", "messages": ASK["messages"]}).encode())
    await settle()
    await door.play.provider("anthropic", Reply(200, [], b'{"input_tokens":9}'))
    assert asked.wire.body == b'{"input_tokens":9}'
    assert b"x-tidegate-estimated" not in asked.wire.fields
    assert door.records[-1].charged_tokens == 0


async def test_a_count_is_an_estimate_where_nobody_counts(door: Door) -> None:
    """At once, for nothing, and it says so."""
    asked = door.ask(COUNT, body=json.dumps({"model": "a", "messages": ASK["messages"]}).encode())
    assert asked.wire.status == 200
    assert asked.wire.fields[b"x-tidegate-estimated"] == b"true"
    assert json.loads(asked.wire.body)["input_tokens"] > 0


async def test_an_error_of_the_provider_is_its_own(door: Door) -> None:
    """In its own bytes."""
    asked = door.ask(MESSAGES, body=json.dumps(ASK).encode())
    await settle()
    body = json.dumps({"type": "error", "error": {"type": "invalid_request_error", "message": "no"}}).encode()
    await door.play.provider("anthropic", Reply(400, [], body))
    assert (asked.wire.status, asked.wire.body) == (400, body)


# ── over another maker's model ───────────────────────────────────────────────────────────────────────────────────────


async def test_a_model_of_another_maker_answers_in_its_form(door: Door) -> None:
    """Anthropic's client, OpenAI's provider: asked and answered in each one's own words."""
    asked = door.ask(MESSAGES, body=json.dumps({**ASK, "model": "a", "top_k": 3}).encode())
    await settle()
    sent = door.play.sent("openai")[-1]
    assert sent.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    assert json.loads(sent.body)["messages"][-1]["content"]
    await door.play.provider("openai", Reply(200, [], answer()))
    told = json.loads(asked.wire.body)
    assert (told["type"], told["role"]) == ("message", "assistant")
    assert asked.wire.fields[b"x-tidegate-dropped"] == b"top_k"


async def test_a_stream_of_another_maker(door: Door) -> None:
    """From its first word to its last event."""
    asked = door.ask(MESSAGES, body=json.dumps({**ASK, "model": "a", "stream": True}).encode())
    await settle()
    assert json.loads(door.play.sent("openai")[-1].body)["stream_options"] == {"include_usage": True}
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    stream.say(chunk(), chunk("Hi"), chunk(""))
    last = b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
    stream.say(last, usage_chunk(), DONE)
    stream.end()
    await settle()
    kinds = [line[7:] for line in asked.wire.body.split(b"\n") if line.startswith(b"event: ")]
    assert kinds[0] == b"message_start"
    assert kinds[-1] == b"message_stop"
    assert asked.wire.ended
    assert (door.records[-1].prompt_tokens, door.records[-1].completion_tokens) == (9, 2)


async def test_what_cannot_be_told_is_refused_where_the_policy_says_so() -> None:
    """Before anything is sent, and it is named."""
    door = Door(play_of(provider(), on_unsupported="refuse"))
    asked = door.ask(MESSAGES, body=json.dumps({**ASK, "model": "s", "top_k": 3}).encode())
    await settle()
    assert asked.wire.status == 400
    assert "top_k" in json.loads(asked.wire.body)["error"]["message"]
    assert not door.play.transports.get("openai") or not door.play.sent("openai")


async def test_only_who_is_asked_is_translated_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that waits for its own provider does not pay for the words of a fallback."""
    claude = provider("anthropic", {"c": Limits(3_000, 60_000)}, profile=CLAUDE)
    door = Door(play_of(provider(), claude, primary_model="a", fallback_models=("c",)))
    said: list[str] = []
    put = Way.put

    def counted(way: Way, call: Call, model: str, created: int) -> Crossed | None:
        said.append(model)
        return put(way, call, model, created)

    monkeypatch.setattr(Way, "put", counted)
    spend(door.play, 60_000)
    door.ask(body={"model": "s"})
    await door.play.clock.advance(1_000_000)
    await door.play.provider("openai", Reply(200, [], answer()))
    assert said == []
