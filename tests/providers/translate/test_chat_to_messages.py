"""From chat completions to messages and back: what both can say is kept, and nothing breaks it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.translate.conversations import Json, chat_requests, json_values, messages
from tests.providers.translate.wire import CREATED, dumped, event, message, message_events
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.messages_to_chat import MessagesToChat
from tidegate.providers.translate.records import ChatCan, MessagesCan

ABILITIES = [
    MessagesCan(),
    MessagesCan(json_schema=False, thinking="none", sampling="none"),
    MessagesCan(thinking="effort"),
]


@given(chat_requests())
def test_requests_come_back(request: Json) -> None:
    """Text, images, files, calls, results, system prompts, tools, choices and settings."""
    there = ChatToMessages(MessagesCan()).request(dumped(request), "claude-3-haiku", CREATED)
    back = MessagesToChat(ChatCan()).request(there.body, "gpt-4o", CREATED)
    assert json.loads(back.body) == request
    assert (there.dropped, back.dropped) == ((), ())


@given(messages())
def test_answers_come_back(whole: Json) -> None:
    """Thoughts with their seals, text, calls, reasons and tokens."""
    there = ChatToMessages().request(dumped({"model": "m", "messages": [{"role": "user", "content": "Q"}]}), "m", 1)
    asked = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Q"}]}
    thinking = {"thinking": {"type": "adaptive"}}
    back = MessagesToChat(ChatCan()).request(dumped(asked | thinking), "m", 1)
    again = json.loads(back.reply.answer(there.reply.answer(dumped(whole))))
    texts = "".join(block["text"] for block in whole["content"] if block["type"] == "text")
    others = [block for block in whole["content"] if block["type"] != "text"]
    assert "".join(block["text"] for block in again["content"] if block["type"] == "text") == texts
    assert [block for block in again["content"] if block["type"] != "text"] == others
    assert {name: again[name] for name in ("id", "model", "stop_reason", "usage")} == {
        name: whole[name] for name in ("id", "model", "stop_reason", "usage")
    }


@st.composite
def damaged(draw: st.DrawFn) -> Json:
    """A request with any JSON in the place of one of its values, at any depth."""
    request = draw(chat_requests())
    where: object = request
    while True:
        keys: list[object] = list(where) if isinstance(where, dict) else list(range(len(where)))  # type: ignore[arg-type]
        key = draw(st.sampled_from(keys))
        inner = where[key]  # type: ignore[index]
        if not isinstance(inner, dict | list) or not inner or draw(st.booleans()):
            where[key] = draw(json_values)  # type: ignore[index]
            return request
        where = inner


@given(damaged() | json_values, st.sampled_from(ABILITIES))
def test_no_request_breaks_it(request: object, can: MessagesCan) -> None:
    """Any JSON is translated into JSON with names that can stand in a header, or refused."""
    with suppress(Untranslatable):
        crossed = ChatToMessages(can).request(dumped(request), "m", CREATED)
        json.loads(crossed.body)
        assert all(name.isascii() and name.isprintable() for name in crossed.dropped)


@given(st.binary(max_size=60) | json_values.map(dumped))
def test_no_answer_breaks_it(body: bytes) -> None:
    """Any bytes are an answer, or a `ValueError`; the same in a stream."""
    reply = ChatToMessages().request(b'{"model":"m","messages":[{"role":"user","content":"Q"}]}', "m", 1).reply
    with pytest.raises(ValueError, match="."):
        reply.answer(body)
    stream = reply.stream()
    stream.feed(message_events(message())[0])
    with suppress(ValueError):
        assert b"[DONE]" not in stream.feed(b"data: %b\n\n" % body.replace(b"\n", b" "))


KINDS = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta", "ping"]
FIELDS = ["index", "delta", "content_block", "message", "usage", "type", "text", "input", "id", "name", "thinking"]
FIELDS += ["partial_json", "signature", "data", "stop_reason", "input_tokens"]
shapes = st.recursive(
    st.none() | st.integers(-1, 3) | st.sampled_from(["", "tool_use", "text", "thinking", "input_json_delta", "{}"]),
    lambda inner: st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(st.tuples(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(FIELDS[:5]), shapes)), max_size=6))
def test_no_event_breaks_it(events: list[tuple[str, Json]]) -> None:
    """Events of any content are chunks of JSON, or a `ValueError`; without message_stop there is no end."""
    reply = ChatToMessages().request(b'{"model":"m","messages":[{"role":"user","content":"Q"}]}', "m", 1).reply
    stream = reply.stream()
    try:
        said = b"".join([stream.feed(event(kind, **fields)) for kind, fields in events])
    except ValueError:
        return
    for line in said.splitlines():
        assert not line or json.loads(line.removeprefix(b"data: "))
