"""Streams of chat completions as streams of messages."""

import json

import httpx2
import pytest
from anthropic import Anthropic
from anthropic.types import RawMessageStreamEvent
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tests.providers.translate.conversations import Json, messages
from tests.providers.translate.wire import (
    DONE,
    call_chunk,
    chunk,
    completion,
    completion_chunks,
    data_of,
    dumped,
    gathered_message,
    to_chat,
    to_messages,
)
from tidegate.providers.openai.stream import StreamTap
from tidegate.providers.translate import messages_stream
from tidegate.providers.translate.face import Reply

THINKING = {"thinking": {"type": "enabled", "budget_tokens": 2048}}
OFFICIAL: TypeAdapter[RawMessageStreamEvent] = TypeAdapter(RawMessageStreamEvent)
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
WHOLE = completion("tool_calls", reasoning_content="Hm", content="Hello 世界", tool_calls=[CALL, {**CALL, "id": "b"}])


def reply(**fields: object) -> Reply:
    return to_chat(**({"stream": True} | THINKING | fields))[1].reply


def completions() -> st.SearchStrategy[Json]:
    """Chat completions, made of messages; what of a thought only a seal can say is left out."""
    _, crossed = to_messages()
    return messages(thoughts=False).map(lambda whole: json.loads(crossed.reply.answer(dumped(whole))))


@given(completions(), st.integers(1, 5), st.text("abc", max_size=8))
def test_a_stream_says_what_the_answer_says(whole: Json, size: int, thought: str) -> None:
    """However its texts are cut, put together it is the translated answer."""
    whole["choices"][0]["message"]["reasoning_content"] = thought
    chunks = completion_chunks(whole | {"id": "chatcmpl-1", "model": "gpt-4o"}, size)
    stream = reply().stream()
    said = b"".join([stream.feed(one) for one in chunks])
    told = json.loads(reply().answer(dumped(whole | {"id": "chatcmpl-1", "model": "gpt-4o"})))
    assert gathered_message(said) == told | {"ended": True}
    assert reply().stream().feed(b"".join(chunks)) == said
    for one in data_of(said):
        OFFICIAL.validate_python(one)


def test_a_sealed_thought_comes_back() -> None:
    """Through both translations: text, seal and redacted thought are the same."""
    thoughts = [
        {"type": "thinking", "thinking": "Hm", "signature": "s"},
        {"type": "redacted_thinking", "data": "d"},
        {"type": "thinking", "thinking": "Well", "signature": "t"},
    ]
    stream = reply().stream()
    said = stream.feed(chunk({"role": "assistant", "content": ""}))
    for number, thought in enumerate(thoughts):
        for piece in thought.get("thinking", ""):
            blocks = [{"index": number, "type": "thinking", "thinking": piece}]
            said += stream.feed(chunk({"reasoning_content": piece, "thinking_blocks": blocks}))
        seal = {name: value for name, value in thought.items() if name != "thinking"}
        said += stream.feed(chunk({"thinking_blocks": [{"index": number, **seal}]}))
    assert gathered_message(said + stream.feed(chunk({"content": "A"}, "stop") + DONE))["content"] == [
        *thoughts,
        {"type": "text", "text": "A"},
    ]


def test_cut_at_every_byte() -> None:
    """The tap makes whole events of it: the same is put together, wherever the network cuts."""
    raw = b"".join(completion_chunks(WHOLE, 8))
    way = reply()
    expected = way.stream().feed(raw)
    for cut in range(len(raw) + 1):
        tap, stream = StreamTap(keep_usage=True), way.stream()
        assert b"".join([stream.feed(tap.feed(piece)) for piece in (raw[:cut], raw[cut:])]) == expected, cut


@given(st.integers(0, len(completion_chunks(WHOLE)) - 1))
def test_no_end_without_an_end(events: int) -> None:
    """A stream that breaks off before `[DONE]` is never said to be whole."""
    said = reply().stream().feed(b"".join(completion_chunks(WHOLE)[:events]))
    assert b"message_stop" not in said
    assert b"message_delta" not in said


def test_nothing_after_the_end() -> None:
    """Whatever a provider still sends."""
    stream = reply().stream()
    stream.feed(b"".join(completion_chunks(WHOLE)))
    assert stream.feed(chunk({"content": "more"}) + DONE) == b""


def test_thoughts_for_who_asked() -> None:
    """They are not shown to others."""
    said = reply(thinking={"type": "disabled"}).stream().feed(b"".join(completion_chunks(WHOLE)))
    assert [block["type"] for block in gathered_message(said)["content"]] == ["text", "tool_use", "tool_use"]


def test_what_is_passed_over() -> None:
    """Comments, other choices, and chunks of nothing before the first."""
    stream = reply().stream()
    other = chunk({"content": "B"}).replace(b'"index":0', b'"index":1')
    assert stream.feed(b": ping\n\n" + chunk(prompt_filter_results=[]) + other) == b""
    assert stream.feed(chunk({"role": "assistant"})).startswith(b"event: message_start\n")
    assert stream.feed(chunk({}) + other) == b""


MIXED = [call_chunk(0, "{"), call_chunk(1, '{"x":'), call_chunk(0, "}"), call_chunk(1, "1}")]


@pytest.mark.parametrize(
    ("chunks", "blocks"),
    [
        (
            [call_chunk(0, "", "a", "f"), call_chunk(1, "", "b", "g"), *MIXED],
            [("a", {}), ("b", {"x": 1})],
        ),
        (
            [call_chunk(0, "{", "a", "f"), chunk({"content": "A"}), chunk({"content": "B"}), call_chunk(0, "}")],
            [("a", {}), "AB"],
        ),
        (
            [call_chunk(0, "{}", "a", "f"), chunk({"content": "A"}), call_chunk(1, "{}", "b", "f")],
            [("a", {}), "A", ("b", {})],
        ),
        (
            [call_chunk(0, "{", "a", "f"), chunk({"content": "A"}), call_chunk(0, "}"), chunk({"content": "B"})],
            [("a", {}), "AB"],
        ),
    ],
    ids=["interleaved calls", "a text in a call", "a text between calls", "texts in a call and after it"],
)
def test_blocks_follow_each_other(chunks: list[bytes], blocks: list[object]) -> None:
    """However a provider mixes them, each is whole before the next begins."""
    whole = gathered_message(reply().stream().feed(b"".join(chunks) + chunk({}, "tool_calls") + DONE))
    said = [block["text"] if block["type"] == "text" else (block["id"], block["input"]) for block in whole["content"]]
    assert said == blocks
    assert whole["stop_reason"] == "tool_use"


def test_a_refusal() -> None:
    """Its words are a text, and it is the reason to stop."""
    raw = chunk({"content": "A"}) + chunk({"refusal": "N"}) + chunk({"refusal": "o"}, "stop") + DONE
    whole = gathered_message(reply().stream().feed(raw))
    assert [block["text"] for block in whole["content"]] == ["A", "No"]
    assert whole["stop_reason"] == "refusal"


def test_a_stop_sequence() -> None:
    """Told where the provider tells it."""
    end = {"index": 0, "delta": {}, "finish_reason": "stop", "stop_reason": "END"}
    raw = chunk({"content": "A"}) + b"data: %b\n\n" % dumped({"choices": [end]}) + DONE
    whole = gathered_message(reply(stop_sequences=["END"]).stream().feed(raw))
    assert (whole["stop_reason"], whole["stop_sequence"]) == ("stop_sequence", "END")


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """What comes in the middle of a call is held only so far."""
    monkeypatch.setattr(messages_stream, "MOST_HELD", 1000)
    stream = reply().stream()
    stream.feed(call_chunk(0, "{", "a", "f"))
    with pytest.raises(ValueError, match="longer than"):
        for _ in range(100):
            stream.feed(chunk({"content": "x" * 50}))


@pytest.mark.parametrize(
    "bad", [b"data: {\n\n", b"data: []\n\n", b"data: \xff\n\n", DONE, chunk({"content": 3})], ids=range(5)
)
def test_what_is_no_chunk(bad: bytes) -> None:
    """It is an error, and so no silent truncation."""
    with pytest.raises(ValueError, match="."):
        reply().stream().feed(bad)


@given(completions())
def test_the_official_client_gathers_it(whole: Json) -> None:
    """Anthropic's own client finds in the stream what the translated answer says."""
    raw = reply().stream().feed(b"".join(completion_chunks(whole)))
    sent = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=raw)
    with (
        httpx2.Client(transport=httpx2.MockTransport(lambda _: sent)) as web,
        Anthropic(api_key="k", http_client=web) as client,
        client.messages.stream(model="m", max_tokens=9, messages=[{"role": "user", "content": "Q"}]) as stream,
    ):
        final = stream.get_final_message()
    told = json.loads(reply().answer(dumped(whole)))
    assert [block.to_dict() for block in final.content] == told["content"]
    assert (final.stop_reason, final.usage.output_tokens) == (told["stop_reason"], told["usage"]["output_tokens"])
    assert final.usage.input_tokens == told["usage"]["input_tokens"]
