"""How answers ended, whole and streamed: the same word for the same end, and never an exception."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.answers import wholes
from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.answers.finish import Finish, finish
from tidegate.providers.answers.shapes import to_events, to_whole

CALL = [wholes.function("call_1", "f", "{}")]
TEXT = {"type": "text", "text": "Hello"}
USED = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
SEARCH = {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {}}


def completion(finish_reason: str | None, text: str = "Hello") -> Any:
    choice = {"text": text, "index": 0, "logprobs": None, "finish_reason": finish_reason}
    return {"id": "cmpl-1", "object": "text_completion", "choices": [choice], "usage": wholes.USAGE}


def item(kind: str, **fields: object) -> Any:
    return {"id": "i_1", "type": kind, **fields}


def spoken(text: str, kind: str = "output_text") -> Any:
    field = "refusal" if kind == "refusal" else "text"
    return item("message", status="completed", role="assistant", content=[{"type": kind, field: text}])


def incomplete(reason: str) -> Any:
    return wholes.response([spoken("Hello")], status="incomplete", incomplete_details={"reason": reason})


def several(*reasons: str) -> Any:
    whole = wholes.chat({"content": "Hello"})
    whole["choices"] = [whole["choices"][0] | {"index": at, "finish_reason": one} for at, one in enumerate(reasons)]
    return whole


CHAT, COMPLETION, MESSAGES, RESPONSES = Kind.CHAT, Kind.COMPLETION, Kind.MESSAGES, Kind.RESPONSES
ENDS = [
    (CHAT, wholes.chat({"content": "Hello"}), "stop", "Hello"),
    (CHAT, wholes.chat({"content": "Hello"}, "length"), "length", "Hello"),
    (CHAT, wholes.chat({"content": "Hello"}, "content_filter"), "filter", "Hello"),
    (CHAT, wholes.chat({"content": "Hello"}, "sensitive"), "filter", "Hello"),
    (CHAT, wholes.chat({"tool_calls": CALL}, "tool_calls"), "tools", ""),
    (CHAT, wholes.chat({"content": "Wait.", "tool_calls": CALL}, "stop"), "tools", "Wait."),
    (CHAT, wholes.chat({"function_call": {"name": "f", "arguments": "{}"}}, "function_call"), "tools", ""),
    (CHAT, wholes.chat({"refusal": "I cannot."}), "refusal", "I cannot."),
    (CHAT, wholes.chat({"content": "Hello", "reasoning_content": "Hm"}, "STOP"), "stop", "Hello"),
    (
        CHAT,
        wholes.chat({"content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]}),
        "stop",
        "Hello",
    ),
    (CHAT, wholes.chat({"content": "Hello"}, "insufficient_system_resource"), "incomplete", "Hello"),
    (CHAT, wholes.chat({"content": "Hello"}, None), "incomplete", "Hello"),
    (CHAT, wholes.chat({"content": "Hello"}, "error"), "error", "Hello"),
    (CHAT, several("stop", "stop"), "stop", "Hello\nHello"),
    (CHAT, several("stop", "length"), "length", "Hello\nHello"),
    (CHAT, several("tool_calls", "content_filter"), "filter", "Hello\nHello"),
    (COMPLETION, completion("stop"), "stop", "Hello"),
    (COMPLETION, completion("length"), "length", "Hello"),
    (COMPLETION, completion(None), "incomplete", "Hello"),
    (MESSAGES, wholes.message(TEXT), "stop", "Hello"),
    (MESSAGES, wholes.message(TEXT, stop="stop_sequence"), "stop", "Hello"),
    (MESSAGES, wholes.message(TEXT, stop="max_tokens"), "length", "Hello"),
    (MESSAGES, wholes.message(TEXT, stop="model_context_window_exceeded"), "length", "Hello"),
    (MESSAGES, wholes.message(TEXT, USED, stop="tool_use"), "tools", "Hello"),
    (MESSAGES, wholes.message(USED, stop="end_turn"), "tools", ""),
    (MESSAGES, wholes.message(SEARCH, TEXT), "stop", "Hello"),
    (MESSAGES, wholes.message(TEXT, stop="refusal"), "refusal", "Hello"),
    (MESSAGES, wholes.message(TEXT, stop="pause_turn"), "incomplete", "Hello"),
    (RESPONSES, wholes.response([spoken("Hello")]), "stop", "Hello"),
    (RESPONSES, incomplete("max_output_tokens"), "length", "Hello"),
    (RESPONSES, incomplete("content_filter"), "filter", "Hello"),
    (RESPONSES, incomplete("unheard_of"), "incomplete", "Hello"),
    (RESPONSES, wholes.response([spoken("Wait."), item("function_call", name="f", arguments="{}")]), "tools", "Wait."),
    (RESPONSES, wholes.response([item("mcp_approval_request")]), "tools", ""),
    (RESPONSES, wholes.response([item("web_search_call", status="completed"), spoken("Hello")]), "stop", "Hello"),
    (RESPONSES, wholes.response([item("reasoning", summary=[]), spoken("No.", "refusal")]), "refusal", "No."),
]


@pytest.mark.parametrize(("kind", "whole", "ended", "text"), ENDS)
def test_how_it_ended(kind: Kind, whole: Any, ended: str, text: str) -> None:
    """By the reason that it gives and by what it holds, whole or as a stream; its usage as the codec reads it."""
    body = wholes.dumped(whole)
    for said in (
        finish(kind, body, streamed=False),
        finish(kind, b"".join(to_events(kind, body)), streamed=True),
    ):
        assert (said.ended, said.text) == (ended, text)
        assert said.usage is not None


def test_usage() -> None:
    """Each maker's counts in our words; None where there are none."""
    got = finish(Kind.CHAT, wholes.dumped(wholes.chat({"content": "a"})), streamed=False).usage
    assert got == Usage(9, 12, 4, reasoning=3)
    assert finish(Kind.MESSAGES, wholes.dumped(wholes.message(TEXT)), streamed=False).usage == Usage(12, 5, 2)
    got = finish(Kind.RESPONSES, wholes.dumped(wholes.response([])), streamed=False).usage
    assert got == Usage(7, 9, 2, reasoning=4)
    silent = b"".join(to_events(Kind.CHAT, wholes.dumped(wholes.chat({"content": "a"})), usage=False))
    assert finish(Kind.CHAT, silent, streamed=True).usage is None


@pytest.mark.parametrize(("kind", "whole", "ended", "text"), ENDS)
def test_a_stream_that_was_cut(kind: Kind, whole: Any, ended: str, text: str) -> None:
    """Wherever it is cut between two events: it is no answer."""
    events = to_events(kind, wholes.dumped(whole))
    for count in range(len(events)):
        assert finish(kind, b"".join(events[:count]), streamed=True).ended == "cut"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.CHAT, b'{"error":{"message":"overloaded"}}'),
        (Kind.CHAT, b"{"),
        (Kind.CHAT, b'{"choices":[]}'),
        (Kind.CHAT, b'{"choices":[{"message":{},"finish_reason":"stop"}],"usage":[]}x'),
        (Kind.COMPLETION, b'{"choices":5}'),
        (Kind.MESSAGES, b'{"type":"error","error":{"type":"overloaded_error","message":""}}'),
        (Kind.MESSAGES, b'{"type":"message","content":"x"}'),
        (Kind.RESPONSES, b'{"object":"response","status":"failed","output":[]}'),
        (Kind.RESPONSES, b'{"error":{"message":"overloaded"}}'),
        (Kind.EMBEDDING, b'{"object":"list","data":[]}'),
    ],
)
def test_errors(kind: Kind, body: bytes) -> None:
    """An error in the place of an answer, and what cannot be read."""
    assert finish(kind, body, streamed=False).ended == "error"


@pytest.mark.parametrize(
    ("kind", "events"),
    [
        (Kind.CHAT, b'data: {"error":{"message":"overloaded"}}\n\ndata: [DONE]\n\n'),
        (Kind.MESSAGES, b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error"}}\n\n'),
        (Kind.RESPONSES, b'event: error\ndata: {"type":"error","message":"overloaded"}\n\n'),
        (Kind.RESPONSES, b'event: response.failed\ndata: {"type":"response.failed","response":{}}\n\n'),
        (Kind.RESPONSES, b'event: x\ndata: {"type":[],"error":1}\n\n'),
        (Kind.EMBEDDING, b"data: {}\n\n"),
    ],
)
def test_streams_with_errors(kind: Kind, events: bytes) -> None:
    """An event that says so, or a stream of what has none."""
    assert finish(kind, events, streamed=True).ended == "error"


def test_embeddings() -> None:
    """They say nothing, and cost their prompt."""
    body = b'{"object":"list","data":[{"embedding":[0.5],"index":0}],"usage":{"prompt_tokens":3,"total_tokens":3}}'
    said = finish(Kind.EMBEDDING, body, streamed=False)
    assert (said.ended, said.text, said.usage) == ("stop", "", Usage(3))


def test_what_is_new_in_a_stream() -> None:
    """A kind of event that a maker adds does not make an error of an answer, though it has no other shape."""
    *events, end = to_events(Kind.MESSAGES, wholes.dumped(wholes.message(TEXT)))
    new = b'event: unheard_of\ndata: {"type":"unheard_of"}\n\n'
    said = finish(Kind.MESSAGES, b"".join([*events, new, end]), streamed=True)
    assert (said.ended, said.text) == ("stop", "Hello")
    with pytest.raises(ValueError, match="unheard_of"):
        to_whole(Kind.MESSAGES, b"".join([*events, new, end]))


def test_a_call_that_was_too_long() -> None:
    """Its arguments are cut in the middle: it ended by its length, whatever else is wrong."""
    used = {**USED, "input": {"city": "Oslo", "days": 3}}
    events = b"".join(to_events(Kind.MESSAGES, wholes.dumped(wholes.message(used, stop="max_tokens"))))
    cut = events.replace(b'"partial_json":" 3}"', b'"partial_json":""').replace(b"3}", b"")
    assert cut != events
    assert finish(Kind.MESSAGES, cut, streamed=True).ended == "length"
    with pytest.raises(ValueError, match="cut short"):
        to_whole(Kind.MESSAGES, cut)


def test_states() -> None:
    """A response that is not at its end, or was cancelled, is not an answer; what has no ends is none."""
    for status in ("queued", "in_progress", "cancelled"):
        body = wholes.dumped(wholes.response([], status=status))
        assert finish(Kind.RESPONSES, body, streamed=False).ended == "incomplete"
    assert finish(Kind.COUNT, b'{"input_tokens":3}', streamed=False).ended == "incomplete"


@given(st.sampled_from(list(Kind)), st.binary(max_size=60), st.booleans())
def test_never_raises(kind: Kind, body: bytes, streamed: bool) -> None:
    """Whatever the bytes are."""
    assert isinstance(finish(kind, body, streamed=streamed), Finish)


def spoilt(body: bytes) -> Iterator[bytes]:
    """The same with one value that is another, for each of them."""
    for place in [at + 1 for at in range(len(body)) if body[at : at + 1] == b":"]:
        stop = min([end for end in (body.find(b",", place), body.find(b"}", place)) if end > 0], default=len(body))
        for value in (b"[]", b"{}", b"[1]", b'"x"', b"1", b"null"):
            yield body[:place] + value + body[stop:]


@pytest.mark.parametrize(("kind", "whole", "ended", "text"), ENDS)
def test_never_raises_on_what_was_an_answer(kind: Kind, whole: Any, ended: str, text: str) -> None:
    """A value of another type, wherever it stands, is an error at most."""
    body = wholes.dumped(whole)
    for spoiled in spoilt(body):
        assert isinstance(finish(kind, spoiled, streamed=False), Finish)
    if ended == "tools":
        for spoiled in spoilt(b"".join(to_events(kind, body))):
            assert isinstance(finish(kind, spoiled, streamed=True), Finish)
