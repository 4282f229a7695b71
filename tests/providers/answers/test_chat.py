"""Chat completions: chunks as OpenAI's SDK reads and puts them together, and chunks as providers really send them."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from openai.lib.streaming.chat import ChatCompletionStreamState
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.providers.answers import wholes
from tests.providers.served import served
from tidegate.providers.answers.chat import to_chunks, whole_of
from tidegate.providers.answers.fields import Cut
from tidegate.providers.translate.events import payloads

DONE = b"data: [DONE]\n\n"
CALLS = [wholes.function("call_1", "weather", '{"city": "Zürich"}'), wholes.function("call_2", "clock", "{}")]


def said(whole: Any, *, usage: bool = True) -> list[Any]:
    """The chunks of a whole answer, read."""
    events = b"".join(to_chunks(whole, usage=usage))
    assert events.endswith(DONE)
    return [json.loads(data) for data in payloads(events)[:-1]]


def deltas(whole: Any) -> list[Any]:
    return [choice["delta"] for chunk in said(whole) for choice in chunk["choices"]]


def stream(*parts: Any, **fields: object) -> bytes:
    """Chunks with one choice each."""
    head = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    return b"".join(b"data: %b\n\n" % wholes.dumped({**head, **fields, "choices": [part]}) for part in parts) + DONE


def part(finish: str | None = None, index: int = 0, **delta: object) -> Any:
    return {"index": index, "delta": delta, "finish_reason": finish}


def gathered(*parts: Any, **fields: object) -> Any:
    return whole_of(stream(*parts, **fields))


def message_of(*parts: Any) -> Any:
    return gathered(*parts)["choices"][0]["message"]


def accumulated(whole: Any) -> Any:
    """What OpenAI's SDK makes of the chunks."""
    state = ChatCompletionStreamState()
    for chunk in said(whole):
        state.handle_chunk(ChatCompletionChunk.model_validate(chunk))
    return state.current_completion_snapshot


def test_the_words_of_a_text() -> None:
    """The role comes first, then words with the space before them, then the reason, then the usage."""
    whole = wholes.chat({"content": "Good morning, 世界你好"})
    chunks = said(whole)
    assert [choice["delta"] for chunk in chunks for choice in chunk["choices"]] == [
        {"role": "assistant", "content": "", "refusal": None}, {"content": "Good"}, {"content": " morning,"},
        {"content": " 世界你"}, {"content": "好"}, {},
    ]  # fmt: skip
    assert [chunk["choices"][0]["finish_reason"] for chunk in chunks[:-1]] == [None] * 5 + ["stop"]
    assert (chunks[-1]["choices"], chunks[-1]["usage"]) == ([], wholes.USAGE)
    assert all(chunk["usage"] is None for chunk in chunks[:-1])
    for chunk in chunks:
        assert chunk["object"] == "chat.completion.chunk"
        assert (chunk["id"], chunk["service_tier"], chunk["system_fingerprint"]) == ("chatcmpl-1", "default", "fp_1")


def test_no_usage_unless_asked_for() -> None:
    """Then no chunk says a word of it, and nothing else is different."""
    whole = wholes.chat({"content": "Hello"})
    silent = said(whole, usage=False)
    assert all("usage" not in chunk for chunk in silent)
    assert [chunk | {"usage": None} for chunk in silent] == said(whole)[:-1]
    assert whole_of(b"".join(to_chunks(whole, usage=False))) == {k: v for k, v in whole.items() if k != "usage"}


def test_calls_in_parallel() -> None:
    """A call says what it is, then its arguments in pieces; the next has the next index."""
    told = deltas(wholes.chat({"tool_calls": CALLS}, "tool_calls"))
    assert told[0] == {"role": "assistant", "content": None, "refusal": None}
    assert told[1] == {"tool_calls": [{"index": 0, **wholes.function("call_1", "weather", "")}]}
    assert told[2:4] == [
        {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
        {"tool_calls": [{"index": 0, "function": {"arguments": ' "Zürich"}'}}]},
    ]
    assert told[4] == {"tool_calls": [{"index": 1, **wholes.function("call_2", "clock", "")}]}


def test_choices_in_turns() -> None:
    """Several choices come at the same time, the lower index first."""
    whole = wholes.chat({"content": "one two"})
    whole["choices"].append(whole["choices"][0] | {"index": 1})
    order = [choice["index"] for chunk in said(whole) for choice in chunk["choices"]]
    assert order == [0, 1] * 4


def test_log_probabilities_come_with_their_tokens() -> None:
    """A character that is spread over tokens stays in one piece."""
    first, second = "好".encode()[:1], "好".encode()[1:]
    halves = [{"token": "\\x", "logprob": -1.0, "bytes": list(half), "top_logprobs": []} for half in (first, second)]
    tokens = [wholes.token("Hel"), wholes.token("lo"), *halves]
    whole = wholes.chat({"content": "Hello好"})
    whole["choices"][0]["logprobs"] = {"content": tokens, "refusal": None}
    told = [choice for chunk in said(whole) for choice in chunk["choices"]][1:-1]
    assert [choice["delta"]["content"] for choice in told] == ["Hel", "lo", "好"]
    assert [len(choice["logprobs"]["content"]) for choice in told] == [1, 1, 2]
    assert accumulated(whole).choices[0].logprobs.to_dict() == whole["choices"][0]["logprobs"]


@settings(max_examples=15)
@given(wholes.completions_of_chat())
def test_the_sdk_accumulates_the_answer(whole: Any) -> None:
    """What OpenAI's SDK puts together of the chunks is the answer, choice by choice; each is of the model's form."""
    for choice in whole["choices"]:
        choice["message"].pop("thinking_blocks", None)  # the SDK keeps their index
        calls = choice["message"].get("tool_calls") or []
        if any(call["type"] != "function" for call in calls):
            choice["message"]["tool_calls"] = []  # and knows functions only
    ChatCompletion.model_validate(whole)
    got = accumulated(whole).to_dict(exclude_unset=False)
    assert (got["id"], got["model"], got["usage"]["total_tokens"]) == (whole["id"], whole["model"], 21)
    for choice, wanted in zip(got["choices"], whole["choices"], strict=True):
        assert choice["finish_reason"] == wanted["finish_reason"]
        message = choice["message"]
        for name in ("content", "refusal", "reasoning_content", "reasoning"):
            assert (message.get(name) or None) == (wanted["message"].get(name) or None), name
        calls = [(call["id"], call["function"]["arguments"]) for call in message.get("tool_calls") or []]
        assert calls == [(c["id"], c["function"]["arguments"]) for c in wanted["message"].get("tool_calls") or []]
        assert [one["token"] for one in ((choice["logprobs"] or {}).get("content") or [])] == [
            one["token"] for one in ((wanted["logprobs"] or {}).get("content") or [])
        ]


def test_by_the_stream_helper() -> None:
    """`client.chat.completions.stream`, over its parser of events: calls, and the final completion."""
    whole = wholes.chat({"content": "Let me look.", "tool_calls": CALLS}, "tool_calls")
    content = b"".join(to_chunks(whole, usage=True))
    with served(content) as client, client.chat.completions.stream(model="m", messages=[]) as events:
        done = [event for event in events if event.type == "tool_calls.function.arguments.done"]
        final = events.get_final_completion()
    assert [(event.name, event.arguments) for event in done] == [("weather", '{"city": "Zürich"}'), ("clock", "{}")]
    assert final.choices[0].message.content == "Let me look."
    assert [call.id for call in final.choices[0].message.tool_calls or []] == ["call_1", "call_2"]
    assert final.usage is not None
    assert final.usage.total_tokens == 21


def test_what_providers_repeat() -> None:
    """A role, an id, a name or an empty text in every chunk do not pile up."""
    call = {"index": 0, "id": "call_1", "type": "function"}
    whole = gathered(
        part(role="assistant", content="", reasoning_content="Hm"),
        part(role="assistant", content=None, reasoning_content=", yes"),
        part(role="assistant", tool_calls=[{**call, "function": {"name": "f", "arguments": '{"a"'}}]),
        part(role="assistant", tool_calls=[{**call, "function": {"name": "f", "arguments": ":1}"}}]),
        part("tool_calls", role="assistant", content=""),
    )
    message = whole["choices"][0]["message"]
    assert message["role"] == "assistant"
    assert (message["content"], message["reasoning_content"]) == ("", "Hm, yes")
    assert message["tool_calls"] == [wholes.function("call_1", "f", '{"a":1}')]
    ChatCompletion.model_validate(whole)


def test_calls_that_are_not_counted() -> None:
    """Another id at a known index, or none at all, is another call (Gemini's compatible API, some local servers)."""
    first, second = wholes.function("call_1", "f", "{}"), wholes.function("call_2", "g", "{}")
    counted = message_of(part(tool_calls=[{"index": 0, **first}]), part(tool_calls=[{"index": 0, **second}]))
    assert counted["tool_calls"] == [first, second]
    assert message_of(part(tool_calls=[first, second]), part("stop"))["tool_calls"] == [first, second]


def test_interleaved_calls() -> None:
    """Arguments go to the call of their index, in whatever order they come."""
    whole = message_of(
        part(tool_calls=[{"index": 1, **wholes.function("b", "g", "")}]),
        part(tool_calls=[{"index": 0, **wholes.function("a", "f", "")}]),
        part(tool_calls=[{"index": 1, "function": {"arguments": "{2"}}, {"index": 0, "function": {"arguments": "{1"}}]),
        part(tool_calls=[{"index": 0, "function": {"arguments": "}"}}, {"index": 1, "function": {"arguments": "}"}}]),
    )
    assert whole["tool_calls"] == [wholes.function("a", "f", "{1}"), wholes.function("b", "g", "{2}")]


def test_azure_filters_first() -> None:
    """Azure's first chunk has no choice, id or model; the answer has those that come, and what the filter found."""
    prompt = {"prompt_filter_results": [{"prompt_index": 0, "content_filter_results": {}}]}
    head = {"choices": [], "created": 0, "id": "", "model": "", "object": "", **prompt}
    checked = {**part(content="Hi"), "content_filter_results": {"hate": {"filtered": False}}}
    end = {**part("stop"), "content_filter_results": {}}
    whole: Any = whole_of(b"data: %b\n\n" % wholes.dumped(head) + stream(checked, end, obfuscation="x"))
    assert (whole["id"], whole["model"], whole["created"]) == ("c", "m", 1)
    assert whole["prompt_filter_results"] == prompt["prompt_filter_results"]
    assert whole["choices"][0]["content_filter_results"] == {"hate": {"filtered": False}}
    assert "obfuscation" not in whole


def test_reasoning_in_details() -> None:
    """OpenRouter numbers what it tells of thoughts; the texts of one number are one."""
    detail = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0}
    message = message_of(
        part(reasoning="Let", reasoning_details=[{**detail, "text": "Let"}]),
        part(reasoning=" us", reasoning_details=[{**detail, "text": " us"}]),
        part(reasoning_details=[{**detail, "signature": "c2ln"}]),
        part("stop", content="Done."),
    )
    assert message["reasoning"] == "Let us"
    assert message["reasoning_details"] == [{**detail, "text": "Let us", "signature": "c2ln"}]


def test_usage_where_it_comes() -> None:
    """In the last chunk with a choice, or in one without; the latest counts."""
    early = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    begun = stream(part(content="a")).removesuffix(DONE)
    chunks = begun + stream(part("stop"), usage=early).removesuffix(DONE)
    assert whole_of(chunks + DONE)["usage"] == early
    last = b"data: %b\n\n" % wholes.dumped({"choices": [], "usage": wholes.USAGE})
    assert whole_of(chunks + last + DONE)["usage"] == wholes.USAGE


@pytest.mark.parametrize(
    ("events", "error"),
    [
        (b"", Cut),
        (stream(part(content="a")).removesuffix(DONE), Cut),
        (b'data: {"error":{"message":"overloaded"}}\n\n', Cut),
        (b'data: {"error":{"message":"overloaded"}}\n\n' + DONE, ValueError),
        (b'data: {"object":"tidegate.restart","choices":[]}\n\n' + stream(part("stop", content="a")), ValueError),
        (b"data: {}\n\n" + DONE, ValueError),
        (b'data: {"choices":1}\n\n' + DONE, ValueError),
        (b'data: {"choices":[1]}\n\n' + DONE, ValueError),
        (b"data: {\n\n" + DONE, ValueError),
        (stream(part(content="a"), part(content=["b"])), ValueError),
        (stream(part(content=["b"]), part(content={"a": 1})), ValueError),
        (stream({**part(content="a"), "logprobs": 1}), ValueError),
    ],
)
def test_what_is_no_answer(events: bytes, error: type[Exception]) -> None:
    """A stream without its end is cut; an error, another beginning or what is no chunk cannot be told whole."""
    with pytest.raises(error):
        whole_of(events)


@pytest.mark.parametrize("whole", [{}, {"choices": []}, {"choices": [1]}, {"choices": [{"index": 0}]}])
def test_what_has_no_chunks(whole: Any) -> None:
    """An answer without choices or messages is none."""
    with pytest.raises(ValueError, match="choices|message"):
        to_chunks(whole, usage=True)
