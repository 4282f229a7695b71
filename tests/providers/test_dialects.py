"""The table of kinds and makers: each entry is what its name says."""

import json

import pytest

from tidegate.model.call import Kind
from tidegate.providers.codec import Said
from tidegate.providers.dialects import ANTHROPIC, CODECS, DIALECTS, OPENAI
from tidegate.providers.events import payload_of

SAID = Said("odd_code", "odd_type", "in so many words")
MODEL_ONLY = {
    Kind.CHAT: {"messages": [{"role": "user", "content": "x"}]},
    Kind.COMPLETION: {"prompt": "x"},
    Kind.EMBEDDING: {"input": "x"},
    Kind.RESPONSES: {"input": "x"},
    Kind.MESSAGES: {"messages": [{"role": "user", "content": "x"}], "max_tokens": 9},
    Kind.COUNT: {"messages": [{"role": "user", "content": "x"}]},
}
PATHS = {
    Kind.CHAT: b"/chat/completions",
    Kind.COMPLETION: b"/completions",
    Kind.EMBEDDING: b"/embeddings",
    Kind.RESPONSES: b"/responses",
    Kind.MESSAGES: b"/messages",
    Kind.COUNT: b"/messages/count_tokens",
}


def test_each_kind_is_at_its_makers_path() -> None:
    """Below a base URL, as the makers document them."""
    assert {kind: codec.path for kind, codec in CODECS.items()} == PATHS
    assert {kind for kind, codec in CODECS.items() if codec.dialect == ANTHROPIC} == {Kind.MESSAGES, Kind.COUNT}
    assert {name: dialect.name for name, dialect in DIALECTS.items()} == {OPENAI: OPENAI, ANTHROPIC: ANTHROPIC}


@pytest.mark.parametrize("kind", CODECS)
def test_a_request_is_read_and_renamed(kind: Kind) -> None:
    """Every codec finds the model and changes nothing but the name."""
    body = json.dumps({"model": "a", **MODEL_ONLY[kind], "vendor": {"a": [1, None]}}, separators=(",", ":")).encode()
    shape = CODECS[kind].read(body).shape
    assert (shape.model, shape.stream) == ("a", False)
    assert CODECS[kind].with_model(body, "b") == body.replace(b'"a"', b'"b"', 1)


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.RESPONSES, Kind.MESSAGES])
def test_fewer_tokens_are_asked_for(kind: Kind) -> None:
    """Under the name that the kind has for them."""
    body = json.dumps({"model": "a", **MODEL_ONLY[kind]}).encode()
    assert CODECS[kind].read(CODECS[kind].with_output(body, 5)).shape.output == 5


@pytest.mark.parametrize("kind", [Kind.MESSAGES, Kind.RESPONSES])
def test_streams_that_always_tell_their_usage_are_not_asked(kind: Kind) -> None:
    """Only OpenAI's completions must be."""
    body = json.dumps({"model": "a", "stream": True, **MODEL_ONLY[kind]}).encode()
    assert CODECS[kind].with_usage(body) is body
    chat = json.dumps({"model": "a", "stream": True, **MODEL_ONLY[Kind.CHAT]}).encode()
    assert b"include_usage" in CODECS[Kind.CHAT].with_usage(chat)


@pytest.mark.parametrize("name", DIALECTS)
def test_an_error_is_read_as_it_is_said(name: str) -> None:
    """A body of the gate's own in each form is understood by the same form."""
    body = DIALECTS[name].error_body(429, SAID)
    assert DIALECTS[name].error_of(body).message == SAID.message
    assert DIALECTS[name].error_of(b"<html>") == Said()


@pytest.mark.parametrize(
    ("body", "openai", "anthropic"),
    [
        ({"error": {"message": "m"}, "user_id": "u"}, True, False),
        ({"error": "m"}, True, False),
        ({"type": "error", "error": {"type": "api_error", "message": "m"}}, False, True),
        ({"type": "error", "code": "c", "message": "m"}, False, False),
        ({"type": "response.failed", "response": {"error": {"message": "m"}}}, False, False),
        ({"object": "response", "status": "failed", "error": {"message": "m"}}, False, False),
        ({"error": None}, False, False),
        ([], False, False),
    ],
)
def test_what_a_reply_with_an_error_holds(body: object, openai: bool, anthropic: bool) -> None:
    """An event is none, where events say errors in another form than replies do."""
    data = json.dumps(body).encode()
    assert (DIALECTS[OPENAI].is_error_body(data), DIALECTS[ANTHROPIC].is_error_body(data)) == (openai, anthropic)


@pytest.mark.parametrize("name", DIALECTS)
def test_an_error_of_the_gate_is_a_whole_one(name: str) -> None:
    """In either form."""
    assert DIALECTS[name].is_error_body(DIALECTS[name].error_body(429, SAID))


@pytest.mark.parametrize("kind", CODECS)
def test_errors_and_restarts_are_whole_events(kind: Kind) -> None:
    """One event each, its data JSON that holds the words."""
    says = CODECS[kind].says
    for event in (says.error_event(SAID), says.restart_event(SAID.message)):
        assert event.endswith(b"\n\n")
        assert event.count(b"\n\n") == 1
        assert SAID.message in str(json.loads(payload_of(event.strip(b"\n"))))


@pytest.mark.parametrize("kind", CODECS)
def test_an_error_with_line_ends_stays_one_event(kind: Kind) -> None:
    """A provider's indented JSON does not end the event before its time."""
    event = CODECS[kind].says.raw_event(b'{\n "error": {\n\n  "message": "m" }\n}')
    assert event.endswith(b"\n\n")
    assert event.count(b"\n\n") == 1
    assert "m" in str(json.loads(payload_of(event.strip(b"\n"))))


@pytest.mark.parametrize("kind", [Kind.CHAT, Kind.MESSAGES, Kind.RESPONSES])
def test_taps_begin_with_nothing(kind: Kind) -> None:
    """A new tap for each stream."""
    codec = CODECS[kind]
    tap = codec.tap(keep_usage=False)
    assert (tap.committed, tap.finished, tap.failure, tap.usage, tap.prompt, tap.events) == (
        False,
        False,
        b"",
        None,
        0,
        0,
    )
    assert codec.tap(keep_usage=False) is not tap


INSTEAD = [
    (Kind.CHAT, {"error": {"message": "m", "code": 502}}, Said("502", "", "m")),
    (Kind.CHAT, {"error": "m", "choices": []}, Said(message="m")),
    (Kind.CHAT, {"error": {"code": {}}}, Said()),
    (Kind.EMBEDDING, {"error": {"message": "m"}, "data": None}, Said(message="m")),
    (Kind.MESSAGES, {"type": "error", "error": {"type": "api_error", "message": "m"}}, Said("", "api_error", "m")),
    (Kind.COUNT, {"type": "error", "error": {"type": "api_error", "message": "m"}}, Said("", "api_error", "m")),
    (Kind.RESPONSES, {"status": "failed", "error": {"code": "c", "message": "m"}, "output": []}, Said("c", "", "m")),
    (Kind.RESPONSES, {"status": "failed", "error": None}, Said()),
    (Kind.RESPONSES, {"error": {"message": "m", "type": "t"}}, Said("", "t", "m")),
]
ANSWERS = [
    (Kind.CHAT, {"choices": [{}], "error": {"message": "m"}}),
    (Kind.CHAT, {"choices": [{}], "error": None}),
    (Kind.CHAT, {"error": {}}),
    (Kind.EMBEDDING, {"data": [{}], "error": {"message": "m"}}),
    (Kind.MESSAGES, {"type": "message", "content": [], "error": {"message": "m"}}),
    (Kind.COUNT, {"input_tokens": 3}),
    (Kind.RESPONSES, {"status": "completed", "error": None, "output": []}),
    (Kind.RESPONSES, {"status": "incomplete", "error": {"message": "m"}, "output": [{}]}),
]


@pytest.mark.parametrize(("kind", "body", "said"), INSTEAD)
def test_an_error_in_the_place_of_an_answer(kind: Kind, body: dict[str, object], said: Said) -> None:
    """It is found without a status that tells of it, and no usage hides it."""
    told = json.dumps(body).encode()
    assert CODECS[kind].usage_of(told) is None
    assert CODECS[kind].failure_of(told) == said


@pytest.mark.parametrize(("kind", "body"), ANSWERS)
def test_an_answer_is_no_error(kind: Kind, body: dict[str, object]) -> None:
    """Also where it has a field of that name."""
    assert CODECS[kind].failure_of(json.dumps(body).encode()) is None


@pytest.mark.parametrize("kind", CODECS)
def test_what_cannot_be_read_states_no_error(kind: Kind) -> None:
    """`usage_of` has told already that it is no JSON."""
    assert CODECS[kind].failure_of(b'{"error":') is None


def test_the_usage_of_a_response_that_failed_does_not_hide_it() -> None:
    """OpenAI counts what was made before."""
    body = {"status": "failed", "error": {"message": "m"}, "usage": {"input_tokens": 3, "output_tokens": 1}}
    assert CODECS[Kind.RESPONSES].usage_of(json.dumps(body).encode()) is None
    assert CODECS[Kind.RESPONSES].failure_of(json.dumps(body).encode()) == Said(message="m")
