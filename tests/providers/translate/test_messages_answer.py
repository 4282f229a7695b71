"""Chat completions as answers of messages."""

import json

import pytest
from anthropic.types import Message

from tests.providers.translate.wire import Json, completion, dumped, to_chat
from tidegate.providers.translate.messages_answer import message_id

CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}
USE = {"type": "tool_use", "id": "call_1", "name": "f", "input": {"a": 1}}
TEXT = {"type": "text", "text": "Hello"}
THINKING = {"thinking": {"type": "enabled", "budget_tokens": 2048}}


def answered(whole: Json, **fields: object) -> Json:
    _, crossed = to_chat(**fields)
    answer: Json = json.loads(crossed.reply.answer(dumped(whole)))
    Message.model_validate(answer, strict=True)
    return answer


def test_an_answer() -> None:
    """Every field that Anthropic documents is there."""
    details = {"prompt_tokens_details": {"cached_tokens": 4}, "completion_tokens_details": {"reasoning_tokens": 2}}
    whole = completion(content="Hello")
    whole["usage"] |= details
    assert answered(whole) == {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "gpt-4o",
        "content": [TEXT],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": {
            "input_tokens": 6,
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 4,
            "output_tokens": 5,
            "output_tokens_details": {"thinking_tokens": 2},
        },
    }


@pytest.mark.parametrize(
    ("said", "blocks"),
    [
        ({}, []),
        ({"content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]}, [TEXT]),
        ({"content": "Hello", "tool_calls": [CALL]}, [TEXT, USE]),
        ({"refusal": "Hello"}, [TEXT]),
        ({"tool_calls": [{"function": {"name": "f", "arguments": ""}}]}, [{**USE, "id": "toolu_1_0", "input": {}}]),
        (
            {"tool_calls": [{**CALL, "function": {"name": "f", "arguments": "{oops"}}]},
            [{**USE, "input": {"invalid_json": "{oops"}}],
        ),
        ({"content": "Hello", "reasoning_content": "Hm"}, [TEXT]),
    ],
)
def test_blocks(said: Json, blocks: list[Json]) -> None:
    """A text, then calls; a thought only for who asked for thinking."""
    assert answered(completion(**said))["content"] == blocks


@pytest.mark.parametrize(
    ("said", "thought"),
    [
        ({"reasoning_content": "Hm"}, {"type": "thinking", "thinking": "Hm", "signature": ""}),
        ({"reasoning": "Hm"}, {"type": "thinking", "thinking": "Hm", "signature": ""}),
        (
            {"reasoning_content": "Hm", "thinking_blocks": [{"type": "thinking", "thinking": "Hm", "signature": "s"}]},
            {"type": "thinking", "thinking": "Hm", "signature": "s"},
        ),
    ],
)
def test_thoughts(said: Json, thought: Json) -> None:
    """With their seal, where the provider gave one."""
    assert answered(completion(content="Hello", **said), **THINKING)["content"] == [thought, TEXT]


@pytest.mark.parametrize(
    ("finish", "said", "stop"),
    [
        ("stop", {}, "end_turn"),
        ("length", {}, "max_tokens"),
        ("tool_calls", {"tool_calls": [CALL]}, "tool_use"),
        ("function_call", {}, "tool_use"),
        ("content_filter", {}, "refusal"),
        ("stop", {"tool_calls": [CALL]}, "tool_use"),
        ("stop", {"refusal": "No."}, "refusal"),
        ("something_new", {}, "end_turn"),
        (None, {}, "end_turn"),
    ],
)
def test_reasons(finish: str | None, said: Json, stop: str) -> None:
    """All that are documented, and those to come; a call is a reason of its own."""
    assert answered(completion(finish, **said))["stop_reason"] == stop


@pytest.mark.parametrize(("found", "met"), [("END", "END"), ("OTHER", None), (128_009, None)])
def test_a_stop_sequence(found: object, met: str | None) -> None:
    """Told where the provider tells it."""
    whole = completion(content="Hello")
    whole["choices"][0]["stop_reason"] = found
    answer = answered(whole, stop_sequences=["END"])
    assert (answer["stop_sequence"], answer["stop_reason"]) == (met, "stop_sequence" if met else "end_turn")


def test_ids() -> None:
    """The provider's own, in Anthropic's form."""
    assert [message_id(ident) for ident in ("chatcmpl-1", "abc", None)] == ["msg_1", "msg_abc", "msg_"]


@pytest.mark.parametrize("body", [b"", b"{}", b'{"choices":[]}', b'{"choices":[{"index":1,"message":{}}]}', b"[1]"])
def test_no_answer(body: bytes) -> None:
    """What has no choice is an error, not an empty answer."""
    _, crossed = to_chat()
    with pytest.raises(ValueError, match="."):
        crossed.reply.answer(body)
