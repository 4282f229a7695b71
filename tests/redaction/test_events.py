"""A streamed answer as it is read."""

import json
from typing import Any

import pytest

from tidegate.redaction.events import MOST_EVENTS, TAIL, is_stream, joined


def sse(*events: Any, name: str = "") -> bytes:
    head = f"event: {name}\n" if name else ""
    return "".join(f"{head}data: {one if isinstance(one, str) else json.dumps(one)}\n\n" for one in events).encode()


def chunk(index: int = 0, finish: str | None = None, **delta: Any) -> dict[str, Any]:
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return {"id": "c1", "object": "chat.completion.chunk", "choices": [choice]}


@pytest.mark.parametrize(("body", "stream"), [(b"data: {}\n\n", True), (b"event: x\n", True), (b": ping\n\n", True),
                                              (b'{"data:": 1}', False), (b"", False)])  # fmt: skip
def test_is_stream(body: bytes, stream: bool) -> None:
    """By how it begins."""
    assert is_stream(body) is stream


def test_chat_completions() -> None:
    """Each choice and each tool's arguments by themselves; equal events once."""
    call = {"index": 0, "id": "t1", "type": "function", "function": {"name": "find", "arguments": '{"q"'}}
    more = {"index": 0, "function": {"arguments": ': "x"}'}}
    body = sse(
        chunk(role="assistant", content=""), chunk(content="Hel"), chunk(1, content="Bon"), chunk(content="lo"),
        chunk(1, content="jour"), chunk(tool_calls=[call]), chunk(tool_calls=[more]), chunk(finish="stop"), "[DONE]",
    )  # fmt: skip
    found = joined(body, cut=False)
    assert found["texts"] == {
        "choices.0.delta.content": "Hello",
        "choices.1.delta.content": "Bonjour",
        "choices.0.delta.tool_calls.0.function.arguments": '{"q": "x"}',
    }
    assert found["count"] == 8
    assert chunk(finish="stop") in found["events"]
    assert found["events"].count(chunk()) == 1
    assert "t1" in json.dumps(found["events"])


def test_messages() -> None:
    """Blocks by their index."""
    body = sse(
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Hel"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "lo"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
        {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}},
        name="any",
    )
    found = joined(body, cut=False)
    assert found["texts"] == {"0.delta.text": "Hello", "1.delta.partial_json": "{}"}
    assert {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 2}} in found[
        "events"
    ]


def test_responses() -> None:
    """A `delta` that is the text itself; numbers and padding tell no event from the next."""
    home = {"type": "response.output_text.delta", "output_index": 0, "content_index": 1}
    said = ({"delta": text, "sequence_number": at, "obfuscation": "x" * at} for at, text in enumerate(("Hel", "lo")))
    body = sse(*(home | one for one in said))
    found = joined(body, cut=False)
    assert found["texts"] == {"0.1.delta": "Hello"}
    assert found["events"] == [home]


def test_completions_and_plain_data() -> None:
    """The older form has no delta; what is no JSON is one text."""
    body = sse({"choices": [{"index": 0, "text": "Hel"}]}, {"choices": [{"index": 0, "text": "lo"}]}, "plain", " too")
    assert joined(body, cut=False)["texts"] == {"choices.0.text": "Hello", "data": "plain too"}


def test_a_stream_that_was_cut() -> None:
    """What is not whole is counted, and the end of a text left out: it may be the beginning of a secret."""
    body = sse(chunk(content="a" * 100))[:-1] + b"\ndata: " + json.dumps(chunk(content="sk-")).encode()[:-9]
    found = joined(body, cut=True)
    assert found["texts"] == {"choices.0.delta.content": "a" * (100 - TAIL)}
    assert found["unread"] == 1


def test_events_are_bounded() -> None:
    """However many differ."""
    assert len(joined(sse(*({"n": n} for n in range(1_000))), cut=False)["events"]) == MOST_EVENTS
