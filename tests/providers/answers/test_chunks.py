"""What chat completions and completions share."""

import json
from typing import Any

import pytest

from tidegate.model.outcome import Usage
from tidegate.providers.answers.chunks import beside, extend, gathered, note, with_usage, written
from tidegate.providers.answers.fields import Cut, Fields
from tidegate.providers.translate.events import payloads

WHOLE: Fields = {
    "id": "c",
    "object": "o",
    "created": 1,
    "model": "m",
    "provider": "p",
    "choices": [],
    "usage": {"a": 1},
}


def said(*choices: Any, usage: bool = True) -> list[Any]:
    """The chunks of choices, of which each chunk says one part."""
    whole = WHOLE | {"choices": [{"parts": parts} for parts in choices]}
    events = written(whole, "chunk", lambda choice, index: [{"index": index, **part} for part in choice["parts"]],
                     usage=usage)  # fmt: skip
    return [json.loads(data) for data in payloads(b"".join(events))[:-1]]


class Kept:
    """A choice that keeps what is said of it."""

    def __init__(self, index: int) -> None:
        self.said: list[object] = [index]

    def add(self, part: Fields) -> None:
        self.said.append(part.get("a"))

    def whole(self) -> Fields:
        return {"said": self.said}


def test_in_turns() -> None:
    """Of each choice one part, until it has no more; what is told once comes first, the usage last."""
    first, second, third, end = said([{}, {"x": 1}], [{}])
    head = {"id": "c", "object": "chunk", "created": 1, "model": "m"}
    assert first == {**head, "provider": "p", "choices": [{"index": 0}], "usage": None}
    assert second == {**head, "choices": [{"index": 1}], "usage": None}
    assert third["choices"] == [{"index": 0, "x": 1}]
    assert end == {**head, "choices": [], "usage": {"a": 1}}


def test_without_usage() -> None:
    """Nothing says so much as its name."""
    assert all("usage" not in chunk for chunk in said([{}], usage=False))


def test_gathered() -> None:
    """Parts go to the choice of their index; choices stand in the order of it."""
    events = [{"choices": [{"index": 1, "a": 1}]}, {"choices": [{"a": 2}, {"index": 1, "a": 3}]}, {"x": None}, {"x": 1}]
    stream = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    whole = gathered(stream + b"data: [DONE]\n\n", "o", Kept)
    assert whole == {"id": None, "object": "o", "x": 1, "choices": [{"said": [0, 2]}, {"said": [1, 1, 3]}]}


def test_the_head_is_the_first() -> None:
    """An id, a model and a time are those of the first chunk that states one, whatever later ones say."""
    heads = [{"id": "", "created": 0}, {"id": "a", "created": 5, "tier": "x"}, {"id": "b", "created": 6, "tier": "y"}]
    events = [head | {"choices": [{"a": 1}]} for head in heads]
    stream = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    whole = gathered(stream + b"data: [DONE]\n\n", "o", Kept)
    assert (whole["id"], whole["created"], whole["tier"]) == ("a", 5, "y")


@pytest.mark.parametrize(
    ("known", "more", "whole"),
    [
        ({}, {"a": [1], "b": 1}, {"a": [1], "b": 1}),
        ({"a": [1], "b": 1}, {"a": [2], "b": 2}, {"a": [1, 2], "b": 2}),
        ({"b": {"c": 1}}, {"b": {}}, {"b": {"c": 1}}),
        ({"b": 1}, {"b": None}, {"b": 1}),
        ({}, {"b": None}, {"b": None}),
    ],
)
def test_extend(known: Fields, more: Fields, whole: Fields) -> None:
    """Columns grow; of anything else the latest counts that says something."""
    extend(known, more)
    assert known == whole


def test_note() -> None:
    """Log-probabilities are null until there are some; a reason stays; what is not known goes on."""
    choice: Fields = {}
    known = frozenset({"logprobs", "finish_reason"})
    parts = [None, {"content": [1]}, None, {"content": [2]}]
    note(choice, {"finish_reason": None, "x": [1]}, known)
    for logprobs in parts:
        note(choice, {"logprobs": logprobs, "finish_reason": "stop" if logprobs else None, "x": [2]}, known)
    assert choice == {"logprobs": {"content": [1, 2]}, "finish_reason": "stop", "x": [1, 2, 2, 2, 2]}
    note(silent := {}, {"logprobs": None}, known)
    assert silent == {"logprobs": None}
    with pytest.raises(ValueError, match="logprobs"):
        note(choice, {"logprobs": [1]}, known)


def test_beside() -> None:
    """What the reference does not name."""
    assert beside({"index": 0, "x": 1}, frozenset({"index"})) == {"x": 1}
    assert beside({"index": 0}, frozenset({"index"})) == {}


def streamed(*, usage: bool) -> bytes:
    whole = WHOLE | {"choices": [{}]}
    return b"".join(written(whole, "chunk", lambda _, index: [{"index": index}], usage=usage))


def test_with_usage() -> None:
    """A last chunk says it, of the same head; what was said before in its place is not."""
    for events in (streamed(usage=True), streamed(usage=False)):
        *_, said, end = payloads(with_usage(events, Usage(5, 7, 2)))
        assert (json.loads(said), end) == (
            {
                "id": "c", "object": "chunk", "created": 1, "model": "m", "choices": [],
                "usage": {"prompt_tokens": 5, "completion_tokens": 7, "total_tokens": 12,
                          "prompt_tokens_details": {"cached_tokens": 2}},
            },
            b"[DONE]",
        )  # fmt: skip
    assert b'"prompt_tokens_details"' not in with_usage(streamed(usage=False), Usage(5, 7))


def test_without_it() -> None:
    """The last chunk without choices is taken out, and nothing where there is none."""
    assert with_usage(streamed(usage=False), None) == streamed(usage=False)
    assert len(payloads(with_usage(streamed(usage=True), None))) == 2


def test_usage_of_what_is_no_stream() -> None:
    """It has no end, or says nothing before it."""
    with pytest.raises(Cut):
        with_usage(streamed(usage=True)[:-3], None)
    with pytest.raises(ValueError):  # noqa: PT011 - the decoder's words
        with_usage(b"data: [DONE]\n\n", None)
