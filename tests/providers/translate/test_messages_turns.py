"""Turns of messages become messages of chat completions."""

import pytest

from tests.providers.translate.wire import Json, to_chat
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.messages_turns import SEE_BELOW
from tidegate.providers.translate.records import ChatCan

MARK = {"type": "ephemeral"}
IMAGE = {"type": "image", "source": {"type": "url", "url": "https://example.com/a.png"}}
PART = {"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}
THOUGHT = {"type": "thinking", "thinking": "Hm", "signature": "s"}


def text(words: str, **fields: object) -> Json:
    return {"type": "text", "text": words, **fields}


def said(role: str, content: object, **fields: object) -> Json:
    return {"role": role, "content": content, **fields}


def use(ident: str, **given: object) -> Json:
    return {"type": "tool_use", "id": ident, "name": "f", "input": given}


def call(ident: str, arguments: str) -> Json:
    return {"id": ident, "type": "function", "function": {"name": "f", "arguments": arguments}}


def result(ident: str, content: object = "", **fields: object) -> Json:
    return {"type": "tool_result", "tool_use_id": ident, "content": content, **fields}


def tool(ident: str, content: str) -> Json:
    return said("tool", content, tool_call_id=ident)


TURNS = {
    "words": ([said("user", "Q"), said("assistant", "A")], [said("user", "Q"), said("assistant", "A")]),
    "a single text": ([said("user", [text("Q")])], [said("user", "Q")]),
    "several parts": ([said("user", [text("Q"), IMAGE])], [said("user", [text("Q"), PART])]),
    "an answer in parts": (
        [said("user", "Q"), said("assistant", [text("A"), text("B")])],
        [said("user", "Q"), said("assistant", "AB")],
    ),
    "calls and results": (
        [
            said("user", "Q"),
            said("assistant", [text("A"), use("a"), use("b", x=1)]),
            said("user", [result("b", "2"), text("R"), result("a", [text("1"), text("1")])]),
        ],
        [
            said("user", "Q"),
            said("assistant", "A", tool_calls=[call("a", "{}"), call("b", '{"x":1}')]),
            tool("b", "2"),
            tool("a", "1\n1"),
            said("user", "R"),
        ],
    ),
    "a result that is a picture": (
        [said("user", [result("a", [IMAGE]), result("b", [text("1"), IMAGE]), text("R")])],
        [tool("a", SEE_BELOW), tool("b", "1"), said("user", [PART, PART, text("R")])],
    ),
    "a result that failed": (
        [said("user", [result("a", "no", is_error=True), result("b", "Error 1", is_error=True)])],
        [tool("a", "Error: no"), tool("b", "Error 1")],
    ),
    "a result of nothing": (
        [said("user", [{"type": "tool_result", "tool_use_id": "a"}])],
        [tool("a", "")],
    ),
    "a system prompt among them": (
        [said("user", "Q"), said("system", [text("S")])],
        [said("user", "Q"), said("system", "S")],
    ),
    "an answer of nothing": ([said("user", "Q"), said("assistant", [])], [said("user", "Q")]),
}


@pytest.mark.parametrize("name", TURNS)
def test_turns(name: str) -> None:
    """Results are messages right after their calls; texts are joined where most providers read only one."""
    turns, messages = TURNS[name]
    body, crossed = to_chat(messages=turns)
    assert body["messages"] == messages
    assert crossed.dropped == ()


@pytest.mark.parametrize("system", ["S\n\nT", [text("S"), text("T")]])
def test_a_system_prompt(system: object) -> None:
    """One message, one text."""
    body, _ = to_chat(system=system)
    assert body["messages"][0] == said("system", "S\n\nT")


def test_marks_are_named_or_kept() -> None:
    """By what the provider reads."""
    fields = {
        "system": [text("S", cache_control=MARK)],
        "messages": [
            said("user", [text("Q", cache_control=MARK)]),
            said("assistant", [use("a") | {"cache_control": MARK}]),
            said("user", [result("a", "1", cache_control=MARK)]),
        ],
    }
    body, crossed = to_chat(**fields)
    assert body["messages"][:2] == [said("system", "S"), said("user", "Q")]
    assert crossed.dropped == ("cache_control",)
    body, crossed = to_chat(ChatCan(cache_control=True), **fields)
    assert body["messages"][0] == said("system", [text("S", cache_control=MARK)])
    assert body["messages"][1] == said("user", [text("Q", cache_control=MARK)])
    assert crossed.dropped == ()


def test_thoughts_are_named_or_kept() -> None:
    """By what the provider reads: some refuse them, some demand them."""
    turns = [said("user", "Q"), said("assistant", [THOUGHT, {"type": "redacted_thinking", "data": "d"}, text("A")])]
    body, crossed = to_chat(messages=turns)
    assert body["messages"][1] == said("assistant", "A")
    assert crossed.dropped == ("messages.content.thinking",)
    body, crossed = to_chat(ChatCan(reasoning_content=True), messages=turns)
    blocks = [THOUGHT, {"type": "redacted_thinking", "data": "d"}]
    assert body["messages"][1] == said("assistant", "A", reasoning_content="Hm", thinking_blocks=blocks)
    assert crossed.dropped == ()


def test_what_the_providers_own_tools_did() -> None:
    """It stays away, and is named."""
    blocks = [{"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}}]
    blocks += [{"type": "web_search_tool_result", "tool_use_id": "a", "content": {"type": "error"}}, text("A")]
    body, crossed = to_chat(messages=[said("user", "Q"), said("assistant", [*blocks, {"type": "new"}])])
    assert body["messages"][1] == said("assistant", "A")
    assert crossed.dropped == ("messages.content.server_tool", "messages.content.type")


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [said("user", "")]}, "messages"),
        ({"messages": [said("robot", "Q")]}, "messages.role"),
        ({"messages": [said("user", [{"type": "hologram"}])]}, "messages.content.type"),
        ({"messages": [said("user", [result("a", {"x": 1})])]}, "messages.content"),
        ({"system": [IMAGE]}, "system"),
        ({"system": [{"type": "hologram"}]}, "system.type"),
    ],
)
def test_what_cannot_be_said(fields: Json, param: str) -> None:
    """The field is named."""
    with pytest.raises(Untranslatable) as refused:
        to_chat(**fields)
    assert refused.value.param == param
