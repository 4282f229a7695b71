"""What requests ask for, and what is wrong with the others, in the documented words."""

import json

import pytest

from tidegate.twin.asks import TOOL_MARK
from tidegate.twin.problems import Problem
from tidegate.twin.requests import Parser
from tidegate.twin.settings import MODELS

PARSER = Parser(MODELS)
CALL = {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]}
USER = {"role": "user", "content": "hi"}
RESULT = {"role": "tool", "tool_call_id": "1"}
IMAGE = {"type": "image_url", "image_url": {"url": "http://x", "detail": "low"}}
FILE = {"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBE"}}
TOOLS = [
    {"type": "function", "function": {"name": "first", "parameters": {}}},
    {"type": "function", "function": {"name": "second"}},
]


def body(**fields):
    return json.dumps({"model": "gpt-4o", "messages": [USER]} | fields).encode()


def refused(parse, raw):
    with pytest.raises(Problem) as caught:
        parse(raw)
    error = json.loads(caught.value.body)["error"]
    assert set(error) == {"message", "type", "param", "code"}
    return caught.value.status, error["param"], error["code"]


@pytest.mark.parametrize(
    ("raw", "status", "param", "code"),
    [
        (b"{", 400, None, None),
        (b"", 400, None, None),
        (b"\xff", 400, None, None),
        (b'{"model":"a\x00"}', 400, None, None),
        (b'{"model":"\xff"}', 400, None, None),
        (b'{"x":' + b"[" * 100_000, 400, None, None),
        (b"[]", 400, None, None),
        (b"{}", 400, "model", None),
        (body(model=""), 400, "model", None),
        (body(model=7), 400, "model", "invalid_type"),
        (body(model="gpt-9"), 404, "model", "model_not_found"),
        (body(model="text-embedding-3-small"), 404, "model", None),
        (b'{"model":"gpt-4o"}', 400, "messages", "missing_required_parameter"),
        (body(messages=[]), 400, "messages", "empty_array"),
        (body(messages="hi"), 400, "messages", "invalid_type"),
        (body(messages=[{"content": "hi"}]), 400, "messages[0].role", "missing_required_parameter"),
        (body(messages=[{"role": "king", "content": "hi"}]), 400, "messages[0].role", "invalid_value"),
        (body(messages=[USER, {"role": "user", "content": 5}]), 400, "messages[1].content", "invalid_type"),
        (
            body(messages=[{"role": "user", "content": [{"type": "text"}]}]),
            400,
            "messages[0].content[0].text",
            "missing_required_parameter",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "image_url"}]}]),
            400,
            "messages[0].content[0].image_url",
            "missing_required_parameter",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "file", "file": {"filename": "a.pdf"}}]}]),
            400,
            "messages[0].content[0].file.file_id",
            "missing_required_parameter",
        ),
        (
            body(messages=[{"role": "user", "content": [{"type": "file", "file": {"file_data": "JVBE"}}]}]),
            400,
            "messages[0].content[0].file.file_data",
            "invalid_value",
        ),
        (body(messages=[CALL, RESULT | {"content": [IMAGE]}]), 400, "messages[1]", "invalid_value"),
        (body(messages=[CALL, RESULT | {"content": [FILE]}]), 400, "messages[1]", "invalid_value"),
        (body(max_tokens=0), 400, "max_tokens", "integer_below_min_value"),
        (body(max_tokens=-5), 400, "max_tokens", "integer_below_min_value"),
        (body(max_completion_tokens=0), 400, "max_completion_tokens", "integer_below_min_value"),
        (body(max_tokens=1.5), 400, "max_tokens", "invalid_type"),
        (body(max_tokens="5"), 400, "max_tokens", "invalid_type"),
        (body(n=0), 400, "n", "integer_below_min_value"),
        (body(n=129), 400, "n", "integer_above_max_value"),
        (body(stop=["1", "2", "3", "4", "5"]), 400, "stop", "array_above_max_length"),
        (body(stream_options={"include_usage": True}), 400, "stream_options", None),
        (body(tools=TOOLS, tool_choice={"type": "function", "function": {"name": "third"}}), 400, "tool_choice", None),
        (body(messages=[{"role": "user", "content": "x" * 5_000_000}]), 400, "messages", "context_length_exceeded"),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, bytes) else None,
)
def test_bad_chats(raw, status, param, code):
    """Each with its documented status, param and code."""
    assert refused(PARSER.chat, raw) == (status, param, code)


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"input": None}, "input", "missing_required_parameter"),
        ({"input": []}, "input", "empty_array"),
        ({"input": ["a", 1]}, "input", "invalid_type"),
        ({"input": [[1], []]}, "input", "invalid_type"),
        ({"input": {"a": 1}}, "input", "invalid_type"),
        ({"encoding_format": "hex"}, "encoding_format", "invalid_value"),
        ({"dimensions": 0}, "dimensions", "integer_below_min_value"),
        ({"dimensions": 9_999}, "dimensions", "integer_above_max_value"),
        ({"input": ["a"] * 2_049}, "input", "integer_above_max_value"),
    ],
)
def test_bad_embeddings(fields, param, code):
    """Each with its documented param and code."""
    raw = json.dumps({"model": "text-embedding-3-small", "input": "a"} | fields).encode()
    assert refused(PARSER.embedding, raw) == (400, param, code)


def test_null_is_not_stated():
    """SDKs may send null for what was not given."""
    ask = PARSER.chat(body(max_tokens=None, n=None, stop=None, stream=None, tools=None))
    assert (ask.max_tokens, ask.n, ask.stops, ask.stream, ask.tools) == (0, 1, (), False, ())


def test_unknown_fields_are_ignored():
    """What the twin does not know does not disturb it."""
    assert PARSER.chat(body(invented={"a": [1]})).model.name == "gpt-4o"


def test_the_newer_maximum_wins():
    """`max_completion_tokens` replaces `max_tokens`."""
    assert PARSER.chat(body(max_tokens=5, max_completion_tokens=7)).max_tokens == 7


@pytest.mark.parametrize(
    ("message", "texts", "extra"),
    [
        (USER, ["hi"], 7),
        ({"role": "user", "content": "hi", "name": "bob"}, ["bob", "hi"], 8),
        ({"role": "user", "content": [{"type": "text", "text": "hi"}]}, ["hi"], 7),
        (
            {"role": "user", "content": [IMAGE]},
            [],
            7 + 85,
        ),
        ({"role": "user", "content": [FILE]}, [], 7 + 1_500),
    ],
)
def test_what_a_message_costs(message, texts, extra):
    """Three tokens a message, one for its role, one for a name, three to prime, images by tiles, documents alike."""
    ask = PARSER.chat(body(messages=[message]))
    assert (ask.texts, ask.extra) == (texts, extra)


def test_calls_of_tools_cost_what_they_say():
    """And their results, too."""
    ask = PARSER.chat(body(messages=[CALL, {"role": "tool", "tool_call_id": "1", "content": "42"}]))
    assert (ask.texts, ask.extra) == (['[{"id":"1"}]', "42"], 11)


@pytest.mark.parametrize(
    ("fields", "tool", "forced"),
    [
        ({}, None, False),
        ({"tools": TOOLS}, "first", False),
        ({"tools": TOOLS, "tool_choice": "none"}, None, False),
        ({"tools": TOOLS, "tool_choice": "auto"}, "first", False),
        ({"tools": TOOLS, "tool_choice": "required"}, "first", True),
        ({"tools": TOOLS, "tool_choice": {"type": "function", "function": {"name": "second"}}}, "second", True),
        ({"tools": TOOLS, "messages": [{"role": "user", "content": f"{TOOL_MARK} please"}]}, "first", True),
        (
            {"tools": TOOLS, "messages": [USER, CALL, {"role": "tool", "tool_call_id": "1", "content": "42"}]},
            None,
            False,
        ),
    ],
)
def test_which_tool_may_be_called(fields, tool, forced):
    """By `tool_choice`, or by a mark in the last message; never in answer to a tool."""
    ask = PARSER.chat(body(**fields))
    assert (ask.tools[0].name if ask.tools else None, ask.tool_forced) == (tool, forced)


@pytest.mark.parametrize(
    ("value", "count", "extra"),
    [("a", 1, 0), (["a", "b"], 2, 0), ([1, 2, 3], 1, 3), ([[1], [2, 3]], 2, 3)],
)
def test_the_four_forms_of_input(value, count, extra):
    """A text, texts, a text as tokens, texts as tokens."""
    ask = PARSER.embedding(json.dumps({"model": "text-embedding-3-small", "input": value}).encode())
    assert (ask.inputs, ask.extra) == (count, extra)


def test_a_legacy_completion_is_short_unless_asked():
    """`max_tokens` is 16 there, and each prompt is answered."""
    ask = PARSER.text(json.dumps({"model": "gpt-3.5-turbo", "prompt": ["a", "b"], "n": 2}).encode())
    assert (ask.max_tokens, ask.n) == (16, 4)
