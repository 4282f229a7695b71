"""Answers of messages as chat completions."""

import json

import pytest
from hypothesis import given
from openai.types.chat import ChatCompletion

from tests.providers.translate.conversations import messages
from tests.providers.translate.wire import CREATED, Json, dumped, message, to_messages
from tidegate.providers.translate.chat_tools import JSON_TOOL

TEXT = {"type": "text", "text": "Hello"}
USE = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "s"}


def answered(whole: Json, **fields: object) -> Json:
    _, crossed = to_messages(**fields)
    answer: Json = json.loads(crossed.reply.answer(dumped(whole)))
    return answer


def test_an_answer() -> None:
    """Every field that OpenAI documents is there."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 4, "cache_creation_input_tokens": 2, "output_tokens": 5}
    usage |= {"output_tokens_details": {"thinking_tokens": 3}, "service_tier": "standard"}
    assert answered(message(TEXT, usage=usage)) == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": CREATED,
        "model": "claude",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "Hello", "refusal": None},
                "logprobs": None,
                "finish_reason": "stop",
            }
        ],
        "usage": {
            "prompt_tokens": 16,
            "completion_tokens": 5,
            "total_tokens": 21,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 2},
            "completion_tokens_details": {"reasoning_tokens": 3},
        },
        "service_tier": "default",
    }


@pytest.mark.parametrize(
    ("blocks", "said"),
    [
        ([], {"content": None}),
        ([TEXT, {"type": "text", "text": "!"}], {"content": "Hello!"}),
        (
            [USE, {**USE, "id": "toolu_2", "input": {}}],
            {
                "content": None,
                "tool_calls": [
                    {"id": "toolu_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}},
                    {"id": "toolu_2", "type": "function", "function": {"name": "f", "arguments": "{}"}},
                ],
            },
        ),
        (
            [THOUGHT, {"type": "redacted_thinking", "data": "d"}, TEXT],
            {
                "content": "Hello",
                "reasoning_content": "Hm",
                "thinking_blocks": [THOUGHT, {"type": "redacted_thinking", "data": "d"}],
            },
        ),
        ([{"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}, TEXT], {"content": "Hello"}),
    ],
)
def test_blocks(blocks: list[Json], said: Json) -> None:
    """Texts are one; calls, thoughts and their seals have their fields; what nobody asked for stays away."""
    choice = answered(message(*blocks))["choices"][0]
    assert choice["message"] == {"role": "assistant", "refusal": None, **said}


@pytest.mark.parametrize(
    ("stop", "finish"),
    [
        ("end_turn", "stop"),
        ("stop_sequence", "stop"),
        ("pause_turn", "stop"),
        ("max_tokens", "length"),
        ("model_context_window_exceeded", "length"),
        ("tool_use", "tool_calls"),
        ("refusal", "content_filter"),
        ("something_new", "stop"),
        (None, "stop"),
    ],
)
def test_reasons(stop: str | None, finish: str) -> None:
    """All that are documented, and those to come."""
    assert answered(message(USE, stop=stop))["choices"][0]["finish_reason"] == finish


def test_wanted_json_is_the_text() -> None:
    """Where it was a tool's input; a call of the client's own tool stays one."""
    wanted = {"response_format": {"type": "json_object"}, "tools": [{"type": "function", "function": {"name": "f"}}]}
    filled = {**USE, "name": JSON_TOOL}
    choice = answered(message(filled, stop="tool_use"), **wanted)["choices"][0]
    assert choice["message"] == {"role": "assistant", "content": '{"a":1}', "refusal": None}
    assert choice["finish_reason"] == "stop"
    choice = answered(message(USE, stop="tool_use"), **wanted)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    choice = answered(message(filled, stop="max_tokens"), **wanted)["choices"][0]
    assert choice["finish_reason"] == "length"


@given(messages())
def test_the_official_client_takes_it(whole: Json) -> None:
    """Every answer fits OpenAI's own types."""
    ChatCompletion.model_validate(answered(whole), strict=True)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b'{"type":"error","content":[]}',
        b'{"type":"message"}',
        b'{"type":"message","content":3}',
    ],
)
def test_no_answer(body: bytes) -> None:
    """What is no message is an error, not an empty answer."""
    _, crossed = to_messages()
    with pytest.raises(ValueError, match="."):
        crossed.reply.answer(body)
