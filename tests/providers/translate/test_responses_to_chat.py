"""Clients of the Responses API at providers of chat completions, as a whole."""

import json
from typing import Any

from tests.providers.served import served
from tests.providers.translate.responses_wire import USAGE, Json, completion, cross, dumped, followed
from tests.providers.translate.responses_wire import read as heard
from tests.providers.translate.wire import message, message_events
from tidegate.providers.codec import Asked
from tidegate.providers.responses.answer import usage_of
from tidegate.providers.responses.request import read
from tidegate.providers.responses.stream import ResponseTap
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.face import Crossing
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_to_chat import ResponsesToChat
from tidegate.providers.translate.through import Through

TOOL: Json = {"type": "function", "name": "f", "parameters": {"type": "object"}, "strict": True}
CALL: Json = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


def test_it_is_a_crossing() -> None:
    """And what it makes of one request serves many attempts."""
    crossing: Crossing = ResponsesToChat()
    crossed = crossing.request(dumped({"model": "m", "input": "hi"}), "qwen", 1)
    assert crossed.reply.answer(dumped(completion(content="a"))) == crossed.reply.answer(
        dumped(completion(content="a"))
    )
    assert crossed.reply.stream() is not crossed.reply.stream()


def test_a_conversation_with_the_sdk() -> None:
    """The output of one turn is the input of the next, as it is."""
    first = cross(tools=[TOOL]).reply.answer(
        dumped(completion("tool_calls", reasoning_content="Hm", tool_calls=[CALL]))
    )
    with served(first) as client:
        turn: Any = client.responses.create(model="m", input="hi", tools=[TOOL])  # type: ignore[list-item]
    items: list[Any] = [{"role": "user", "content": "hi"}]
    items += [item.model_dump(exclude_none=True) for item in turn.output]
    items.append({"type": "function_call_output", "call_id": turn.output[-1].call_id, "output": "42"})
    crossed = cross(input=items, tools=[TOOL])
    assert json.loads(crossed.body)["messages"] == [
        {"role": "user", "content": "hi"},
        {"role": "assistant", "tool_calls": [CALL]},
        {"role": "tool", "content": "42", "tool_call_id": "call_1"},
    ]
    assert crossed.dropped == ("input.reasoning",)
    last = crossed.reply.answer(dumped(completion(content="It is 42.")))
    with served(last) as client:
        assert client.responses.create(model="m", input=items).output_text == "It is 42."


def test_what_comes_back_is_of_the_dialect() -> None:
    """The gate's own codec reads it as it would a provider's."""
    crossed = cross(stream=True)
    whole = crossed.reply.answer(dumped(completion(content="a")))
    details = {"input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 3}}
    assert usage_of(whole) == usage_of(dumped({"usage": {"input_tokens": 10, "output_tokens": 5, **details}}))
    chunks = [{"index": 0, "delta": {"content": "a"}}], [{"index": 0, "delta": {}, "finish_reason": "stop"}], []
    events = b"".join(
        b"data: %b\n\n" % dumped({"id": "c", "choices": choices, "usage": None if choices else USAGE})
        for choices in chunks
    )
    tap, stream = ResponseTap(), crossed.reply.stream().feed(events + b"data: [DONE]\n\n")
    assert tap.feed(stream) == stream
    assert (tap.finished, tap.committed, tap.failure, tap.usage) == (True, True, b"", usage_of(whole))


def test_a_translated_conversation_is_one_that_can_be_asked() -> None:
    """What an answer holds is read as an input again."""
    whole = json.loads(cross().reply.answer(dumped(completion(content="a", tool_calls=[CALL]))))
    body = dumped({"model": "m", "input": [*whole["output"], {"role": "user", "content": "b"}]})
    asked = read(body)
    assert isinstance(asked, Asked)
    assert asked.messages == 2


def test_over_chat_to_anthropics_messages() -> None:
    """Chat completions are the hub: from there on the way is another's."""
    crossing = Through(ResponsesToChat(ChatCan(reasoning_content=True, cache_control=True)), ChatToMessages())
    shown = {"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo=", "detail": "auto"}
    items: list[Json] = [
        {"role": "user", "content": "look"},
        {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": '{"x":1}'},
        {"type": "function_call_output", "call_id": "call_1", "output": [shown]},
    ]
    body = dumped({"model": "m", "input": items, "tools": [TOOL], "stream": True, "max_output_tokens": 9})
    crossed = crossing.request(body, "claude-3-haiku", 1)
    roles = [turn["role"] for turn in json.loads(crossed.body)["messages"]]
    assert roles == ["user", "assistant", "user"]
    assert b'"type":"image"' in crossed.body
    thought: Json = {"type": "thinking", "thinking": "Hm", "signature": "s"}
    call: Json = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"x": 1}}
    whole = message(thought, {"type": "text", "text": "Hello"}, call, stop="tool_use")
    told = followed(heard(crossed.reply.stream().feed(b"".join(message_events(whole)))))
    assert told == json.loads(crossed.reply.answer(dumped(whole)))
    assert [item["type"] for item in told["output"]] == ["reasoning", "message", "function_call"]
