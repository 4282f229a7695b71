"""Which translations there are."""

import json

import pytest

from tests.providers.translate.wire import CREATED, HELLO, data_of, dumped, message, message_events
from tidegate.model.call import Kind
from tidegate.providers.translate.table import crossing

ASKED = {
    Kind.CHAT: {"messages": HELLO},
    Kind.MESSAGES: {"messages": HELLO, "max_tokens": 5},
    Kind.RESPONSES: {"input": "Hello"},
}


@pytest.mark.parametrize(
    ("asked", "spoken"),
    [
        (Kind.CHAT, Kind.MESSAGES),
        (Kind.MESSAGES, Kind.CHAT),
        (Kind.RESPONSES, Kind.CHAT),
        (Kind.RESPONSES, Kind.MESSAGES),
    ],
)
def test_a_way(asked: Kind, spoken: Kind) -> None:
    """It takes a request of the one kind."""
    way = crossing(asked, spoken)
    assert way is not None
    assert way.request(dumped({"model": "m", **ASKED[asked]}), "other", CREATED).dropped == ()


@pytest.mark.parametrize(
    ("asked", "spoken"), [(Kind.CHAT, Kind.CHAT), (Kind.EMBEDDING, Kind.MESSAGES), (Kind.CHAT, Kind.RESPONSES)]
)
def test_no_way(asked: Kind, spoken: Kind) -> None:
    """The same dialect is not translated, and embeddings are nobody else's."""
    assert crossing(asked, spoken) is None


PICTURE = {"type": "input_image", "image_url": "https://example.com/a.png", "detail": "high"}
SCHEMA = {"type": "object", "properties": {}}
FORM = {"type": "json_schema", "name": "n", "schema": SCHEMA}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"text": {"verbosity": "low"}}, "text.verbosity"),
        ({"text": {"format": FORM | {"description": "D"}}}, "text.format.description"),
        ({"text": {"format": FORM | {"strict": True}}}, "text.format.strict"),
        ({"text": {"format": {"type": "json_schema", "name": "n"}}}, "text.format"),
        ({"reasoning": {"effort": "high"}}, "reasoning.effort"),
        ({"tools": [{"type": "function", "name": "f", "parameters": SCHEMA, "strict": True}]}, "tools.strict"),
        ({"input": [*HELLO, {"role": "developer", "content": "S"}]}, "input.role"),
        ({"input": [{"role": "user", "content": [PICTURE]}]}, "input.content.detail"),
        (
            {"input": [*HELLO, {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{"}]},
            "input.arguments",
        ),
        (
            {
                "input": [
                    *HELLO,
                    {"type": "reasoning", "content": [{"type": "reasoning_text", "text": "T"}]},
                    {"role": "assistant", "content": "A"},
                    *HELLO,
                ]
            },
            "input.reasoning",
        ),
        ({"prompt_cache_key": "k"}, "prompt_cache_key"),
    ],
)
def test_names_of_responses_by_messages(fields: dict[str, object], told: str) -> None:
    """What Anthropic's dialect cannot say is called as the client of the Responses API calls it."""
    way = crossing(Kind.RESPONSES, Kind.MESSAGES)
    assert way is not None
    body = dumped({"model": "m", "input": "Hello", **fields})
    assert way.request(body, "claude-3-haiku", CREATED).dropped == (told,)


def test_media_of_responses_by_messages() -> None:
    """What both can say and chat completions cannot: a document by its URL, and pictures and documents in a result."""
    way = crossing(Kind.RESPONSES, Kind.MESSAGES)
    assert way is not None
    file = {"type": "input_file", "file_url": "https://example.com/a.pdf"}
    shown = [{"type": "input_image", "image_url": "https://example.com/a.png"}, file]
    call = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
    items = [
        {"role": "user", "content": [file]},
        call,
        {"type": "function_call_output", "call_id": "a", "output": shown},
    ]
    crossed = way.request(dumped({"model": "m", "input": items}), "claude-3-haiku", CREATED)
    [asked, _, answered] = json.loads(crossed.body)["messages"]
    document = {"type": "document", "source": {"type": "url", "url": "https://example.com/a.pdf"}}
    picture = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
    assert asked["content"] == [document]
    assert answered["content"] == [{"type": "tool_result", "tool_use_id": "a", "content": [picture, document]}]
    assert crossed.dropped == ()


def test_responses_by_messages() -> None:
    """The composition carries a stream, event by event, to its end."""
    way = crossing(Kind.RESPONSES, Kind.MESSAGES)
    assert way is not None
    crossed = way.request(dumped({"model": "m", "input": "Hello", "stream": True}), "claude-3-haiku", CREATED)
    said = crossed.reply.stream().feed(b"".join(message_events(message({"type": "text", "text": "Hi there"}))))
    *_, end = data_of(said)
    assert end["type"] == "response.completed"
    assert end["response"]["output"][-1]["content"][0]["text"] == "Hi there"
    assert end["response"]["usage"]["total_tokens"] == 15
