"""Messages of chat completions become turns that Anthropic takes."""

import json

import pytest

from tests.providers.translate.wire import Json, to_messages
from tidegate.providers.translate.chat_turns import OPENING
from tidegate.providers.translate.face import Untranslatable

MARK = {"type": "ephemeral"}


def text(words: str, **fields: object) -> Json:
    return {"type": "text", "text": words, **fields}


def said(role: str, content: object, **fields: object) -> Json:
    return {"role": role, "content": content, **fields}


def call(ident: str, arguments: str = "{}") -> Json:
    return {"id": ident, "type": "function", "function": {"name": "f", "arguments": arguments}}


def result(ident: str, content: object) -> Json:
    return {"type": "tool_result", "tool_use_id": ident, "content": content}


def use(ident: str, **given: object) -> Json:
    return {"type": "tool_use", "id": ident, "name": "f", "input": given}


ASKED = said("user", "Q")
CALLS = said("assistant", None, tool_calls=[call("a"), call("b", '{"x":1}')])

TURNS = {
    "one after the other": (
        [ASKED, said("assistant", "A"), said("user", "R")],
        [said("user", [text("Q")]), said("assistant", [text("A")]), said("user", [text("R")])],
    ),
    "the same speaker twice": (
        [ASKED, said("user", "R"), said("assistant", "A"), said("assistant", "B"), said("user", "S")],
        [said("user", [text("Q"), text("R")]), said("assistant", [text("A"), text("B")]), said("user", [text("S")])],
    ),
    "nothing said": (
        [ASKED, said("assistant", ""), said("assistant", None), said("user", [text(" ")]), said("user", "R")],
        [said("user", [text("Q"), text("R")])],
    ),
    "results come first": (
        [ASKED, CALLS, said("user", "R"), said("tool", "2", tool_call_id="b"), said("tool", "", tool_call_id="a")],
        [
            said("user", [text("Q")]),
            said("assistant", [use("a"), use("b", x=1)]),
            said("user", [result("b", "2"), {"type": "tool_result", "tool_use_id": "a"}, text("R")]),
        ],
    ),
    "results of a second round": (
        [
            ASKED,
            CALLS,
            said("tool", "1", tool_call_id="a"),
            CALLS,
            said("user", "R"),
            said("tool", "2", tool_call_id="a"),
        ],
        [
            said("user", [text("Q")]),
            said("assistant", [use("a"), use("b", x=1)]),
            said("user", [result("a", "1")]),
            said("assistant", [use("a"), use("b", x=1)]),
            said("user", [result("a", "2"), text("R")]),
        ],
    ),
    "a result in parts": (
        [ASKED, CALLS, said("tool", [text("1"), text("2")], tool_call_id="a")],
        [
            said("user", [text("Q")]),
            said("assistant", [use("a"), use("b", x=1)]),
            said("user", [result("a", [text("1"), text("2")])]),
        ],
    ),
    "the assistant first": (
        [said("assistant", "A"), ASKED],
        [said("user", [text(OPENING)]), said("assistant", [text("A")]), said("user", [text("Q")])],
    ),
    "the assistant last": (
        [ASKED, said("assistant", "A \n")],
        [said("user", [text("Q")]), said("assistant", [text("A")])],
    ),
    "a refusal": (
        [ASKED, said("assistant", None, refusal="No."), said("assistant", [{"type": "refusal", "refusal": "N"}])],
        [said("user", [text("Q")]), said("assistant", [text("No."), text("N")])],
    ),
    "only a system prompt": ([said("system", "S")], [said("user", [text("S")])]),
    "marks": (
        [said("user", [text("Q", cache_control=MARK), text("R", prompt_cache_breakpoint={"mode": "explicit"})])],
        [said("user", [text("Q", cache_control=MARK), text("R", cache_control=MARK)])],
    ),
    "a mark on a message": (
        [said("user", "Q", cache_control=MARK)],
        [said("user", [text("Q", cache_control=MARK)])],
    ),
}


@pytest.mark.parametrize("name", TURNS)
def test_turns(name: str) -> None:
    """Turns alternate, the user's first; results open the turn after their calls; there are no empty texts."""
    messages, turns = TURNS[name]
    body, crossed = to_messages(messages=messages)
    assert body["messages"] == turns
    assert crossed.dropped == ()


def test_system_prompts_anywhere() -> None:
    """They are joined in their order, each a block."""
    messages = [said("system", "1"), ASKED, said("developer", [text("2"), text("3", cache_control=MARK)])]
    body, _ = to_messages(messages=messages)
    assert body["system"] == [text("1"), text("2"), text("3", cache_control=MARK)]
    assert body["messages"] == [said("user", [text("Q")])]


def test_a_system_prompt_that_moves() -> None:
    """Behind a turn it is named, as it is said before it now; at the head it stays where it was."""
    for role in ("system", "developer"):
        _, crossed = to_messages(messages=[said("system", "1"), said(role, "2"), ASKED])
        assert crossed.dropped == ()
        _, crossed = to_messages(messages=[ASKED, said(role, "2")])
        assert crossed.dropped == ("messages.role",)


def test_a_name_of_who_speaks() -> None:
    """It is named, but for a tool's, whose call has one."""
    messages = [said("user", "Q", name="Ann"), CALLS, said("tool", "1", tool_call_id="a", name="f")]
    _, crossed = to_messages(messages=messages)
    assert crossed.dropped == ("messages.name",)
    _, crossed = to_messages(messages=messages[1:])
    assert crossed.dropped == ()


def test_ids_and_arguments_that_anthropic_does_not_take() -> None:
    """The same id becomes the same; what a model wrote by mistake stays readable, and is named."""
    calls = said("assistant", None, tool_calls=[call("functions.f:0", "{oops")])
    body, crossed = to_messages(messages=[ASKED, calls, said("tool", "1", tool_call_id="functions.f:0")])
    assert body["messages"][1]["content"] == [use("functions_f_0", invalid_json="{oops")]
    assert body["messages"][2]["content"] == [result("functions_f_0", "1")]
    assert crossed.dropped == ("messages.tool_calls.function.arguments",)


def test_a_custom_call_of_the_past() -> None:
    """Its free text is an input."""
    custom = {"id": "a", "type": "custom", "custom": {"name": "f", "input": "words"}}
    body, _ = to_messages(messages=[ASKED, said("assistant", None, tool_calls=[custom])])
    assert body["messages"][1]["content"] == [use("a", input="words")]


def test_thoughts_come_back_only_with_their_seal() -> None:
    """Anthropic believes no thought that it did not sign; a thought without a seal is named as dropped."""
    blocks = [
        {"type": "thinking", "thinking": "T", "signature": "s"},
        {"type": "thinking", "thinking": "U"},
        {"type": "redacted_thinking", "data": "d"},
    ]
    sealed = said("assistant", "A", reasoning_content="T", thinking_blocks=blocks)
    body, crossed = to_messages(messages=[ASKED, sealed, ASKED])
    assert body["messages"][1]["content"] == [blocks[0], blocks[2], text("A")]
    assert crossed.dropped == ()
    body, crossed = to_messages(messages=[ASKED, said("assistant", "A", reasoning_content="T"), ASKED])
    assert body["messages"][1]["content"] == [text("A")]
    assert crossed.dropped == ("messages.reasoning_content",)


@pytest.mark.parametrize(
    ("messages", "param"),
    [
        ([], "messages"),
        ([said("user", "")], "messages"),
        ([said("function", "1", name="f")], "messages.role"),
        ([ASKED, said("assistant", None, function_call={"name": "f"})], "messages.function_call"),
        ([ASKED, said("assistant", None, audio={"id": "a"})], "messages.audio"),
        ([ASKED, said("tool", "1")], "messages.tool_call_id"),
        ([ASKED, said("assistant", None, tool_calls=[call("")])], "messages.tool_calls.id"),
        ([ASKED, said("assistant", None, tool_calls=[{"id": "a"}])], "messages.tool_calls.function"),
        ([said("system", [{"type": "image_url", "image_url": "https://a/b"}]), ASKED], "messages.content"),
    ],
)
def test_what_cannot_be_said(messages: list[Json], param: str) -> None:
    """The field is named, in words that say what to do."""
    with pytest.raises(Untranslatable) as refused:
        to_messages(messages=messages)
    assert refused.value.param == param


def test_the_bytes_of_arguments_are_kept() -> None:
    """A number is not rounded on its way."""
    body, crossed = to_messages(
        messages=[ASKED, said("assistant", "", tool_calls=[call("a", '{"n": 1.0000000001e400}')])]
    )
    assert b'{"n": 1.0000000001e400}' in crossed.body
    assert json.loads(crossed.body) == body
