"""Tools and the choice among them, from chat completions to messages."""

import pytest

from tests.providers.translate.wire import Json, to_messages
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.records import MessagesCan

SCHEMA = {"type": "object", "properties": {"a": {"type": "string"}}}


def tool(name: str = "f", **fields: object) -> Json:
    return {"type": "function", "function": {"name": name, **fields}}


def named(name: str) -> Json:
    return {"type": "function", "function": {"name": name}}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (tool(description="D", parameters=SCHEMA), {"name": "f", "description": "D", "input_schema": SCHEMA}),
        (tool(), {"name": "f", "input_schema": {"type": "object", "properties": {}}}),
        (tool(parameters={"properties": {}}), {"name": "f", "input_schema": {"type": "object", "properties": {}}}),
        (tool(parameters=SCHEMA, strict=True), {"name": "f", "input_schema": SCHEMA, "strict": True}),
        (tool(parameters=SCHEMA, strict=False), {"name": "f", "input_schema": SCHEMA}),
        (
            tool(parameters=SCHEMA) | {"cache_control": {"type": "ephemeral"}},
            {"name": "f", "input_schema": SCHEMA, "cache_control": {"type": "ephemeral"}},
        ),
    ],
)
def test_tools(given: Json, said: Json) -> None:
    """A schema is always one of an object."""
    body, crossed = to_messages(tools=[given])
    assert body["tools"] == [said]
    assert crossed.dropped == ()


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("auto", {"type": "auto"}),
        ("none", {"type": "none"}),
        ("required", {"type": "any"}),
        (named("f"), {"type": "tool", "name": "f"}),
        (None, None),
    ],
)
def test_choices(choice: object, said: Json | None) -> None:
    """Each word has its own; no choice is none."""
    body, _ = to_messages(tools=[tool()], tool_choice=choice)
    assert body.get("tool_choice") == said
    single, _ = to_messages(tools=[tool()], tool_choice=choice, parallel_tool_calls=False)
    expected = said or {"type": "auto"}
    assert single["tool_choice"] == (expected if choice == "none" else expected | {"disable_parallel_tool_use": True})
    many, _ = to_messages(tools=[tool()], tool_choice=choice, parallel_tool_calls=True)
    assert many.get("tool_choice") == said


def test_allowed_tools() -> None:
    """The others are not shown."""
    choice = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named("g")]}}
    body, _ = to_messages(tools=[tool("f"), tool("g")], tool_choice=choice)
    assert [one["name"] for one in body["tools"]] == ["g"]
    assert body["tool_choice"] == {"type": "any"}


def test_tools_that_only_one_maker_knows() -> None:
    """They are dropped and named; without a tool there is no choice."""
    custom = {"type": "custom", "custom": {"name": "f"}}
    body, crossed = to_messages(tools=[custom, {"type": "web"}], tool_choice="auto")
    assert "tools" not in body
    assert "tool_choice" not in body
    assert crossed.dropped == ("tools.custom", "tools.type")


def test_a_provider_without_strict_tools() -> None:
    """The tool stays; its strictness is named."""
    body, crossed = to_messages(MessagesCan(json_schema=False), tools=[tool(parameters=SCHEMA, strict=True)])
    assert "strict" not in body["tools"][0]
    assert crossed.dropped == ("tools.function.strict",)


@pytest.mark.parametrize("choice", ["sometimes", {"type": "custom", "custom": {"name": "f"}}])
def test_a_choice_that_is_none(choice: object) -> None:
    """It is refused by name."""
    with pytest.raises(Untranslatable, match="tool_choice"):
        to_messages(tools=[tool()], tool_choice=choice)


def test_a_schema_that_is_none() -> None:
    """It is refused by name."""
    with pytest.raises(Untranslatable, match=r"tools\.function\.parameters"):
        to_messages(tools=[tool(parameters=[])])
