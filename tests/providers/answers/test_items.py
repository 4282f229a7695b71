"""Items of a response: each is added empty, grows by its own events, and is done as it is."""

import json
from typing import Any

import pytest

from tests.providers.answers import wholes
from tests.providers.translate.responses_wire import followed
from tidegate.providers.answers.items import Script, say_item
from tidegate.providers.answers.responses import to_events
from tidegate.providers.translate.events import payloads

NOTE = {"type": "url_citation", "url": "https://example.com", "title": "T", "start_index": 0, "end_index": 2}
MESSAGE = {"id": "msg_1", "type": "message", "status": "completed", "role": "assistant"}


def told(item: Any) -> list[Any]:
    script = Script()
    say_item(script, 3, item)
    return [json.loads(data) for data in payloads(b"".join(script.said))]


def kinds(item: Any) -> list[str]:
    return [one["type"].removeprefix("response.") for one in told(item)]


def text(said: str, **fields: object) -> Any:
    return {"type": "output_text", "text": said, "annotations": [], "logprobs": [], **fields}


def test_a_message() -> None:
    """Its parts are added empty, grow by words, are annotated, and are done."""
    item = {**MESSAGE, "content": [text("Hello there", annotations=[NOTE]), {"type": "refusal", "refusal": "No."}]}
    events = told(item)
    assert kinds(item) == [
        "output_item.added",
        "content_part.added", "output_text.delta", "output_text.delta", "output_text.annotation.added",
        "output_text.done", "content_part.done",
        "content_part.added", "refusal.delta", "refusal.done", "content_part.done",
        "output_item.done",
    ]  # fmt: skip
    assert events[0]["item"] == {**MESSAGE, "status": "in_progress", "content": []}
    assert events[1]["part"] == text("")
    assert (events[4]["annotation"], events[4]["annotation_index"]) == (NOTE, 0)
    assert {one["content_index"] for one in events[7:11]} == {1}
    assert all(one["item_id"] == "msg_1" for one in events[1:-1])
    assert (events[-1]["item"], events[-1]["output_index"]) == (item, 3)


def test_log_probabilities() -> None:
    """A token's come with its delta, all of them at the end."""
    tokens = [wholes.token("Hel"), wholes.token("lo")]
    events = told({**MESSAGE, "content": [text("Hello", logprobs=tokens)]})
    deltas = [(one["delta"], one["logprobs"]) for one in events if one["type"].endswith(".delta")]
    assert deltas == [("Hel", tokens[:1]), ("lo", tokens[1:])]
    assert next(one for one in events if one["type"].endswith("text.done"))["logprobs"] == tokens


def test_thoughts() -> None:
    """Summaries and texts of thoughts; what is sealed comes when it is done."""
    item = {
        "id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "Hm."}],
        "content": [{"type": "reasoning_text", "text": "One."}], "encrypted_content": "c2VhbGVk",
    }  # fmt: skip
    assert kinds(item)[1:-1] == [
        "reasoning_summary_part.added", "reasoning_summary_text.delta", "reasoning_summary_text.done",
        "reasoning_summary_part.done",
        "content_part.added", "reasoning_text.delta", "reasoning_text.done", "content_part.done",
    ]  # fmt: skip
    events = told(item)
    assert events[0]["item"] == {"id": "rs_1", "type": "reasoning", "summary": [], "content": [],
                                 "encrypted_content": None}  # fmt: skip
    assert events[1]["summary_index"] == 0


@pytest.mark.parametrize(
    ("item", "between"),
    [
        (
            {"type": "function_call", "status": "completed", "name": "f", "arguments": "{}"},
            ["function_call_arguments.delta", "function_call_arguments.done"],
        ),
        ({"type": "custom_tool_call", "input": ""}, ["custom_tool_call_input.done"]),
        (
            {"type": "code_interpreter_call", "status": "completed", "code": "1", "outputs": []},
            ["code_interpreter_call.in_progress", "code_interpreter_call_code.delta", "code_interpreter_call_code.done",
             "code_interpreter_call.interpreting", "code_interpreter_call.completed"],
        ),
        (
            {"type": "code_interpreter_call", "status": "completed", "code": None, "outputs": None},
            ["code_interpreter_call.in_progress", "code_interpreter_call.interpreting",
             "code_interpreter_call.completed"],
        ),
        (
            {"type": "web_search_call", "status": "completed", "action": {"type": "search"}},
            ["web_search_call.in_progress", "web_search_call.searching", "web_search_call.completed"],
        ),
        (
            {"type": "image_generation_call", "status": "completed", "result": "aGk="},
            ["image_generation_call.in_progress", "image_generation_call.generating",
             "image_generation_call.completed"],
        ),
        (
            {"type": "mcp_call", "name": "n", "arguments": "", "output": None, "error": {"type": "e"}},
            ["mcp_call.in_progress", "mcp_call_arguments.done", "mcp_call.failed"],
        ),
        (
            {"type": "mcp_list_tools", "tools": [], "error": None},
            ["mcp_list_tools.in_progress", "mcp_list_tools.completed"],
        ),
        ({"type": "unheard_of", "output": [1]}, []),
    ],
)  # fmt: skip
def test_other_items(item: Any, between: list[str]) -> None:
    """A hosted tool tells its phases, a call its text; what we do not know is added as it is."""
    assert kinds(item) == ["output_item.added", *between, "output_item.done"]
    begun, done = told(item)[0]["item"], told(item)[-1]["item"]
    assert done == item
    assert begun.get("status") in {None, "in_progress"}
    assert begun == item or not any(begun.get(name) for name in ("arguments", "code", "outputs", "result", "error"))


def test_the_grammar() -> None:
    """A client that holds every event to the API's grammar hears the same twice: by small events and by the last."""
    call = {"id": "fc_1", "type": "function_call", "status": "completed", "call_id": "c", "name": "f",
            "arguments": '{"a": "b c"}'}  # fmt: skip
    thought = {"id": "rs_1", "type": "reasoning", "summary": [],
               "content": [{"type": "reasoning_text", "text": "so it is"}]}  # fmt: skip
    whole = wholes.response([thought, {**MESSAGE, "content": [text("Hello there"), text("")]}, call])
    events = [json.loads(data) for data in payloads(b"".join(to_events(whole)))]
    assert followed(events) == whole
