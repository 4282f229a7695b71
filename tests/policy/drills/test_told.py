"""What a gate's reply says to a drill."""

import json

from tidegate.policy.drills.told import ToolCall, error_of, streamed, whole


def event(**delta: object) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": None}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def test_a_whole_answer() -> None:
    """Text, reason, tools and usage."""
    body = {
        "choices": [
            {
                "message": {
                    "content": "7 天",
                    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}],
                },
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2},
    }
    told = whole(json.dumps(body).encode())
    assert (told.text, told.finish, told.tools, told.tokens) == ("7 天", "stop", (ToolCall("f", "{}"),), 5)
    assert not told.problem


def test_what_is_no_answer() -> None:
    """Another maker's answer, an error with 200, or no JSON: each is told as such."""
    assert whole(b'{"type":"message","content":[{"type":"text","text":"hi"}]}').problem
    assert "quota" in whole(b'{"error":{"message":"no quota"}}').problem
    assert whole(b"<html>").problem
    assert whole(b'{"choices":[]}').problem


def test_a_stream() -> None:
    """Pieces are put together, those of tools by their number; the usage comes last."""
    tools = [{"index": 0, "function": {"name": "f", "arguments": '{"a"'}}]
    more = [{"index": 0, "function": {"arguments": ":1}"}}]
    usage = b'data: {"choices":[],"usage":{"prompt_tokens":1,"completion_tokens":2}}\n\n'
    events = event(content="7 "), event(content="days"), event(tool_calls=tools), event(tool_calls=more)
    told = streamed(b"".join(events) + usage + b"data: [DONE]\n\n")
    assert (told.text, told.tools, told.tokens) == ("7 days", (ToolCall("f", '{"a":1}'),), 3)
    assert not told.problem


def test_a_stream_that_breaks() -> None:
    """Without its end, with an error in it, or with what is no event, it is no answer."""
    assert streamed(event(content="7")).problem == "the stream was cut"
    assert "over" in streamed(event(content="7") + b'data: {"error":{"message":"over"}}\n\n').problem
    assert streamed(b"data: {\n\n").problem


def test_what_a_refusal_says() -> None:
    """Its message, in either form; nothing of what cannot be read."""
    assert error_of(b'{"error":{"message":"why"}}') == "why"
    assert error_of(b'{"error":"why"}') == "why"
    assert error_of(b"secret") == "it cannot be read"
    assert len(error_of(json.dumps({"error": "x" * 9_999}).encode())) == 300
