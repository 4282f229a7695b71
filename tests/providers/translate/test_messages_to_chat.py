"""From messages to chat completions: nothing breaks it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.translate.conversations import Json, chat_requests, json_values
from tests.providers.translate.wire import CREATED, chunk, data_of, dumped, gathered_message
from tidegate.providers.translate.chat_to_messages import ChatToMessages
from tidegate.providers.translate.face import Reply, Untranslatable
from tidegate.providers.translate.messages_to_chat import MessagesToChat
from tidegate.providers.translate.records import ChatCan

ABILITIES = [
    ChatCan(),
    ChatCan(reasoning_content=True, reasoning_effort=False, cache_control=True, max_completion_tokens=False),
]


def reply() -> Reply:
    asked = {"model": "m", "max_tokens": 1, "messages": [{"role": "user", "content": "Q"}]}
    return MessagesToChat().request(dumped(asked | {"thinking": {"type": "adaptive"}}), "m", 1).reply


@given(chat_requests())
def test_requests_come_back(request: Json) -> None:
    """Once in the words of messages, a request stays the same on every further way there and back."""
    first = ChatToMessages().request(dumped(request), "m", CREATED).body
    second = ChatToMessages().request(MessagesToChat().request(first, "m", CREATED).body, "m", CREATED)
    assert json.loads(second.body) == json.loads(first)


@st.composite
def damaged(draw: st.DrawFn) -> Json:
    """A request with any JSON in the place of one of its values, at any depth."""
    request = json.loads(ChatToMessages().request(dumped(draw(chat_requests())), "m", CREATED).body)
    where = request
    while True:
        keys = list(where) if isinstance(where, dict) else list(range(len(where)))
        key = draw(st.sampled_from(keys))
        if not isinstance(where[key], dict | list) or not where[key] or draw(st.booleans()):
            where[key] = draw(json_values)
            return request  # type: ignore[no-any-return]
        where = where[key]


@given(damaged() | json_values, st.sampled_from(ABILITIES))
def test_no_request_breaks_it(request: object, can: ChatCan) -> None:
    """Any JSON is translated into JSON with names that can stand in a header, or refused."""
    with suppress(Untranslatable):
        crossed = MessagesToChat(can).request(dumped(request), "m", CREATED)
        json.loads(crossed.body)
        assert all(name.isascii() and name.isprintable() for name in crossed.dropped)


@given(st.binary(max_size=60) | json_values.map(dumped))
def test_no_answer_breaks_it(body: bytes) -> None:
    """Any bytes are an answer, or a `ValueError`; the same in a stream."""
    with pytest.raises(ValueError, match="."):
        reply().answer(body)
    stream = reply().stream()
    stream.feed(chunk({"role": "assistant"}))
    with suppress(ValueError):
        assert b"message_stop" not in stream.feed(b"data: %b\n\n" % body.replace(b"\n", b" "))


calls = st.fixed_dictionaries(
    {},
    optional={
        "index": st.none() | st.integers(-1, 2),
        "id": st.none() | st.sampled_from(["", "a", "b"]),
        "function": st.fixed_dictionaries(
            {},
            optional={
                "name": st.none() | st.just("f"),
                "arguments": st.sampled_from(["", "{", "}", '"a"', ":1", "{}"]),
            },
        ),
    },
)
deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": st.none() | st.text(max_size=3),
        "refusal": st.none() | st.text(max_size=3),
        "reasoning_content": st.none() | st.text(max_size=3),
        "tool_calls": st.none() | st.lists(calls, max_size=2),
    },
)


@given(st.lists(deltas, max_size=8))
def test_any_order_of_deltas(made: list[Json]) -> None:
    """Blocks follow each other, each begun and ended once, whatever a provider mixes; no text is lost."""
    stream = reply().stream()
    said = stream.feed(chunk({"role": "assistant"}) + b"".join(chunk(delta) for delta in made) + b"data: [DONE]\n\n")
    kinds = [one["type"] for one in data_of(said)]
    assert kinds.count("content_block_start") == kinds.count("content_block_stop")
    assert kinds[-2:] == ["message_delta", "message_stop"]
    parts = [one.get("delta", {}).get("text", "") for one in data_of(said) if one["type"] == "content_block_delta"]
    expected = [text for delta in made for text in (delta.get("content"), delta.get("refusal")) if text]
    assert "".join(parts) == "".join(expected)


def test_a_plain_stream() -> None:
    """The shortest there is."""
    said = reply().stream().feed(chunk({"content": "A"}, "stop") + b"data: [DONE]\n\n")
    assert gathered_message(said)["content"] == [{"type": "text", "text": "A"}]
