"""Instructions and input items as the messages of chat completions."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.translate.responses_wire import Json, cross, dumped, to_chat
from tidegate.providers.translate.face import Crossed, Untranslatable
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_items import SEE_BELOW

PICTURE = "data:image/png;base64,iVBORw0KGgo="
READS_THOUGHTS = ChatCan(reasoning_content=True)


def user(content: object) -> Json:
    return {"role": "user", "content": content}


def said(*content: Json, **fields: object) -> Json:
    """An assistant's message as an earlier answer had it."""
    return {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": content, **fields}


def text(value: str) -> Json:
    return {"type": "output_text", "text": value, "annotations": [], "logprobs": []}


def call(ident: str, name: str = "f", arguments: str = "{}") -> Json:
    return {"type": "function_call", "id": f"fc_{ident}", "call_id": ident, "name": name, "arguments": arguments}


def output(ident: str, value: object = "ok") -> Json:
    return {"type": "function_call_output", "call_id": ident, "output": value}


def thought(value: str | None = None) -> Json:
    content = [] if value is None else [{"type": "reasoning_text", "text": value}]
    return {"type": "reasoning", "id": "rs_1", "summary": [], "content": content, "encrypted_content": "gAAA"}


def called(*idents: str, content: str | None = None) -> Json:
    calls = [{"id": one, "type": "function", "function": {"name": "f", "arguments": "{}"}} for one in idents]
    return {"role": "assistant", **({} if content is None else {"content": content}), "tool_calls": calls}


def tool(ident: str, content: str = "ok") -> Json:
    return {"role": "tool", "content": content, "tool_call_id": ident}


def messages(*items: Json, can: ChatCan | None = None, **fields: object) -> list[Json]:
    return list(to_chat(can, input=items, **fields)["messages"])


def refusal(*items: object, **fields: object) -> Untranslatable:
    with pytest.raises(Untranslatable) as caught:
        cross(input=items, **fields)
    return caught.value


def outcome(items: list[Any]) -> Crossed | Untranslatable:
    try:
        return cross(input=items)
    except Untranslatable as error:
        return error


# ── texts ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_text_is_a_message_of_the_user() -> None:
    """Behind the instructions."""
    assert to_chat(input="hi")["messages"] == [user("hi")]
    system = {"role": "system", "content": "be kind"}
    assert to_chat(input="hi", instructions="be kind")["messages"] == [system, user("hi")]
    assert to_chat(input="hi", instructions="")["messages"] == [user("hi")]


@pytest.mark.parametrize("kind", [{}, {"type": "message"}])
@pytest.mark.parametrize("content", ["hi", [{"type": "input_text", "text": "hi"}], [{"type": "text", "text": "hi"}]])
def test_one_text_is_a_text(kind: Json, content: object) -> None:
    """However it is written: every provider reads that."""
    assert messages({**kind, "role": "user", "content": content}) == [user("hi")]


def test_several_texts_of_a_user_stay_apart() -> None:
    """As parts."""
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    assert messages(user(parts)) == [user([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}])]


@pytest.mark.parametrize("role", ["system", "developer"])
def test_instructions_in_between_are_the_systems(role: str) -> None:
    """`developer` is known to few."""
    parts = [{"type": "input_text", "text": "a"}, {"type": "input_text", "text": "b"}]
    told = messages(user("hi"), {"role": role, "content": parts}, {"role": role, "content": "c"})
    assert told == [user("hi"), {"role": "system", "content": "a\nb"}, {"role": "system", "content": "c"}]


def test_an_earlier_answer_is_one_text() -> None:
    """Its refusal, too."""
    no = {"type": "refusal", "refusal": "no"}
    assert messages(user("hi"), said(text("a"), text("b")), {"role": "assistant", "content": "c"}, said(no)) == [
        user("hi"),
        {"role": "assistant", "content": "ab"},
        {"role": "assistant", "content": "c"},
        {"role": "assistant", "content": "no"},
    ]


@pytest.mark.parametrize("content", [None, "", []])
def test_an_empty_message_stays(content: object) -> None:
    """As an empty one."""
    assert messages(user(content)) == [user("")]


# ── images and files ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_images_and_files() -> None:
    """With their detail and name."""
    parts = [
        {"type": "input_image", "image_url": PICTURE, "detail": "low"},
        {"type": "input_image", "image_url": "https://a/b.png"},
        {"type": "input_file", "file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"},
    ]
    [told] = messages(user(parts))
    assert told["content"] == [
        {"type": "image_url", "image_url": {"url": PICTURE, "detail": "low"}},
        {"type": "image_url", "image_url": {"url": "https://a/b.png"}},
        {"type": "file", "file": {"file_data": "data:application/pdf;base64,JVBE", "filename": "a.pdf"}},
    ]


UNKNOWN_PARTS = [
    ({"type": "input_image", "file_id": "file-1"}, "input[0].content[0]", "image_url"),
    ({"type": "input_file", "file_id": "file-1"}, "input[0].content[0]", "file_data"),
    ({"type": "input_file", "file_url": "https://a/b.pdf"}, "input[0].content[0]", "file_data"),
    ({"type": "input_audio", "input_audio": {"data": "UklG"}}, "input[0].content[0].type", "text, images or files"),
    ({}, "input[0].content[0].type", "text, images or files"),
]


@pytest.mark.parametrize(("part", "param", "remedy"), UNKNOWN_PARTS)
def test_what_only_its_maker_can_read_is_refused(part: Json, param: str, remedy: str) -> None:
    """It is part of the question: left out, the answer would be to another."""
    error = refusal(user([part]))
    assert error.param == param
    assert remedy in error.message


@pytest.mark.parametrize("role", ["system", "developer", "assistant"])
def test_only_a_user_shows_pictures(role: str) -> None:
    """Everybody else has texts."""
    error = refusal({"role": role, "content": [{"type": "input_image", "image_url": PICTURE}]})
    assert error.param == "input[0].content[0].type"


def test_marks_for_a_cache_go_to_who_reads_them() -> None:
    """And are named where nobody does."""
    part = {"type": "input_text", "text": "a", "prompt_cache_breakpoint": {"mode": "explicit"}}
    [told] = messages(user([part]), can=ChatCan(cache_control=True))
    assert told["content"] == [{"type": "text", "text": "a", "cache_control": {"type": "ephemeral"}}]
    assert messages(user([part])) == [user("a")]
    assert cross(input=[user([part])]).dropped == ("input.content.prompt_cache_breakpoint",)


# ── calls and what was answered to them ──────────────────────────────────────────────────────────────────────────────

ASK = user("hi")
TURNS: dict[str, tuple[list[Json], list[Json]]] = {
    "one call": ([ASK, call("a"), output("a")], [ASK, called("a"), tool("a")]),
    "two at once": (
        [ASK, call("a"), call("b"), output("a"), output("b")],
        [ASK, called("a", "b"), tool("a"), tool("b")],
    ),
    "one after the other": (
        [ASK, call("a"), output("a"), call("b"), output("b")],
        [ASK, called("a"), tool("a"), called("b"), tool("b")],
    ),
    "a word before them": (
        [ASK, said(text("so")), call("a"), call("b"), output("b"), output("a")],
        [ASK, called("a", "b", content="so"), tool("b"), tool("a")],
    ),
    "a word between a call and its answer": (
        [ASK, call("a"), said(text("so")), output("a")],
        [ASK, called("a", content="so"), tool("a")],
    ),
    "words on both sides": (
        [ASK, said(text("so")), call("a"), said(text("on")), output("a")],
        [ASK, called("a", content="so\non"), tool("a")],
    ),
    "a word after the answer": (
        [ASK, call("a"), output("a"), said(text("so"))],
        [ASK, called("a"), tool("a"), {"role": "assistant", "content": "so"}],
    ),
    "a user who cannot wait": (
        [ASK, call("a"), user("well?"), output("a")],
        [ASK, called("a"), tool("a"), user("well?")],
    ),
    "a late answer to an early call": (
        [ASK, call("a"), call("b"), output("a"), call("c"), output("c"), output("b")],
        [ASK, called("a", "b"), tool("a"), tool("b"), called("c"), tool("c")],
    ),
    "thoughts in between": (
        [ASK, thought("hm"), call("a"), thought(), call("b"), output("a"), output("b")],
        [ASK, called("a", "b"), tool("a"), tool("b")],
    ),
    "texts as parts": (
        [ASK, call("a"), output("a", [{"type": "input_text", "text": "o"}, {"type": "input_text", "text": "k"}])],
        [ASK, called("a"), tool("a", "o\nk")],
    ),
    "nothing": ([ASK, call("a"), output("a", "")], [ASK, called("a"), tool("a", "")]),
}


@pytest.mark.parametrize(("items", "told"), TURNS.values(), ids=TURNS.keys())
def test_answers_stand_right_behind_their_calls(items: list[Json], told: list[Json]) -> None:
    """As chat completions demand, and calls of one turn are one message."""
    assert messages(*items) == told


def test_pictures_that_a_function_answered_follow_in_a_users_message() -> None:
    """Behind all results, as a tool's message has only text."""
    shown = {"type": "input_image", "image_url": PICTURE, "detail": "auto"}
    both = [{"type": "input_text", "text": "seen"}, shown]
    told = messages(ASK, call("a"), call("b"), output("a", [shown]), output("b", both), user("so?"))
    part = {"type": "image_url", "image_url": {"url": PICTURE, "detail": "auto"}}
    assert told[2:] == [tool("a", SEE_BELOW), tool("b", "seen"), user([part, part]), user("so?")]


HUB = ChatCan(hub=True)


def test_between_translations_a_result_shows_its_pictures_itself() -> None:
    """Somebody behind may read them there; a result of texts stays one text."""
    shown = {"type": "input_image", "image_url": PICTURE}
    both = [{"type": "input_text", "text": "seen"}, shown]
    told = messages(ASK, call("a"), call("b"), output("a", both), output("b", [both[0]]), can=HUB)
    part = {"type": "image_url", "image_url": {"url": PICTURE}}
    result = {"role": "tool", "content": [{"type": "text", "text": "seen"}, part], "tool_call_id": "a"}
    assert told[2:] == [result, tool("b", "seen")]


def test_between_translations_a_file_may_be_a_url() -> None:
    """Where it is sent itself, too, that counts, and the URL is named."""
    file = {"type": "input_file", "file_url": "https://a/b.pdf"}
    [told] = messages(user([file]), can=HUB)
    assert told["content"] == [{"type": "file", "file": {"file_data": "https://a/b.pdf"}}]
    data = "data:application/pdf;base64,JVBE"
    for can in (HUB, ChatCan()):
        crossed = cross(can, input=[user([file | {"file_data": data}])])
        assert json.loads(crossed.body)["messages"][0]["content"] == [{"type": "file", "file": {"file_data": data}}]
        assert crossed.dropped == ("input.content.file_url",)


def test_arguments_stay_as_they_are() -> None:
    """To the last space."""
    told = messages(ASK, call("a", "f", ' {"x": "\\u00e9"} '), output("a"))
    assert told[1]["tool_calls"][0]["function"] == {"name": "f", "arguments": ' {"x": "\\u00e9"} '}


WRONG_CALLS = [
    ({"type": "function_call", "name": "f", "arguments": ""}, "input[1].call_id"),
    ({"type": "function_call", "call_id": "a", "arguments": ""}, "input[1].name"),
    ({"type": "function_call", "call_id": "a", "name": "f", "arguments": {}}, "input[1].arguments"),
    ({"type": "function_call_output", "output": "x"}, "input[1].call_id"),
    ({"type": "function_call_output", "call_id": "never", "output": "x"}, "input[1].call_id"),
    ({"role": "user", "content": 5}, "input[1].content"),
    ({"role": "user", "content": [5]}, "input[1].content"),
    ({"role": "tool", "content": "x"}, "input[1].role"),
    ({"content": "x"}, "input[1].role"),
]


@pytest.mark.parametrize(("item", "param"), WRONG_CALLS)
def test_a_wrong_item_is_named(item: Json, param: str) -> None:
    """With its place."""
    error = refusal(ASK, item)
    assert error.param == param
    assert len(error.message) < 300


def test_a_result_of_a_wrong_type_is_named() -> None:
    """As is everything else."""
    assert refusal(ASK, call("a"), output("a", 5)).param == "input[2].output"


def test_a_result_without_its_call_says_what_to_do() -> None:
    """A client that relies on stored items sends only results."""
    error = refusal(output("call_1"))
    assert "call_1" in error.message
    assert "Send the call" in error.message


# ── what has no equal ────────────────────────────────────────────────────────────────────────────────────────────────


def test_thoughts_are_left_out_and_named() -> None:
    """Once."""
    crossed = cross(input=[ASK, thought("a"), said(text("b")), thought(), ASK])
    assert crossed.dropped == ("input.reasoning",)
    assert "reasoning" not in crossed.body.decode()


def test_thoughts_go_to_who_reads_them() -> None:
    """On the message that they led to, as far as they are open; one that led to nothing is left out."""
    items = [ASK, thought("a"), thought("b"), call("x"), output("x"), thought("c"), said(text("d"))]
    told = messages(*items, can=READS_THOUGHTS)
    assert [message.get("reasoning_content") for message in told] == [None, "ab", None, "c"]
    assert cross(READS_THOUGHTS, input=items).dropped == ()
    for lost in (
        [thought()],
        [thought("a"), ASK, said(text("b"))],
        [thought("a")],
        [call("x"), thought("a"), output("x"), said(text("b"))],
    ):
        crossed = cross(READS_THOUGHTS, input=[ASK, *lost])
        assert crossed.dropped == ("input.reasoning",)
        assert "reasoning_content" not in crossed.body.decode()


@pytest.mark.parametrize("kind", ["web_search_call", "file_search_call", "code_interpreter_call", "mcp_list_tools"])
def test_traces_of_built_in_tools_are_left_out_and_named(kind: str) -> None:
    """What came of them is in the messages."""
    crossed = cross(input=[ASK, {"type": kind, "id": "x", "status": "completed"}, said(text("a"))])
    assert crossed.dropped == (f"input.{kind}",)
    assert len(json.loads(crossed.body)["messages"]) == 2


@pytest.mark.parametrize(
    "kind",
    ["computer_call", "computer_call_output", "custom_tool_call", "custom_tool_call_output", "local_shell_call",
     "shell_call", "apply_patch_call", "mcp_call", "mcp_approval_response", "image_generation_call", "compaction",
     "additional_tools", "x" * 5_000],
)  # fmt: skip
def test_other_items_are_refused_by_name(kind: str) -> None:
    """With what to do."""
    error = refusal(ASK, {"type": kind, "call_id": "a", "id": "b", "output": {"x": 1}, "arguments": {"y": 2}})
    assert error.param == "input[1].type"
    assert kind[:64] in error.message
    assert "Responses API" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize("item", [{"type": "item_reference", "id": "msg_1"}, {"id": "msg_1"}])
def test_a_reference_is_refused(item: Json) -> None:
    """Nothing is stored."""
    error = refusal(ASK, item)
    assert error.param == "input[1]"
    assert "stored" in error.message


@pytest.mark.parametrize("items", [[], [thought()], [{"type": "web_search_call", "id": "x"}]])
def test_there_must_be_something_to_answer(items: list[Json]) -> None:
    """Instructions alone are no question."""
    assert refusal(*items, instructions="be kind").param == "input"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
VALUES = st.sampled_from(
    [
        "message", "function_call", "function_call_output", "reasoning", "item_reference", "user", "assistant", "a",
        "input_text", "input_image", "input_file", "output_text", "refusal", "{}", PICTURE,
    ]
)  # fmt: skip
PART = st.dictionaries(st.sampled_from(["type", "text", "refusal", "image_url", "detail", "file_data"]), VALUES | JSON)
ITEM = st.dictionaries(
    st.sampled_from(["type", "role", "id", "call_id", "name", "content", "arguments", "output"]),
    VALUES | JSON | st.lists(PART, max_size=3),
)


@given(st.lists(ITEM, max_size=5))
def test_no_items_break_it(items: list[Any]) -> None:
    """They are translated, in the grammar of chat completions, or refused with a field."""
    crossed = outcome(items)
    if isinstance(crossed, Untranslatable):
        assert crossed.param
        return
    body = json.loads(crossed.body)
    open_calls: set[str] = set()
    for message in body["messages"]:
        if message["role"] == "tool":
            assert message["tool_call_id"] in open_calls
            continue
        open_calls = {one["id"] for one in message.get("tool_calls", [])}
        assert message["role"] in {"system", "user", "assistant"}
        assert "content" in message or message["tool_calls"]


def test_the_body_is_read_as_utf8() -> None:
    """In every script."""
    assert dumped("世界 é") in cross(input=[user("世界 é")]).body
