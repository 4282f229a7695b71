"""The fields of a request: carried over, left out by name, or refused; and what of them the answer repeats."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.translate.responses_wire import (
    CREATED,
    DONE,
    Json,
    answer,
    chunk,
    completion,
    cross,
    followed,
    read,
    to_chat,
)
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.records import ChatCan
from tidegate.providers.translate.responses_to_chat import ResponsesToChat

SCHEMA = {"type": "object", "properties": {"x": {"type": "number", "minimum": 1.0}}}


def refusal(**fields: object) -> Untranslatable:
    with pytest.raises(Untranslatable) as caught:
        cross(**fields)
    return caught.value


# ── carried over ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_plain_request() -> None:
    """Nothing is made up."""
    assert to_chat() == {"model": "qwen", "messages": [{"role": "user", "content": "hi"}]}


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"max_output_tokens": 9}, {"max_completion_tokens": 9}),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}),
        ({"temperature": 0}, {"temperature": 0}),
        ({"reasoning": {"effort": "low"}}, {"reasoning_effort": "low"}),
        ({"reasoning": {"effort": None}}, {}),
        ({"text": {"verbosity": "low"}}, {"verbosity": "low"}),
        ({"text": {"format": {"type": "text"}}}, {}),
        ({"text": {"format": None}}, {}),
        ({"text": {"format": {"type": "json_object"}}}, {"response_format": {"type": "json_object"}}),
        ({"user": "u", "safety_identifier": "s"}, {"user": "u", "safety_identifier": "s"}),
        ({"prompt_cache_key": "k", "prompt_cache_retention": "24h"},
         {"prompt_cache_key": "k", "prompt_cache_retention": "24h"}),
        ({"service_tier": "flex"}, {"service_tier": "flex"}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"stream": False}, {}),
        ({"truncation": "disabled", "store": False, "background": False, "include": [], "top_logprobs": 0}, {}),
        ({"metadata": {"a": "b"}}, {}),
        ({"stream": True, "stream_options": {"include_obfuscation": False}},
         {"stream": True, "stream_options": {"include_usage": True}}),
    ],
)  # fmt: skip
def test_fields_under_their_other_names(fields: Json, told: Json) -> None:
    """Each alone, with nothing left out."""
    assert to_chat(**fields) == {**to_chat(), **told}
    assert cross(**fields).dropped == ()


def test_a_schema_is_wanted() -> None:
    """With its name, description and strictness, number for number."""
    form = {"type": "json_schema", "name": "n", "description": "d", "schema": SCHEMA, "strict": True}
    wanted = {"name": "n", "schema": SCHEMA, "description": "d", "strict": True}
    assert to_chat(text={"format": form})["response_format"] == {"type": "json_schema", "json_schema": wanted}
    assert b'"minimum":1.0' in cross(text={"format": form}).body


def test_what_the_provider_does_not_take() -> None:
    """The older name of the limit; effort is named where there is none."""
    can = ChatCan(reasoning_effort=False, max_completion_tokens=False)
    crossed = cross(can, max_output_tokens=9, reasoning={"effort": "low"})
    assert json.loads(crossed.body)["max_tokens"] == 9
    assert "reasoning_effort" not in json.loads(crossed.body)
    assert crossed.dropped == ("reasoning.effort",)


# ── left out by name ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "dropped"),
    [
        ({"truncation": "auto"}, "truncation"),
        ({"include": ["reasoning.encrypted_content"]}, "include"),
        ({"top_logprobs": 5}, "top_logprobs"),
        ({"max_tool_calls": 3}, "max_tool_calls"),
        ({"reasoning": {"summary": "auto"}}, "reasoning.summary"),
        ({"reasoning": {"generate_summary": "auto"}}, "reasoning.generate_summary"),
        ({"reasoning": {"context": "all_turns"}}, "reasoning.context"),
        ({"reasoning": {"mode": "pro"}}, "reasoning.mode"),
        ({"context_management": [{"type": "compaction"}]}, "context_management"),
        ({"moderation": {"model": "m"}}, "moderation"),
        ({"stream": True, "stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation"),
        ({"not yet known": 1}, "(unnamed)"),
        ({"known_tomorrow": 1}, "known_tomorrow"),
    ],
)
def test_what_has_no_equal_is_named(fields: Json, dropped: str) -> None:
    """So that a policy may refuse it."""
    assert cross(**fields).dropped == (dropped,)


def test_null_is_nothing() -> None:
    """Clients send it for what they do not want."""
    names = ["include", "truncation", "moderation", "max_tool_calls", "text", "reasoning", "tools", "tool_choice",
             "metadata", "instructions", "previous_response_id", "conversation", "prompt", "store", "background",
             "stream", "stream_options", "temperature", "top_p", "user", "service_tier"]  # fmt: skip
    crossed = cross(**dict.fromkeys(names))
    assert crossed.dropped == ()
    assert json.loads(crossed.body) == to_chat()


# ── refused ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("previous_response_id", "resp_1"),
        ("conversation", "conv_1"),
        ("conversation", {"id": "conv_1"}),
        ("prompt", {"id": "pmpt_1", "variables": {}}),
        ("store", True),
        ("background", True),
    ],
)
def test_what_needs_a_store_is_refused(field: str, value: object) -> None:
    """With what to do."""
    error = refusal(**{field: value})
    assert error.param == field
    assert f"'{field}'" in error.message
    assert "stored" in error.message
    assert "Responses API" in error.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"input": 5}, "input"),
        ({"input": None}, "input"),
        ({"input": ["hi"]}, "input[0]"),
        ({"instructions": ["be kind"]}, "instructions"),
        ({"temperature": "hot"}, "temperature"),
        ({"max_output_tokens": -1}, "max_output_tokens"),
        ({"max_output_tokens": 1.5}, "max_output_tokens"),
        ({"text": "json"}, "text"),
        ({"text": {"format": "json"}}, "text.format"),
        ({"text": {"format": {"type": "grammar"}}}, "text.format.type"),
        ({"text": {"verbosity": 5}}, "text.verbosity"),
        ({"reasoning": {"effort": 5}}, "reasoning.effort"),
        ({"stream": "yes"}, "stream"),
    ],
)
def test_a_wrong_field_is_named(fields: Json, param: str) -> None:
    """And nothing else happens."""
    error = refusal(**fields)
    assert error.param == param
    assert len(error.message) < 300


@pytest.mark.parametrize("body", [b"", b"[]", b"5", b'{"input":', b"\xff", b"[" * 100_000, b'{"input":"\xff"}'])
def test_what_is_no_request_is_refused(body: bytes) -> None:
    """Of one kind."""
    with pytest.raises(Untranslatable):
        ResponsesToChat().request(body, "qwen", CREATED)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [
    "model", "input", "instructions", "tools", "tool_choice", "parallel_tool_calls", "max_output_tokens",
    "temperature", "top_p", "text", "reasoning", "metadata", "stream", "stream_options", "store", "background",
    "include", "truncation", "prompt", "conversation", "previous_response_id", "user", "service_tier",
]  # fmt: skip


@given(st.dictionaries(st.sampled_from(FIELDS) | st.text(max_size=5), JSON))
def test_no_types_break_it(fields: dict[str, Any]) -> None:
    """They are translated or refused; what is translated is JSON, and so is what the answer repeats."""
    body = json.dumps({"input": "hi", **fields}).encode()
    try:
        crossed = ResponsesToChat().request(body, "qwen", CREATED)
    except Untranslatable:
        return
    assert json.loads(crossed.body)["model"] == "qwen"
    assert all(name.isascii() for name in crossed.dropped)
    assert json.loads(crossed.reply.answer(b'{"choices":[{"message":{"content":"a"}}]}'))["status"] == "completed"


# ── what the answer repeats ──────────────────────────────────────────────────────────────────────────────────────────


def test_the_answer_repeats_the_settings() -> None:
    """As they were sent."""
    form = {"type": "json_schema", "name": "n", "schema": SCHEMA, "strict": True}
    settings: Json = {
        "instructions": "be kind",
        "max_output_tokens": 9,
        "temperature": 0.5,
        "top_p": 0.9,
        "text": {"format": form, "verbosity": "low"},
        "metadata": {"a": "b"},
        "prompt_cache_key": "k",
        "safety_identifier": "s",
        "user": "u",
    }
    told = answer(completion(content="a"), reasoning={"effort": "low"}, **settings)
    assert {name: told[name] for name in settings} == settings
    assert told["reasoning"] == {"effort": "low", "summary": None}


def test_the_answer_says_the_defaults() -> None:
    """The API's; and that nothing was stored and nothing cut away."""
    told = answer(completion(content="a"), truncation="auto")
    expected: Json = {
        "object": "response", "status": "completed", "created_at": CREATED, "error": None, "incomplete_details": None,
        "instructions": None, "tools": [], "tool_choice": "auto", "temperature": 1.0, "top_p": 1.0, "metadata": {},
        "parallel_tool_calls": True, "text": {"format": {"type": "text"}}, "truncation": "disabled", "store": False,
        "background": False, "previous_response_id": None, "max_output_tokens": None,
    }  # fmt: skip
    assert {name: told[name] for name in expected} == expected


def test_the_asked_model_is_said_where_the_provider_says_none() -> None:
    """There is always one."""
    whole = completion(content="a")
    del whole["model"]
    assert answer(whole)["model"] == "qwen"


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_request_of_many_lines_does_not_break_events(newline: str) -> None:
    """What is repeated stands in one line; a line end in a text is escaped, and stays."""
    tools = [{"type": "function", "name": "f", "description": "a\nb", "parameters": SCHEMA, "strict": True}]
    fields = {
        "model": "m",
        "input": "hi",
        "tools": tools,
        "metadata": {"a": "b\r\n"},
        "tool_choice": {"type": "function", "name": "f"},
    }
    fields["text"] = {"format": {"type": "json_schema", "name": "n", "schema": SCHEMA}}
    body = json.dumps(fields, indent=2).replace("\n", newline).encode()
    stream = ResponsesToChat().request(body, "qwen", CREATED).reply.stream()
    events = stream.feed(chunk({"content": "a"}, "stop") + DONE)
    assert b"\r" not in events
    told = followed(read(events))
    for name in ("tools", "metadata", "tool_choice", "text"):
        assert told[name] == fields[name]
