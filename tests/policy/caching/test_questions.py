"""What a request asks, and what its question stands in."""

import json
from typing import Any

import pytest

from tidegate.model.parts import Kind
from tidegate.policy.caching.questions import LONGEST, Question, question, system_of

SYSTEM = {"role": "system", "content": "Be brief."}
CHAT: dict[str, Any] = {"model": "m", "messages": [SYSTEM, {"role": "user", "content": "How long?"}], "temperature": 0}
MESSAGE: dict[str, Any] = {"model": "m", "system": "Be brief.", "messages": [{"role": "user", "content": "How long?"}]}
RESPONSE: dict[str, Any] = {"model": "m", "instructions": "Be brief.", "input": "How long?"}


def asked(kind: Kind, body: dict[str, Any]) -> Question:
    return question(kind, json.dumps(body).encode())


def chat(*messages: object, **fields: object) -> Question:
    return asked(Kind.CHAT, CHAT | {"messages": list(messages)} | fields)


def user(content: object, **fields: object) -> dict[str, object]:
    return {"role": "user", "content": content, **fields}


@pytest.mark.parametrize(("kind", "body"), [(Kind.CHAT, CHAT), (Kind.MESSAGES, MESSAGE), (Kind.RESPONSES, RESPONSE)])
def test_a_question(kind: Kind, body: dict[str, Any]) -> None:
    """In each API: the system prompt and the last thing that the user says."""
    found = asked(kind, body)
    assert (found.system, found.text, found.tools, len(found.context)) == ("Be brief.", "How long?", False, 32)
    assert system_of(kind, json.dumps(body).encode()) == "Be brief."


def test_parts_and_lists() -> None:
    """Texts may be lists of parts; the last part asks, and the others are what it stands in."""
    parts = [{"type": "text", "text": "A document."}, {"type": "text", "text": "How long?"}]
    found, other = chat(user(parts)), chat(user([{"type": "text", "text": "Another."}, parts[1]]))
    assert found.text == other.text == "How long?"
    assert found.context != other.context
    items = [{"role": "developer", "content": [{"type": "input_text", "text": "Be kind."}]},
             {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "How long?"}]}]  # fmt: skip
    response = asked(Kind.RESPONSES, RESPONSE | {"input": items})
    assert (response.system, response.text) == ("Be brief.\nBe kind.", "How long?")
    blocks = [
        {"type": "text", "text": "One."},
        {"type": "text", "text": "Two.", "cache_control": {"type": "ephemeral"}},
    ]
    assert asked(Kind.MESSAGES, MESSAGE | {"system": blocks}).system == "One.\nTwo."


def test_only_the_question_may_differ() -> None:
    """Two questions in the same context have the same digest, whatever the model, the user and the spelling are."""
    one = asked(Kind.CHAT, CHAT)
    other = chat(SYSTEM, user("Until when does it last?"), model="another", user="u", stream=True)
    assert one.context == other.context
    assert one.text != other.text


@pytest.mark.parametrize(
    "changed",
    [
        {"temperature": 1},
        {"seed": 5},
        {"max_tokens": 5},
        {"response_format": {"type": "json_object"}},
        {"tools": []},
        {"messages": [{"role": "system", "content": "Be verbose."}, user("How long?")]},
        {"messages": [user("How long?")]},
        {"messages": [SYSTEM, user("Hi"), {"role": "assistant", "content": "Hello"}, user("How long?")]},
        {"messages": [SYSTEM, user("How long?", name="eve")]},
        {"messages": [SYSTEM, user([{"type": "text", "text": "How long?"}])]},
    ],
)
def test_all_else_is_context(changed: dict[str, Any]) -> None:
    """Settings, instructions, history, form: an equal digest is the gate that all of them must pass."""
    assert asked(Kind.CHAT, CHAT | changed).context != asked(Kind.CHAT, CHAT).context


PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA=="}}


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (Kind.CHAT, CHAT | {"messages": []}),
        (Kind.CHAT, CHAT | {"messages": "text"} | {"messages": None}),
        (Kind.CHAT, CHAT | {"messages": [user("")]}),
        (Kind.CHAT, CHAT | {"messages": [user(" \n")]}),
        (Kind.CHAT, CHAT | {"messages": [user(None)]}),
        (Kind.CHAT, CHAT | {"messages": [user([])]}),
        (Kind.CHAT, CHAT | {"messages": [user([PICTURE])]}),
        (Kind.CHAT, CHAT | {"messages": [user([PICTURE, {"type": "text", "text": "What is it?"}])]}),
        (Kind.CHAT, CHAT | {"messages": [user("a" * (LONGEST + 1))]}),
        (Kind.CHAT, CHAT | {"messages": [user("的" * (LONGEST // 3 + 1))]}),
        (Kind.CHAT, CHAT | {"messages": [user("Hi"), {"role": "assistant", "content": "It is"}]}),
        (Kind.CHAT, CHAT | {"messages": [{"role": "tool", "content": "42", "tool_call_id": "c"}]}),
        (Kind.MESSAGES, MESSAGE | {"messages": [user([{"type": "tool_result", "tool_use_id": "t", "content": "4"}])]}),
        (Kind.RESPONSES, RESPONSE | {"input": [{"type": "function_call_output", "call_id": "c", "output": "4"}]}),
        (Kind.COMPLETION, {"model": "m", "prompt": "How long?"}),
        (Kind.EMBEDDING, {"model": "m", "input": "How long?"}),
    ],
)
def test_what_cannot_be_compared(kind: Kind, body: dict[str, Any]) -> None:
    """Pictures, other turns than the user's, prompts without turns, and texts that no embedder reads to the end."""
    assert asked(kind, body).text == ""


def test_no_text_looks_like_the_place_of_a_question() -> None:
    """What stands where the question stood is no text, so a question that is not taken out has another context."""
    long = "a" * (LONGEST + 1)
    assert len({asked(Kind.CHAT, CHAT).context, chat(SYSTEM, user(long)).context, chat(SYSTEM, user("")).context,
                chat(SYSTEM, user("true")).context}) == 3  # fmt: skip
    assert chat(SYSTEM, user("true")).context == asked(Kind.CHAT, CHAT).context


@pytest.mark.parametrize(
    ("field", "value", "tools"),
    [("tools", [{"type": "function"}], True), ("tools", [], False), ("functions", [{"name": "f"}], True),
     ("mcp_servers", [{"url": "u"}], True), ("web_search_options", {"a": 1}, True), ("tools", None, False)],
)  # fmt: skip
def test_tools(field: str, value: object, tools: bool) -> None:
    """Whether any are offered."""
    assert asked(Kind.CHAT, CHAT | {field: value}).tools == tools


@pytest.mark.parametrize("body", [b"[]", b"{", b'{"messages":[],"messages":[]}'])
def test_what_is_refused(body: bytes) -> None:
    """What may be read in two ways asks nothing."""
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        question(Kind.CHAT, body)
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        system_of(Kind.CHAT, body)
