"""The Responses API at the edge: as it is where a provider has it, by translation where it has not."""

import json

import msgspec
import pytest

from tests.edge.test_anthropic import CLAUDE, TOLD
from tests.edge.test_gateway import Door
from tests.line.scenes import DONE, PROFILE, chunk, play_of, provider, refusal, streaming, usage_chunk
from tidegate.model.snapshot import Limits, RefusalRule
from tidegate.testing import Reply
from tidegate.testing.clock import settle
from tidegate.testing.playbook import answer

RESPONSES = b"/v1/responses"
HAS = msgspec.structs.replace(PROFILE, responses=True)
ASK = {"model": "a", "input": "hello"}


def door(*providers: object) -> Door:
    return Door(play_of(*providers))  # type: ignore[arg-type]


async def test_as_it_is_where_the_provider_has_it() -> None:
    """Byte for byte, its usage read."""
    one = door(provider(profile=HAS))
    asked = one.ask(RESPONSES, body=json.dumps({**ASK, "previous_response_id": "resp_1"}).encode())
    await settle()
    sent = one.play.sent("openai")[0]
    assert sent.head.startswith(b"POST /v1/responses HTTP/1.1\r\n")
    assert json.loads(sent.body)["previous_response_id"] == "resp_1"  # type: ignore[arg-type]
    body = b'{"id":"resp_2","object":"response","usage":{"input_tokens":9,"output_tokens":2}}'
    await one.play.provider("openai", Reply(200, [], body))
    assert asked.wire.body == body
    assert (one.records[-1].prompt_tokens, one.records[-1].completion_tokens) == (9, 2)


async def test_by_translation_where_it_has_not() -> None:
    """Asked as chat completions, answered as a response."""
    one = door(provider())
    asked = one.ask(RESPONSES, body=json.dumps(ASK).encode())
    await settle()
    sent = one.play.sent("openai")[0]
    assert sent.head.startswith(b"POST /v1/chat/completions HTTP/1.1\r\n")
    await one.play.provider("openai", Reply(200, [], answer()))
    told = json.loads(asked.wire.body)
    assert (told["object"], told["status"], told["store"]) == ("response", "completed", False)


async def test_over_two_translations() -> None:
    """A response from Anthropic's messages."""
    one = door(provider("anthropic", {"c": Limits(3_000, 60_000)}, profile=CLAUDE))
    asked = one.ask(RESPONSES, body=json.dumps({**ASK, "model": "c"}).encode())
    await settle()
    assert one.play.sent("anthropic")[0].head.startswith(b"POST /v1/messages HTTP/1.1\r\n")
    await one.play.provider("anthropic", Reply(200, [], json.dumps(TOLD).encode()))
    told = json.loads(asked.wire.body)
    assert told["output"][-1]["content"][0]["text"] == "Hi"
    assert (told["usage"]["input_tokens"], told["usage"]["output_tokens"]) == (9, 2)


@pytest.mark.parametrize("cut", [False, True])
async def test_a_stream_by_translation(cut: bool) -> None:
    """From its first event to the last; a cut is an event of its own."""
    one = door(provider())
    asked = one.ask(RESPONSES, body=json.dumps({**ASK, "stream": True}).encode())
    await settle()
    reply, stream = streaming()
    await one.play.provider("openai", reply)
    stream.say(chunk(), chunk("Hi"))
    await settle()
    if cut:
        stream.cut()
    else:
        stream.say(b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n', usage_chunk(), DONE)
        stream.end()
    await settle()
    kinds = [line[7:] for line in asked.wire.body.split(b"\n") if line.startswith(b"event: ")]
    assert kinds[0] == b"response.created"
    assert kinds[-1] == (b"error" if cut else b"response.completed")
    assert asked.wire.ended


async def test_what_needs_a_memory_is_refused() -> None:
    """Before anything is sent, with the field and the remedy."""
    one = door(provider())
    asked = one.ask(RESPONSES, body=json.dumps({**ASK, "previous_response_id": "resp_1"}).encode())
    await settle()
    assert asked.wire.status == 400
    assert "previous_response_id" in asked.wire.error["message"]
    stored = one.ask(b"/v1/responses/resp_1", method=b"GET")
    assert stored.wire.status == 501
    assert "stored response" in stored.wire.error["message"]
    assert "openai" not in one.play.transports or not one.play.sent("openai")


async def test_what_is_stored_is_asked_of_who_stores() -> None:
    """The first provider that has the API, wherever it stands."""
    one = door(provider("other", {"b": Limits(9, 9)}), provider(profile=HAS))
    one.ask(b"/v1/responses/resp_1", method=b"GET")
    await settle()
    assert one.play.sent("openai")[0].head.startswith(b"GET /v1/responses/resp_1 HTTP/1.1\r\n")


async def test_a_refusal_is_told_as_it_was_said() -> None:
    """Both sides speak the same maker's words for errors."""
    one = door(provider())
    asked = one.ask(RESPONSES, body=json.dumps(ASK).encode())
    await settle()
    await one.play.provider("openai", refusal(400, message="no such thing"))
    assert asked.wire.status == 400
    assert asked.wire.error["message"] == "no such thing"


NO = {"code": "invalid_prompt", "message": "no"}
FAILED = {"id": "resp_1", "object": "response", "status": "failed", "error": NO}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "error", "sequence_number": 1, "code": "invalid_prompt", "message": "no", "param": None},
        {"type": "error", "sequence_number": 1, "error": NO},
        {"type": "response.failed", "sequence_number": 1, "response": FAILED},
        FAILED,
    ],
    ids=["flat", "as sent", "failed", "whole"],
)
async def test_an_error_in_the_place_of_an_answer_is_a_refusal(event: dict[str, object]) -> None:
    """As the first event, or as the whole reply: told with a status, in the form that refusals have."""
    rows = (RefusalRule("FATAL", code="invalid_prompt"), *PROFILE.refusals)
    one = door(provider(profile=msgspec.structs.replace(HAS, refusals=rows)))
    stream = event is not FAILED
    asked = one.ask(RESPONSES, body=json.dumps({**ASK, "stream": stream}).encode())
    await settle()
    reply, upstream = streaming()
    await one.play.provider("openai", reply if stream else Reply(200, [], json.dumps(event).encode()))
    upstream.say(b"event: %b\ndata: %b\n\n" % (str(event.get("type")).encode(), json.dumps(event).encode()))
    await settle()
    assert asked.wire.status == 400
    error = {"message": "no", "type": "invalid_request_error", "param": None, "code": "invalid_prompt"}
    assert json.loads(asked.wire.body) == {"error": error}
