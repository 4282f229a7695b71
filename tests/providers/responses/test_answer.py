"""Answers of the Responses API: what a call cost, and what went wrong, read and written."""

import json

import openai
import pytest
from openai.types.responses import ResponseErrorEvent
from pydantic import TypeAdapter

from tests.providers.served import served
from tidegate.model.outcome import Usage
from tidegate.providers.codec import Said
from tidegate.providers.responses.answer import after, error_event, error_of, raw_event, usage_of


@pytest.mark.parametrize(
    ("answer", "usage"),
    [
        ({"usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}, Usage(10, 5)),
        ({"usage": {"input_tokens": 9, "output_tokens": 7, "input_tokens_details": {"cached_tokens": 4},
                    "output_tokens_details": {"reasoning_tokens": 6}}}, Usage(9, 7, 4, reasoning=6)),
        ({"usage": {"input_tokens": 9, "input_tokens_details": {"cache_write_tokens": 3}}}, Usage(9, written=3)),
        ({"usage": {"input_tokens": 9, "output_tokens": 1, "input_tokens_details": None}}, Usage(9, 1)),
        ({"usage": {"input_tokens": 9, "input_tokens_details": {}}}, Usage(9)),
        ({"usage": {"input_tokens": 9}, "service_tier": "priority"}, Usage(9, tier="priority")),
        ({"usage": {"input_tokens": 9}, "service_tier": "default"}, Usage(9)),
        ({"usage": {"prompt_tokens": 9}}, None),
        ({"usage": None}, None),
        ({"usage": {"input_tokens": "many"}}, None),
        ({}, None),
        ([], None),
    ],
)  # fmt: skip
def test_usage_is_read_where_it_is_stated(answer: object, usage: Usage | None) -> None:
    """Under its own names (LiteLLM#34728); never a zero in place of what is not known."""
    assert usage_of(json.dumps(answer).encode()) == usage


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"usage": {"input_tok', b"[" * 100_000, b"\xff"])
def test_an_answer_that_is_not_json_is_an_error(answer: bytes) -> None:
    """Of one kind."""
    with pytest.raises(ValueError, match=r"."):
        usage_of(answer)


TOLD = {"code": "rate_limit_exceeded", "type": "tokens", "message": "m"}
SAID = Said("rate_limit_exceeded", "tokens", "m")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"error": TOLD}, SAID),
        ({"type": "error", "sequence_number": 2, "error": TOLD}, SAID),
        ({"type": "error", "sequence_number": 2, "code": "server_error", "message": "m", "param": None},
         Said("server_error", "", "m")),
        ({"type": "response.failed", "response": {"status": "failed", "error": {"code": "server_error",
                                                                               "message": "m"}}},
         Said("server_error", "", "m")),
        ({"id": "resp_1", "status": "failed", "error": {"code": "server_error", "message": "m"}},
         Said("server_error", "", "m")),
        ({"error": {"code": 429, "message": "m"}}, Said("429", "", "m")),
        ({"error": "overloaded"}, Said(message="overloaded")),
        ({"id": "resp_1", "status": "completed", "error": None}, Said()),
        ({"error": []}, Said()),
        ({}, Said()),
        ([], Said()),
    ],
)  # fmt: skip
def test_an_error_is_read_wherever_it_stands(body: object, said: Said) -> None:
    """In a body, at the top of an event, inside it, or in the response that failed."""
    assert error_of(json.dumps(body).encode()) == said


@pytest.mark.parametrize("body", [b"", b"<html>502</html>", b"\xff", b'{"error":'])
def test_what_is_no_error_says_nothing(body: bytes) -> None:
    """It is not guessed at."""
    assert error_of(body) == Said()


def payload(event: bytes) -> dict[str, object]:
    name, data, end = event.split(b"\n", 2)
    assert name == b"event: error"
    assert end == b"\n"
    return dict(json.loads(data.removeprefix(b"data: ")))


def test_an_error_event_has_both_forms() -> None:
    """The documented one, which the SDK's type has, and the one that is sent, which alone makes the SDK raise."""
    event = payload(error_event(SAID, 7))
    told = TypeAdapter(ResponseErrorEvent).validate_python(event)
    assert (told.type, told.code, told.message, told.sequence_number) == ("error", "rate_limit_exceeded", "m", 7)
    assert event["error"] == {**TOLD, "param": None}


def test_an_error_event_that_is_read_says_the_same() -> None:
    """Round trip; what has no type has one that the API uses."""
    assert error_of(json.dumps(payload(error_event(SAID))).encode()) == SAID
    assert error_of(json.dumps(payload(error_event(Said(message="x")))).encode()) == Said("", "server_error", "x")


def test_the_sdk_raises_what_the_gate_says() -> None:
    """An application does not take an error for an ordinary event."""
    event = error_event(Said("stream_cut", "upstream_error", "the provider ended"), 3)
    with served(event) as client, pytest.raises(openai.APIError, match="the provider ended") as caught:
        list(client.responses.create(model="m", input="hi", stream=True))
    assert caught.value.code == "stream_cut"


def test_an_error_that_is_said_already_is_kept() -> None:
    """Under the name that its JSON says."""
    assert (
        raw_event(b'{"type":"error",\n"message":"m"}')
        == b'event: error\ndata: {"type":"error",\ndata: "message":"m"}\n\n'
    )
    failed = b'{"type":"response.failed","response":{}}'
    assert raw_event(failed) == b"event: response.failed\ndata: %b\n\n" % failed
    assert raw_event(b'{"error":5}').startswith(b"event: error\n")


@pytest.mark.parametrize(
    ("events", "number"),
    [
        (b"", 0),
        (b": ping\n\n", 0),
        (b'event: a\ndata: {"type":"a","sequence_number":4}\n\n', 5),
        (b'data: {"sequence_number" : 4}\n\ndata: {"type":"b", "sequence_number": 11, "delta": "x"}\n\n', 12),
        (b'data: {"sequence_number":4,"delta":"\\"sequence_number\\":99"}\n\n', 5),
        (b'data: {"sequence_number":null}\n\n', 0),
    ],
)
def test_the_number_after_events(events: bytes, number: int) -> None:
    """That of the last of them, and one; a text is no field."""
    assert after(events) == number
