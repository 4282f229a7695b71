"""A whole answer and its stream are the same answer: drawn, as the twin says both, as translations say both.

| what a stream cannot carry | then |
|---|---|
| the usage of chat completions and completions that was not asked for | the whole answer has none |
| whether a message without a text, or without a role, said so | it has `"content": null`, and the role `assistant` |
| the form of numbers (`1e0`) and the order of fields | equal JSON |
"""

import json
from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from hypothesis import given

from tests.providers.answers import wholes
from tests.providers.answers.test_finish import ENDS, spoilt
from tests.providers.translate import responses_wire, wire
from tidegate.model.call import Kind
from tidegate.model.outcome import Usage
from tidegate.providers.answers.finish import finish
from tidegate.providers.answers.shapes import to_events, to_whole, with_usage
from tidegate.twin.answers import answer
from tidegate.twin.anthropic_script import MessageScript
from tidegate.twin.asks import Ask, Function
from tidegate.twin.calls import Call
from tidegate.twin.responses_script import ResponseScript
from tidegate.twin.scripts import Script
from tidegate.twin.settings import MODELS, Spread, Timing

DRAWN = {
    Kind.CHAT: wholes.completions_of_chat(),
    Kind.COMPLETION: wholes.completions(),
    Kind.MESSAGES: wholes.messages(),
    Kind.RESPONSES: wholes.responses(),
}
FUNCTIONS = (
    Function("weather", None, {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}),
    Function("clock"),
)
ASKED: dict[str, dict[str, Any]] = {
    "text": {"max_tokens": 30},
    "choices": {"n": 3, "max_tokens": 5},
    "calls": {"tools": FUNCTIONS, "tool_forced": True, "hint": "for 'Oslo'"},
    "thoughts": {"thinking": 7, "max_tokens": 20},
    "nothing": {"max_tokens": 1},
}


def there_and_back(kind: Kind, whole: Any) -> Any:
    return json.loads(to_whole(kind, b"".join(to_events(kind, wholes.dumped(whole)))))


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.name)
def test_round_trip(kind: Kind) -> None:
    """Nothing is lost on the way there and back, fields that we do not know among it."""

    @given(DRAWN[kind])
    def check(whole: Any) -> None:
        assert there_and_back(kind, whole) == whole

    check()


def scripts(asked: dict[str, Any]) -> Iterator[tuple[Kind, Any]]:
    """The twin's answer to this, in every form that can say it."""
    ask = Ask(MODELS[0], [], 0, **asked)
    said = answer(ask, Timing(ttft_ms=Spread(0.0), tpot_ms=Spread(0.0), tokens=Spread(12.0)), Random(7))
    call = Call(1, "req_abc123", "POST", "/v1", 0)
    call.model, call.prompt_tokens, call.cached_tokens = "twin-1", 11, 3
    for kind in (Kind.CHAT, Kind.COMPLETION) if not ask.tools else (Kind.CHAT,):
        yield kind, Script(
            said, b"chatcmpl-abc", 1_700_000_000, "twin-1", 11,
            chat=kind is Kind.CHAT, include_usage=True, cached_tokens=3, thinks_aloud=True,
        )  # fmt: skip
    if ask.n == 1:
        yield Kind.MESSAGES, MessageScript(call, said)
        yield Kind.RESPONSES, ResponseScript(call, ask, said, 1_700_000_000)


def stream_of(script: Any) -> bytes:
    units = script.answer.units
    return b"".join([script.opening(), script.pieces(0, units // 2, 2), script.pieces(units // 2, units, 3),
                     script.closing()])  # fmt: skip


@pytest.mark.parametrize("asked", ASKED.values(), ids=ASKED)
def test_the_twins_streams(asked: dict[str, Any]) -> None:
    """What the quota twin streams is what it says in one piece: texts, choices, calls in parallel, thoughts."""
    for kind, script in scripts(asked):
        whole, told = json.loads(script.unary()), json.loads(to_whole(kind, stream_of(script)))
        for choice in whole.get("choices", ()) if kind is Kind.CHAT else ():
            choice["message"].pop("annotations", None)  # the twin has an empty list of them in whole answers only
        assert told == whole, kind
        assert there_and_back(kind, told) == told


THOUGHT = {"type": "thinking", "thinking": "Hm so", "signature": "c2ln"}
CALLED = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": [1]}}
MESSAGE = wire.message(THOUGHT, {"type": "text", "text": "Hello there"}, CALLED, stop="tool_use")
CALL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": '{"a":1}'}}
COMPLETION = wire.completion("tool_calls", content="Hello", reasoning_content="Hm", tool_calls=[CALL, CALL])


def test_translated_streams() -> None:
    """A translation's stream is its whole answer: what a client of another dialect got can be told it in one piece."""
    _, crossed = wire.to_messages(stream=True, stream_options={"include_usage": True})
    told = json.loads(to_whole(Kind.CHAT, crossed.reply.stream().feed(b"".join(wire.message_events(MESSAGE)))))
    told["choices"][0]["message"]["refusal"] = None  # of whole answers only
    assert told == json.loads(crossed.reply.answer(wire.dumped(MESSAGE)))
    chunks, whole = b"".join(wire.completion_chunks(COMPLETION)), wire.dumped(COMPLETION)
    _, crossed = wire.to_chat(stream=True, thinking={"type": "enabled", "budget_tokens": 1_024})
    for kind, reply in ((Kind.MESSAGES, crossed.reply), (Kind.RESPONSES, responses_wire.cross(stream=True).reply)):
        assert json.loads(to_whole(kind, reply.stream().feed(chunks))) == json.loads(reply.answer(whole))


def test_what_a_stream_cannot_carry() -> None:
    """Which of its absent fields were absent."""
    whole = {"id": "c", "choices": [{"message": {"content": "a"}, "finish_reason": "stop"}]}
    assert there_and_back(Kind.CHAT, whole) == {
        "id": "c",
        "object": "chat.completion",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": "stop"}],
    }


@pytest.mark.parametrize("kind", DRAWN, ids=lambda kind: kind.name)
def test_usage_for_another_client(kind: Kind) -> None:
    """A stream that was made for a client that did not ask for its usage is one for a client that does."""
    whole = next(wholes.dumped(whole) for of, whole, _, _ in ENDS if of is kind)
    told, silent = (b"".join(to_events(kind, whole, usage=usage)) for usage in (True, False))
    said = finish(kind, with_usage(kind, silent, Usage(9, 12)), streamed=True).usage
    if kind in {Kind.CHAT, Kind.COMPLETION}:
        assert said == Usage(9, 12)
        assert finish(kind, with_usage(kind, told, None), streamed=True).usage is None
    else:
        assert with_usage(kind, told, None) == told == silent


@pytest.mark.parametrize("kind", [Kind.EMBEDDING, Kind.COUNT, Kind.PASS])
def test_kinds_without_streams(kind: Kind) -> None:
    """What never streams has no other shape."""
    with pytest.raises(ValueError, match="has no stream"):
        to_events(kind, b"{}")
    with pytest.raises(ValueError, match="has no stream"):
        to_whole(kind, b"")


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"{}", b'{"error":{}}', b'{"choices":[{"message":' + b"[" * 2_000])
def test_what_is_no_answer(body: bytes) -> None:
    """It has no other shape."""
    for kind in DRAWN:
        with pytest.raises(ValueError):  # noqa: PT011 - the decoder's words
            to_events(kind, body)


@pytest.mark.parametrize(("kind", "whole"), [end[:2] for end in ENDS])
def test_only_value_errors(kind: Kind, whole: Any) -> None:
    """A value of another type, wherever it stands, is told or refused."""
    for body in spoilt(wholes.dumped(whole)):
        try:
            events = b"".join(to_events(kind, body))
            to_whole(kind, events)
        except ValueError:
            continue


def test_deep() -> None:
    """However deeply an answer is nested: refused, or said."""
    for depth in (100, 400, 900, 990, 998, 1_500):
        deep = json.loads("[" * 90 + "]" * 90)
        whole = wire.dumped(wire.message({"type": "text", "text": "a", "x": deep}))
        whole = whole.replace(b"[" * 90 + b"]" * 90, b"[" * depth + b"]" * depth)
        try:
            assert to_whole(Kind.MESSAGES, b"".join(to_events(Kind.MESSAGES, whole)))
        except ValueError:
            assert depth > 400
