"""Streams of messages as streams of chat completions."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletionChunk

from tests.providers.translate.conversations import Json, messages
from tests.providers.translate.wire import (
    data_of,
    dumped,
    event,
    gathered_chat,
    message,
    message_events,
    to_messages,
    told_chat,
)
from tidegate.providers.anthropic.stream import MessageTap
from tidegate.providers.translate.chat_tools import JSON_TOOL
from tidegate.providers.translate.face import Reply

ASKED = {"stream": True, "stream_options": {"include_usage": True}}
TEXT = {"type": "text", "text": "Hello 世界"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
NONE = {"type": "tool_use", "id": "toolu_2", "name": "g", "input": {}}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "s"}
REDACTED = {"type": "redacted_thinking", "data": "d"}
WHOLE = message(THOUGHT, REDACTED, TEXT, USE, NONE, stop="tool_use")


def reply(**fields: object) -> Reply:
    return to_messages(**(ASKED | fields))[1].reply


@given(messages(), st.integers(1, 5))
def test_a_stream_says_what_the_answer_says(whole: Json, size: int) -> None:
    """However its texts are cut, put together it is the translated answer."""
    way = reply()
    stream = way.stream()
    said = b"".join([stream.feed(one) for one in message_events(whole, size)])
    assert gathered_chat(said) == told_chat(way.answer(dumped(whole)))
    assert reply().stream().feed(b"".join(message_events(whole, size))) == said


@given(messages())
def test_the_official_client_takes_it(whole: Json) -> None:
    """Every chunk fits OpenAI's own types, and its own accumulator finds the same."""
    state: ChatCompletionStreamState[None] = ChatCompletionStreamState()
    *chunks, done = data_of(reply().stream().feed(b"".join(message_events(whole))))
    for one in chunks:
        state.handle_chunk(ChatCompletionChunk.model_validate(one))
    assert done == "[DONE]"
    final = state.current_completion_snapshot
    told = told_chat(reply().answer(dumped(whole)))
    assert (final.choices[0].message.content or None) == told["content"]
    calls = final.choices[0].message.tool_calls or []
    assert [[call.id, call.function.name, call.function.arguments] for call in calls] == told["calls"]
    assert final.choices[0].finish_reason == told["finish"]
    assert final.usage is not None
    assert final.usage.total_tokens == told["usage"]["total_tokens"]


def test_cut_at_every_byte() -> None:
    """The tap makes whole events of it: the same bytes leave, wherever the network cuts."""
    raw = b"".join(message_events(WHOLE, 8))
    way = reply()
    expected = way.stream().feed(raw)
    for cut in range(len(raw) + 1):
        tap, stream = MessageTap(), way.stream()
        assert b"".join([stream.feed(tap.feed(piece)) for piece in (raw[:cut], raw[cut:])]) == expected, cut


@given(st.integers(0, len(message_events(WHOLE)) - 1))
def test_no_end_without_an_end(events: int) -> None:
    """A stream that breaks off is never said to be whole."""
    said = reply().stream().feed(b"".join(message_events(WHOLE)[:events]))
    assert b"[DONE]" not in said
    assert said == b"" or not gathered_chat(said)["ended"]


def test_nothing_after_the_end() -> None:
    """Whatever a provider still sends."""
    stream = reply().stream()
    stream.feed(b"".join(message_events(WHOLE)))
    assert stream.feed(event("content_block_delta", index=0, delta={"type": "text_delta", "text": "more"})) == b""


def test_a_usage_only_for_who_asked() -> None:
    """Neither the last chunk nor the empty field."""
    said = reply(stream_options=None).stream().feed(b"".join(message_events(WHOLE)))
    assert b'"usage"' not in said
    asked = data_of(reply().stream().feed(b"".join(message_events(WHOLE))))
    assert [one["usage"] is not None for one in asked[:-1]] == [False] * (len(asked) - 2) + [True]
    assert asked[-2]["choices"] == []


def test_pings_and_unknown_events() -> None:
    """They say nothing to a client of chat completions."""
    stream = reply().stream()
    assert stream.feed(b": hello\n\n" + event("ping") + event("something_new", x=1)) == b""


def test_a_call_without_arguments() -> None:
    """An empty object, as a client parses it."""
    said = gathered_chat(reply().stream().feed(b"".join(message_events(message(NONE, stop="tool_use")))))
    assert said["calls"] == [["toolu_2", "g", "{}"]]


def test_an_input_that_comes_at_once() -> None:
    """Some providers send it with the start of its block."""
    stream = reply().stream()
    said = stream.feed(event("message_start", message=message()))
    said += stream.feed(event("content_block_start", index=0, content_block=USE))
    said += stream.feed(event("content_block_stop", index=0))
    assert gathered_chat(said)["calls"] == [["toolu_1", "f", '{"a":1}']]


def test_interleaved_calls() -> None:
    """Deltas go to the call whose block they name."""
    stream = reply().stream()
    said = stream.feed(event("message_start", message=message()))
    for index, ident in enumerate("ab"):
        block = {"type": "tool_use", "id": ident, "name": "f", "input": {}}
        said += stream.feed(event("content_block_start", index=index, content_block=block))
    for index, text in ((0, "{"), (1, "{"), (0, "}"), (1, ' "x": 1}')):
        delta = {"type": "input_json_delta", "partial_json": text}
        said += stream.feed(event("content_block_delta", index=index, delta=delta))
    assert gathered_chat(said)["calls"] == [["a", "f", "{}"], ["b", "f", '{ "x": 1}']]


@pytest.mark.parametrize(("given_input", "text"), [({"a": 1}, '{"a":1}'), ({}, "{}")])
def test_wanted_json_is_the_text(given_input: Json, text: str) -> None:
    """Where it is a tool's input."""
    whole = message({**USE, "name": JSON_TOOL, "input": given_input}, stop="tool_use")
    way = reply(response_format={"type": "json_object"})
    said = gathered_chat(way.stream().feed(b"".join(message_events(whole))))
    assert said == told_chat(way.answer(dumped(whole)))
    assert (said["content"], said["calls"], said["finish"]) == (text, [], "stop")


def test_memory_is_bounded() -> None:
    """Blocks that are never closed fail the stream."""
    stream = reply().stream()
    stream.feed(event("message_start", message=message()))
    with pytest.raises(ValueError, match="more than"):
        for index in range(10_000):
            stream.feed(event("content_block_start", index=index, content_block=NONE))


@pytest.mark.parametrize(
    "bad",
    [
        b"data: {\n\n",
        b"data: []\n\n",
        b"data: \xff\n\n",
        event("content_block_delta", index="0"),
        event("content_block_delta", index=0, delta={"type": "input_json_delta", "partial_json": "{"}),
        event("message_stop"),
        event("content_block_delta", index=0, delta={"type": "text_delta", "text": "too early"}),
    ],
)
def test_what_is_no_event(bad: bytes) -> None:
    """It is an error, and so no silent truncation."""
    with pytest.raises(ValueError, match="."):
        reply().stream().feed(bad)
