"""What else a request for messages says, in the words of chat completions."""

import pytest

from tests.providers.translate.conversations import STRICT_SCHEMA
from tests.providers.translate.wire import HELLO, Json, to_chat
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.records import ChatCan

PLAIN = {"model": "gpt-4o", "max_completion_tokens": 100, "messages": HELLO}
SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}
TOOL = {"name": "f", "description": "D", "input_schema": SCHEMA}
SAID_TOOL = {"type": "function", "function": {"name": "f", "description": "D", "parameters": SCHEMA}}


def form(schema: Json) -> Json:
    return {"format": {"type": "json_schema", "schema": schema}}


def said_form(schema: Json, **fields: object) -> Json:
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": schema, **fields}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, {}),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}),
        ({"stop_sequences": ["A", "B"]}, {"stop": ["A", "B"]}),
        ({"metadata": {"user_id": "u"}}, {"user": "u"}),
        ({"service_tier": "standard_only"}, {"service_tier": "default"}),
        ({"stream": True}, {"stream": True, "stream_options": {"include_usage": True}}),
        ({"stream": False}, {}),
        ({"tools": [TOOL]}, {"tools": [SAID_TOOL]}),
        ({"tools": [{**TOOL, "type": "custom"}]}, {"tools": [SAID_TOOL]}),
        ({"output_config": form(STRICT_SCHEMA)}, {"response_format": said_form(STRICT_SCHEMA, strict=True)}),
        ({"output_config": form(SCHEMA)}, {"response_format": said_form(SCHEMA)}),
        ({"output_format": form(SCHEMA)["format"]}, {"response_format": said_form(SCHEMA)}),
        ({"output_config": {"effort": "max"}}, {"reasoning_effort": "max"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, {"reasoning_effort": "low"}),
        ({"thinking": {"type": "enabled", "budget_tokens": 9000}}, {"reasoning_effort": "high"}),
        ({"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}}, {"reasoning_effort": "low"}),
        ({"thinking": {"type": "adaptive"}}, {}),
        ({"thinking": {"type": "disabled"}}, {}),
    ],
)
def test_settings(given: Json, said: Json) -> None:
    """What both can say is said, and nothing is named."""
    body, crossed = to_chat(**given)
    assert body == PLAIN | said
    assert crossed.dropped == ()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ({"type": "auto"}, "auto"),
        ({"type": "any"}, "required"),
        ({"type": "none"}, "none"),
        ({"type": "tool", "name": "f"}, {"type": "function", "function": {"name": "f"}}),
    ],
)
def test_choices(choice: Json, said: object) -> None:
    """Each has its word, and one call at a time is one there."""
    body, _ = to_chat(tools=[TOOL], tool_choice=choice)
    assert (body["tool_choice"], "parallel_tool_calls" in body) == (said, False)
    body, _ = to_chat(tools=[TOOL], tool_choice=choice | {"disable_parallel_tool_use": True})
    assert (body["tool_choice"], body["parallel_tool_calls"]) == (said, False)


@pytest.mark.parametrize(
    ("given", "said", "dropped"),
    [
        ({"top_k": 5, "container": "c"}, {}, ("top_k", "container")),
        ({"stop_sequences": list("ABCDE")}, {"stop": list("ABCD")}, ("stop_sequences",)),
        ({"metadata": {"user_id": "u" * 65}}, {}, ("metadata.user_id",)),
        ({"service_tier": "new"}, {}, ("service_tier",)),
        ({"cache_control": {"type": "ephemeral"}}, {}, ("cache_control",)),
        ({"tools": [{"type": "web_search_20250305", "name": "web_search"}]}, {}, ("tools.type",)),
        ({"tools": [{**TOOL, "cache_control": {"type": "ephemeral"}}]}, {"tools": [SAID_TOOL]}, ("cache_control",)),
    ],
)
def test_what_is_dropped(given: Json, said: Json, dropped: tuple[str, ...]) -> None:
    """It is named as the client wrote it."""
    body, crossed = to_chat(**given)
    assert body == PLAIN | said
    assert crossed.dropped == dropped


@pytest.mark.parametrize(
    ("given", "dropped"),
    [
        ({"thinking": {"type": "enabled", "budget_tokens": 2048}}, ("thinking",)),
        ({"thinking": {"type": "adaptive"}}, ("thinking",)),
        ({"output_config": {"effort": "low"}}, ("output_config.effort",)),
        ({"thinking": {"type": "disabled"}, "output_config": {"effort": "low"}}, ("output_config.effort",)),
        (
            {"thinking": {"type": "adaptive"}, "output_config": {"effort": "low"}},
            ("thinking", "output_config.effort"),
        ),
        ({"thinking": {"type": "disabled"}}, ()),
    ],
)
def test_a_provider_without_effort(given: Json, dropped: tuple[str, ...]) -> None:
    """The effort is named, by the field that it was in."""
    body, crossed = to_chat(ChatCan(reasoning_effort=False), **given)
    assert body == PLAIN
    assert crossed.dropped == dropped


def test_a_provider_that_knows_the_older_limit_only() -> None:
    """The limit is said in the word that it reads."""
    body, _ = to_chat(ChatCan(max_completion_tokens=False))
    assert body == {"model": "gpt-4o", "max_tokens": 100, "messages": HELLO}


def test_a_model_without_sampling() -> None:
    """What says something is named."""
    body, crossed = to_chat(ChatCan(sampling=False), temperature=0.1, top_p=1)
    assert body == PLAIN
    assert crossed.dropped == ("temperature",)


def test_a_mark_on_a_tool() -> None:
    """It is kept where it is read."""
    mark = {"cache_control": {"type": "ephemeral"}}
    body, crossed = to_chat(ChatCan(cache_control=True), tools=[TOOL | mark])
    assert body["tools"] == [SAID_TOOL | mark]
    assert crossed.dropped == ()


@pytest.mark.parametrize(
    ("given", "param"),
    [
        ({"tools": [TOOL], "tool_choice": {"type": "some"}}, "tool_choice"),
        ({"tools": [TOOL], "tool_choice": {"type": "tool"}}, "tool_choice"),
        ({"max_tokens": "many"}, "max_tokens"),
        ({"output_config": form([])}, "output_config.format.schema"),
    ],
)
def test_what_cannot_be_said(given: Json, param: str) -> None:
    """The field is named."""
    with pytest.raises(Untranslatable) as refused:
        to_chat(**given)
    assert refused.value.param == param
