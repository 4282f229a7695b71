"""Functions and the choice among them are carried over; what the provider runs itself is refused."""

import pytest

from tests.providers.translate.responses_wire import Json, answer, completion, cross, to_chat
from tidegate.providers.translate.face import Untranslatable


def function(name: str = "f", **fields: object) -> Json:
    schema = {"type": "object", "properties": {"x": {"type": "number", "minimum": 1.0}}}
    return {"type": "function", "name": name, "parameters": schema, "strict": True, **fields}


def refusal(**fields: object) -> Untranslatable:
    with pytest.raises(Untranslatable) as caught:
        cross(**fields)
    return caught.value


def names(body: Json) -> list[str]:
    return [tool["function"]["name"] for tool in body["tools"]]


def test_functions() -> None:
    """Name, description, schema and strictness; what is null is left out."""
    tools = [function(description="d"), function("g", parameters=None, strict=None, description=None)]
    assert to_chat(tools=tools)["tools"] == [
        {
            "type": "function",
            "function": {
                "name": "f",
                "description": "d",
                "parameters": {"type": "object", "properties": {"x": {"type": "number", "minimum": 1.0}}},
                "strict": True,
            },
        },
        {"type": "function", "function": {"name": "g"}},
    ]


def test_the_answer_repeats_the_tools_as_they_were_sent() -> None:
    """And the choice."""
    told = answer(completion(content="a"), tools=[function()], tool_choice={"type": "function", "name": "f"})
    assert told["tools"] == [function()]
    assert told["tool_choice"] == {"type": "function", "name": "f"}


BUILT_IN = [
    "web_search", "web_search_preview", "file_search", "code_interpreter", "image_generation", "mcp",
    "computer_use_preview", "local_shell", "shell", "apply_patch", "custom", "namespace", "", "x" * 5_000,
]  # fmt: skip


@pytest.mark.parametrize("kind", BUILT_IN)
def test_other_tools_are_refused_by_name(kind: str) -> None:
    """With what to do; a gate cannot search the web."""
    error = refusal(tools=[function(), {"type": kind, "name": "x"}])
    assert error.param == "tools"
    assert kind[:64] in error.message
    assert "'function'" in error.message
    assert "Responses API" in error.message
    assert len(error.message) < 300


@pytest.mark.parametrize(
    "tools", [5, {}, [5], [{"type": 5}], [{"type": "function"}], [{"type": "function", "name": ""}]]
)
def test_wrong_tools_are_refused(tools: object) -> None:
    """By the field's name."""
    assert refusal(tools=tools).param == "tools"


@pytest.mark.parametrize("tools", [None, []])
def test_no_tools(tools: object) -> None:
    """And no choice among them: chat completions refuse one."""
    told = to_chat(tools=tools, tool_choice="auto", parallel_tool_calls=True)
    assert not {"tools", "tool_choice", "parallel_tool_calls"} & set(told)


@pytest.mark.parametrize("word", ["auto", "none", "required"])
def test_a_word_of_choice(word: str) -> None:
    """It is the same."""
    assert to_chat(tools=[function()], tool_choice=word)["tool_choice"] == word


def test_no_choice_stays_none() -> None:
    """The provider's default holds."""
    assert "tool_choice" not in to_chat(tools=[function()])
    assert "tool_choice" not in to_chat(tools=[function()], tool_choice=None)


def test_a_function_can_be_chosen() -> None:
    """By name."""
    told = to_chat(tools=[function(), function("g")], tool_choice={"type": "function", "name": "g"})
    assert told["tool_choice"] == {"type": "function", "function": {"name": "g"}}
    assert names(told) == ["f", "g"]


@pytest.mark.parametrize("mode", ["auto", "required"])
def test_allowed_tools_are_the_only_ones(mode: str) -> None:
    """Few providers know the field: the others are not told of at all."""
    choice = {"type": "allowed_tools", "mode": mode, "tools": [{"type": "function", "name": "g"}]}
    told = to_chat(tools=[function(), function("g")], tool_choice=choice)
    assert names(told) == ["g"]
    assert told["tool_choice"] == mode


@pytest.mark.parametrize(
    "choice",
    [
        "always", "", {"type": "web_search_preview"}, {"type": "mcp", "server_label": "a"}, {"type": "function"},
        {"type": "custom", "name": "f"}, 5, [], {"type": 5},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "mcp", "server_label": "a"}]},
        {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "h"}]},
        {"type": "allowed_tools", "mode": "sometimes", "tools": [{"type": "function", "name": "f"}]},
    ],
)  # fmt: skip
def test_other_choices_are_refused(choice: object) -> None:
    """By the field's name."""
    assert refusal(tools=[function()], tool_choice=choice).param == "tool_choice"


@pytest.mark.parametrize("value", [True, False])
def test_how_many_at_once(value: bool) -> None:
    """It is the same field."""
    assert to_chat(tools=[function()], parallel_tool_calls=value)["parallel_tool_calls"] is value
    assert (
        answer(completion(content="a"), tools=[function()], parallel_tool_calls=value)["parallel_tool_calls"] is value
    )


def test_what_of_a_function_has_no_equal_is_named() -> None:
    """Unless it asks for nothing out of the ordinary."""
    odd = function(defer_loading=True, allowed_callers=["programmatic"], output_schema={"type": "string"})
    assert cross(tools=[odd]).dropped == ("tools.defer_loading", "tools.allowed_callers", "tools.output_schema")
    assert cross(tools=[function(defer_loading=False, allowed_callers=["direct"], output_schema=None)]).dropped == ()
