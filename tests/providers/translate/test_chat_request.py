"""What else a request for chat completions says, in Anthropic's words."""

import pytest

from tests.providers.translate.conversations import STRICT_SCHEMA
from tests.providers.translate.wire import HELLO, Json, to_messages
from tidegate.providers.translate.chat_tools import JSON_TOOL
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.records import MessagesCan
from tidegate.providers.translate.tables import DEFAULT_MAX_TOKENS

TOOL = {"type": "function", "function": {"name": "f"}}
SCHEMA_FORMAT = {"type": "json_schema", "json_schema": {"name": "n", "schema": STRICT_SCHEMA, "strict": True}}
PLAIN = {
    "model": "claude-3-haiku",
    "max_tokens": DEFAULT_MAX_TOKENS,
    "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
}


def test_the_least() -> None:
    """A limit of tokens is added, as Anthropic demands one; nothing else is."""
    body, crossed = to_messages()
    assert body == PLAIN
    assert crossed.dropped == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"max_tokens": 7}, {"max_tokens": 7}),
        ({"max_tokens": 7, "max_completion_tokens": 8}, {"max_tokens": 8}),
        ({"temperature": 0.5, "top_p": 0.9}, {"temperature": 0.5, "top_p": 0.9}),
        ({"stop": "END"}, {"stop_sequences": ["END"]}),
        ({"stop": ["A", "B"]}, {"stop_sequences": ["A", "B"]}),
        ({"stop": []}, {}),
        ({"user": "u", "safety_identifier": "s"}, {"metadata": {"user_id": "u"}}),
        ({"safety_identifier": "s"}, {"metadata": {"user_id": "s"}}),
        ({"service_tier": "auto"}, {"service_tier": "auto"}),
        ({"service_tier": "default"}, {"service_tier": "standard_only"}),
        ({"stream": True, "stream_options": {"include_usage": True}}, {"stream": True}),
        ({"stream": False}, {}),
        ({"response_format": {"type": "text"}}, {}),
        ({"response_format": SCHEMA_FORMAT}, {"output_config": {"format": {"type": "json_schema"}}}),
        ({"n": 1, "logprobs": False, "store": False, "seed": None, "presence_penalty": 0}, {}),
        ({"reasoning_effort": "none"}, {}),
    ],
)
def test_settings(given: Json, said: Json) -> None:
    """What both can say is said, and what asks for nothing is not named."""
    body, crossed = to_messages(**given)
    if "output_config" in body:
        assert body["output_config"]["format"].pop("schema") == STRICT_SCHEMA
    assert body == PLAIN | said
    assert crossed.dropped == ()


@pytest.mark.parametrize(
    ("given", "said", "dropped"),
    [
        ({"temperature": 1.7}, {"temperature": 1.0}, ("temperature",)),
        ({"stop": ["\n", "END"]}, {"stop_sequences": ["END"]}, ("stop",)),
        ({"stop": " "}, {}, ("stop",)),
        ({"service_tier": "flex"}, {}, ("service_tier",)),
        ({"n": 2, "seed": 1, "logprobs": True}, {}, ("n", "seed", "logprobs")),
        ({"logit_bias": {"1": 2}, "audio": {}, "store": True}, {}, ("logit_bias", "audio", "store")),
        ({"frequency_penalty": 0.5, "top_k": 3}, {}, ("frequency_penalty", "top_k")),
        ({"response_format": {"type": "poem"}}, {}, ("response_format",)),
        ({"response_format": {"type": "json_schema"}}, {}, ("response_format",)),
        ({"reasoning_effort": "divine"}, {}, ("reasoning_effort",)),
    ],
)
def test_what_is_dropped(given: Json, said: Json, dropped: tuple[str, ...]) -> None:
    """It is named as the client wrote it."""
    body, crossed = to_messages(**given)
    assert body == PLAIN | said
    assert crossed.dropped == dropped


@pytest.mark.parametrize(
    ("sampling", "given", "said", "dropped"),
    [
        ("none", {"temperature": 0.1, "top_p": 0.2}, {}, ("temperature", "top_p")),
        ("one", {"temperature": 0.1, "top_p": 0.2}, {"temperature": 0.1}, ("top_p",)),
        ("one", {"top_p": 0.2}, {"top_p": 0.2}, ()),
    ],
)
def test_a_model_that_takes_less_sampling(sampling: str, given: Json, said: Json, dropped: tuple[str, ...]) -> None:
    """What it does not take is named."""
    body, crossed = to_messages(MessagesCan(sampling=sampling), **given)
    assert body == PLAIN | said
    assert crossed.dropped == dropped


def test_functions_are_refused() -> None:
    """The answer would have to call in a way that is gone."""
    with pytest.raises(Untranslatable, match="tools") as refused:
        to_messages(functions=[{"name": "f"}])
    assert refused.value.param == "functions"


@pytest.mark.parametrize(
    ("can", "form"),
    [
        (MessagesCan(), {"type": "json_object"}),
        (MessagesCan(json_schema=False), {"type": "json_object"}),
        (MessagesCan(json_schema=False), SCHEMA_FORMAT),
    ],
)
def test_json_without_a_grammar(can: MessagesCan, form: Json) -> None:
    """The model must fill in a tool; one of the client's own is allowed beside it."""
    body, crossed = to_messages(can, response_format=form)
    schema = {"type": "object"} if form["type"] == "json_object" else STRICT_SCHEMA
    assert [(tool["name"], tool["input_schema"]) for tool in body["tools"]] == [(JSON_TOOL, schema)]
    assert body["tool_choice"] == {"type": "tool", "name": JSON_TOOL, "disable_parallel_tool_use": True}
    assert crossed.dropped == (("response_format.json_schema.strict",) if form is SCHEMA_FORMAT else ())
    body, _ = to_messages(can, response_format=form, tools=[TOOL])
    assert [tool["name"] for tool in body["tools"]] == ["f", JSON_TOOL]
    assert body["tool_choice"] == {"type": "any"}
    body, _ = to_messages(can, response_format=form, tools=[TOOL], tool_choice="none")
    assert [tool["name"] for tool in body["tools"]] == [JSON_TOOL]
    body, _ = to_messages(can, response_format=form, tools=[TOOL], tool_choice="required")
    assert [tool["name"] for tool in body["tools"]] == ["f"]


@pytest.mark.parametrize("constrained", [True, False])
def test_what_a_schema_says_beside_itself(*, constrained: bool) -> None:
    """Its description is not carried over; its strictness is where the output is constrained."""
    form = {"name": "n", "schema": STRICT_SCHEMA, "description": "D", "strict": True}
    asked = {"response_format": {"type": "json_schema", "json_schema": form}}
    _, crossed = to_messages(MessagesCan(json_schema=constrained), **asked)
    lost = ("description",) if constrained else ("description", "strict")
    assert crossed.dropped == tuple(f"response_format.json_schema.{name}" for name in lost)


@pytest.mark.parametrize(
    ("given", "limit", "budget"),
    [
        ({"reasoning_effort": "low"}, DEFAULT_MAX_TOKENS + 2048, 2048),
        ({"reasoning_effort": "high", "max_completion_tokens": 40_000}, 40_000, 16_384),
        ({"reasoning_effort": "high", "max_completion_tokens": 4000}, 4000, 2000),
    ],
)
def test_effort_is_a_budget_of_thought(given: Json, limit: int, budget: int) -> None:
    """Thought is a part of the output: at most half of a limit that the client set."""
    body, crossed = to_messages(**given)
    assert body == PLAIN | {"max_tokens": limit, "thinking": {"type": "enabled", "budget_tokens": budget}}
    assert crossed.dropped == ()


def test_effort_as_a_word() -> None:
    """Where the provider takes one."""
    body, _ = to_messages(MessagesCan(thinking="effort"), reasoning_effort="minimal", response_format=SCHEMA_FORMAT)
    assert body["thinking"] == {"type": "adaptive"}
    assert body["output_config"]["effort"] == "low"
    assert body["output_config"]["format"]["schema"] == STRICT_SCHEMA
    assert body["max_tokens"] == DEFAULT_MAX_TOKENS


@pytest.mark.parametrize(
    ("can", "fields"),
    [
        (MessagesCan(thinking="none"), {}),
        (MessagesCan(), {"max_completion_tokens": 2000}),
        (MessagesCan(), {"tools": [TOOL], "tool_choice": "required"}),
        (MessagesCan(), {"response_format": {"type": "json_object"}}),
        (
            MessagesCan(),
            {
                "messages": [
                    *HELLO,
                    {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": ""}}]},
                    {"role": "tool", "tool_call_id": "a", "content": "1"},
                ]
            },
        ),
    ],
)
def test_effort_that_would_be_refused(can: MessagesCan, fields: Json) -> None:
    """A budget too small, a forced call, a call whose thought is missing: the effort is dropped, and the call goes."""
    body, crossed = to_messages(can, reasoning_effort="high", **fields)
    assert "thinking" not in body
    assert crossed.dropped == ("reasoning_effort",)


def test_thought_goes_on_after_a_call_that_has_one() -> None:
    """And after an answer to which the user has said something since."""
    thought = {"type": "thinking", "thinking": "T", "signature": "s"}
    call = {"id": "a", "function": {"name": "f", "arguments": ""}}
    result = {"role": "tool", "tool_call_id": "a", "content": "1"}
    sealed = {"role": "assistant", "thinking_blocks": [thought], "tool_calls": [call]}
    body, _ = to_messages(messages=[*HELLO, sealed, result], reasoning_effort="high")
    assert "thinking" in body
    bare = {"role": "assistant", "tool_calls": [call]}
    body, _ = to_messages(
        messages=[*HELLO, bare, result, {"role": "assistant", "content": "A"}, *HELLO], reasoning_effort="high"
    )
    assert "thinking" in body


def test_thought_rules_out_sampling() -> None:
    """Anthropic refuses both together; the default temperature needs no name."""
    body, crossed = to_messages(reasoning_effort="low", temperature=0.3, top_p=0.5)
    assert {"temperature", "top_p"}.isdisjoint(body)
    assert crossed.dropped == ("temperature", "top_p")
    body, crossed = to_messages(reasoning_effort="low", temperature=1, top_p=0.97)
    assert body["top_p"] == 0.97
    assert crossed.dropped == ()
