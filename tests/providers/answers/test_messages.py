"""Anthropic's messages: events as its SDK reads and puts them together, and events as Anthropic sends them."""

import json
from typing import Any

import anthropic
import pytest
from anthropic.types import Message, RawMessageStreamEvent
from hypothesis import given, settings
from pydantic import TypeAdapter

from tests.providers.answers import wholes
from tests.providers.served import served
from tests.providers.translate.wire import event, gathered_message, message_events
from tidegate.providers.answers.fields import Cut, Unsaid
from tidegate.providers.answers.messages import to_events, whole_of
from tidegate.providers.translate.events import payloads

EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
THOUGHT = {"type": "thinking", "thinking": "Let me see.", "signature": "c2lnbmVk"}
HIDDEN = {"type": "redacted_thinking", "data": "aGlkZGVu"}
CITED = {
    "type": "char_location", "cited_text": "Grass is green.", "document_index": 0, "document_title": "Notes",
    "start_char_index": 0, "end_char_index": 15, "file_id": None,
}  # fmt: skip
TEXT = {"type": "text", "text": "It is green.", "citations": [CITED]}
CALLS = [
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Zürich", "days": [1, 2]}},
    {"type": "tool_use", "id": "toolu_2", "name": "clock", "input": {}},
]
SEARCHED = [
    {"type": "server_tool_use", "id": "srvtoolu_1", "name": "web_search", "input": {"query": "tides"}},
    {"type": "web_search_tool_result", "tool_use_id": "srvtoolu_1", "content": [
        {"type": "web_search_result", "title": "T", "url": "https://example.com", "encrypted_content": "ZQ==",
         "page_age": None},
    ]},
]  # fmt: skip
EVERYTHING = wholes.message(THOUGHT, HIDDEN, *SEARCHED, TEXT, *CALLS, stop="tool_use", container=None)


def told(whole: Any) -> list[Any]:
    return [json.loads(data) for data in payloads(b"".join(to_events(whole)))]


def accumulated(whole: Any) -> Message:
    """By `client.messages.stream`, over the SDK's parser of events."""
    with served(b"".join(to_events(whole))) as client:
        url = str(client.base_url).removesuffix("/v1/")
        with (
            anthropic.Anthropic(api_key="k", base_url=url, max_retries=0) as maker,
            maker.messages.stream(model="m", max_tokens=9, messages=[]) as stream,
        ):
            return stream.get_final_message()


def test_in_the_makers_order() -> None:
    """The message opens empty; a block starts, a ping follows the first, grows and stops; the end has the usage."""
    events = told(wholes.message({"type": "text", "text": "Good morning"}))
    assert [one["type"].removeprefix("content_block_") for one in events] == [
        "message_start", "start", "ping", "delta", "delta", "stop", "message_delta", "message_stop",
    ]  # fmt: skip
    opened = events[0]["message"]
    assert (opened["content"], opened["stop_reason"], opened["usage"]["output_tokens"]) == ([], None, 1)
    assert events[-2]["delta"] == {"stop_reason": "end_turn", "stop_sequence": None}
    assert events[-2]["usage"] == {"input_tokens": 10, "output_tokens": 5, "cache_read_input_tokens": 2}


def test_names_of_events() -> None:
    """Every event is named as its type."""
    for said in to_events(EVERYTHING):
        name, data = said.split(b"\n", 1)
        assert name == b"event: " + json.loads(data.removeprefix(b"data: "))["type"].encode()


def test_an_input_starts_empty() -> None:
    """A call's input is an empty object, an empty piece, then JSON in pieces; none for an empty input."""
    deltas = [one["delta"] for one in told(wholes.message(*CALLS)) if one["type"] == "content_block_delta"]
    assert all(delta["type"] == "input_json_delta" for delta in deltas)
    first, *pieces, last = [delta["partial_json"] for delta in deltas]
    assert (first, last) == ("", "")
    assert json.loads("".join(pieces)) == CALLS[0]["input"]


def test_there_and_back() -> None:
    """Thoughts with their signatures, hidden ones, searches, citations and calls."""
    assert whole_of(b"".join(to_events(EVERYTHING))) == EVERYTHING


def test_the_sdk_accumulates_everything() -> None:
    """What Anthropic's SDK puts together is the answer."""
    Message.model_validate(EVERYTHING)
    got = accumulated(EVERYTHING).to_dict()
    assert got["content"] == EVERYTHING["content"]
    assert (got["stop_reason"], got["id"], got["usage"]["output_tokens"]) == ("tool_use", "msg_1", 5)
    assert got["usage"]["cache_read_input_tokens"] == 2


@settings(max_examples=15)
@given(wholes.messages())
def test_every_event_is_of_the_api(whole: Any) -> None:
    """Anthropic's model of an event takes each of them; a client of our own grammar puts the blocks together."""
    known = [block for block in whole["content"] if block["type"] != "unheard_of_result"]
    for one in told(whole | {"content": known}):
        if one["type"] != "ping":
            EVENT.validate_python(one)
    told_blocks = [block for block in known if not block.get("citations")]
    assert gathered_message(b"".join(to_events(whole | {"content": told_blocks})))["content"] == told_blocks


def test_events_as_they_are_sent() -> None:
    """Pings anywhere, counts in the opening and at the end, a piece cut anywhere."""
    whole = wholes.message(THOUGHT, {"type": "text", "text": "Good morning"}, CALLS[0], stop="tool_use")
    events = message_events(whole, 2)
    assert whole_of(b"".join([*events[:4], b": comment\n\n", event("ping"), *events[4:]])) == whole


def test_the_end_says_more() -> None:
    """A reason's details, a container and the management of context; what is null in the end changes no count."""
    begun = wholes.message(stop=None, container=None)
    end = {"stop_reason": "refusal", "stop_sequence": None, "stop_details": {"type": "refusal", "category": "cyber"}}
    usage = {"output_tokens": 7, "input_tokens": None, "server_tool_use": None}
    more = {"applied_edits": []}
    events = [event("message_start", message=begun), event("message_delta", delta=end, usage=usage,
              context_management=more), event("message_stop")]  # fmt: skip
    whole: Any = whole_of(b"".join(events))
    assert (whole["stop_reason"], whole["stop_details"], whole["context_management"]) == (
        "refusal", end["stop_details"], more,
    )  # fmt: skip
    assert whole["usage"] == begun["usage"] | {"output_tokens": 7, "server_tool_use": None}


BEGUN = event("message_start", message=wholes.message(stop=None))
OPENED = event("content_block_start", index=0, content_block={"type": "text", "text": ""})
END = event("message_stop")


@pytest.mark.parametrize(
    ("events", "error"),
    [
        (b"", Cut),
        (BEGUN + OPENED, Cut),
        (BEGUN + b"event: message_stop\ndata: {\n\n", ValueError),
        (BEGUN + event("error", error={"type": "overloaded_error", "message": "Overloaded"}), ValueError),
        (BEGUN + event("tidegate_restart", message="cut") + BEGUN + END, ValueError),
        (BEGUN + event("content_block_delta", index=1, delta={"type": "text_delta", "text": "a"}) + END, ValueError),
        (BEGUN + OPENED + event("content_block_delta", index=0, delta=None) + END, ValueError),
        (BEGUN + OPENED + event("content_block_delta", index=0, delta={"type": "unheard_of"}) + END, Unsaid),
        (BEGUN + OPENED + event("unheard_of") + END, Unsaid),
        (BEGUN + BEGUN + END, ValueError),
        (END, ValueError),
        (event("message_delta", delta={}, usage={}) + END, ValueError),
    ],
)
def test_what_is_no_answer(events: bytes, error: type[Exception]) -> None:
    """A stream without its end is cut; an error, a second beginning or what we do not know cannot be told whole."""
    with pytest.raises(error):
        whole_of(events)


@pytest.mark.parametrize(
    "whole", [{}, {"type": "message"}, {"type": "error", "content": []}, {"type": "message", "content": [1]}]
)
def test_what_has_no_events(whole: Any) -> None:
    """What is no message."""
    with pytest.raises(ValueError, match="message|content|usage"):
        to_events(whole)
