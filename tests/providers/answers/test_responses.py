"""Responses: the whole is what the last event says; the stream is what OpenAI's SDK puts together."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.providers.answers import wholes
from tests.providers.served import served
from tests.providers.translate.wire import event
from tidegate.providers.answers.fields import Cut
from tidegate.providers.answers.responses import to_events, whole_of
from tidegate.providers.translate.events import payloads

EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
PART = {"type": "output_text", "text": "It is green.", "annotations": [], "logprobs": []}
SAID = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant", "content": [PART]}
CALLS = [
    {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "call_1", "name": "f", "arguments": "{}"},
    {"id": "fc_2", "type": "function_call", "status": "completed", "call_id": "call_2", "name": "g",
     "arguments": '{"a": 1}'},
]  # fmt: skip


def told(whole: Any) -> list[Any]:
    return [json.loads(data) for data in payloads(b"".join(to_events(whole)))]


def test_frame() -> None:
    """Two events say what was asked, the last says all; they are numbered from 0 without a gap."""
    whole = wholes.response([SAID], completed_at=1_700_000_001)
    events = told(whole)
    assert [one["sequence_number"] for one in events] == list(range(len(events)))
    assert [one["type"] for one in (events[0], events[1], events[-1])] == [
        "response.created", "response.in_progress", "response.completed",
    ]  # fmt: skip
    begun = events[0]["response"]
    assert (begun["status"], begun["output"], begun["usage"], begun["completed_at"]) == ("in_progress", [], None, None)
    assert begun["instructions"] == "Be brief."
    assert events[-1]["response"] == whole


def test_an_incomplete_one() -> None:
    """It ends by its own event."""
    whole = wholes.response([SAID], status="incomplete", incomplete_details={"reason": "max_output_tokens"})
    assert told(whole)[-1]["type"] == "response.incomplete"
    assert whole_of(b"".join(to_events(whole))) == whole


def test_by_the_stream_helper() -> None:
    """`client.responses.stream`: texts, calls with their arguments, and the final response."""
    whole = wholes.response([SAID, *CALLS])
    with served(b"".join(to_events(whole))) as client, client.responses.stream(model="m", input="hi") as stream:
        heard = [*stream]
        final = stream.get_final_response()
    assert "".join(one.delta for one in heard if one.type == "response.output_text.delta") == "It is green."
    assert [one.snapshot for one in heard if one.type == "response.function_call_arguments.delta"][-1] == '{"a": 1}'
    assert final.output_text == "It is green."
    assert [item.id for item in final.output] == ["msg_1", "fc_1", "fc_2"]


@settings(max_examples=15)
@given(wholes.responses())
def test_every_event_is_of_the_api(whole: Any) -> None:
    """OpenAI's model of an event takes each of them, as its model of a response takes the whole."""
    whole["output"] = [item for item in whole["output"] if item["type"] != "unheard_of_call"]
    Response.model_validate(whole)
    for one in told(whole):
        EVENT.validate_python(one)


def test_an_end_without_output() -> None:
    """Some servers leave it out of the last event: the items as they were done stand for it, in their places."""
    done = [event("response.output_item.done", output_index=at, item=item) for at, item in ((1, CALLS[0]), (0, SAID))]
    end = event("response.completed", response=wholes.response([]))
    assert whole_of(b"".join([*done, end])) == wholes.response([SAID, CALLS[0]])


def test_what_comes_after_the_end() -> None:
    """A `[DONE]` or a keep-alive."""
    end = event("response.completed", response=wholes.response([SAID]))
    assert whole_of(end + event("keepalive", sequence_number=9) + b"data: [DONE]\n\n") == wholes.response([SAID])


@pytest.mark.parametrize(
    ("events", "error"),
    [
        (b"", Cut),
        (event("response.created", response=wholes.response([])), Cut),
        (event("response.output_text.delta", delta="a"), Cut),
        (event("response.failed", response=wholes.response([], status="failed")), ValueError),
        (event("error", message="overloaded", code="x"), ValueError),
        (b'data: {"error":{"message":"overloaded"}}\n\n', ValueError),
        (b"data: {\n\n", ValueError),
        (event("response.completed", response=None), ValueError),
    ],
)
def test_what_is_no_answer(events: bytes, error: type[Exception]) -> None:
    """A stream without its end is cut; one that failed cannot be told whole."""
    with pytest.raises(error):
        whole_of(events)


@pytest.mark.parametrize("status", ["failed", "cancelled", "in_progress", "queued", None])
def test_what_has_no_stream(status: str | None) -> None:
    """What did not come to its end."""
    with pytest.raises(ValueError, match="completed or incomplete"):
        to_events(wholes.response([], status=status))
