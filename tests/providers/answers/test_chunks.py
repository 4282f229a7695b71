"""What chat completions and completions share."""

import json
from typing import Any

import pytest

from tidegate.providers.answers.chunks import beside, extend, gathered, note_logprobs, written
from tidegate.providers.answers.fields import Fields
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
    return [json.loads(data) for data in payloads(b"".join(written(WHOLE, "chunk", choices, usage=usage)))[:-1]]


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
    first, second, third, end = said([{"index": 0}, {"index": 0, "x": 1}], [{"index": 1}])
    head = {"id": "c", "object": "chunk", "created": 1, "model": "m"}
    assert first == {**head, "provider": "p", "choices": [{"index": 0}], "usage": None}
    assert second == {**head, "choices": [{"index": 1}], "usage": None}
    assert third["choices"] == [{"index": 0, "x": 1}]
    assert end == {**head, "choices": [], "usage": {"a": 1}}


def test_without_usage() -> None:
    """Nothing says so much as its name."""
    assert all("usage" not in chunk for chunk in said([{"index": 0}], usage=False))


def test_gathered() -> None:
    """Parts go to the choice of their index; choices stand in the order of it."""
    events = [{"choices": [{"index": 1, "a": 1}]}, {"choices": [{"a": 2}, {"index": 1, "a": 3}]}, {"x": None}, {"x": 1}]
    stream = b"".join(b"data: %b\n\n" % json.dumps(event).encode() for event in events)
    whole = gathered(stream + b"data: [DONE]\n\n", "o", Kept)
    assert whole == {"id": None, "object": "o", "x": 1, "choices": [{"said": [0, 2]}, {"said": [1, 1, 3]}]}


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


def test_log_probabilities() -> None:
    """Null, until there are some."""
    choice: Fields = {}
    note_logprobs(choice, None)
    assert choice == {"logprobs": None}
    note_logprobs(choice, {"content": [1]})
    note_logprobs(choice, None)
    note_logprobs(choice, {"content": [2]})
    assert choice == {"logprobs": {"content": [1, 2]}}
    with pytest.raises(ValueError, match="logprobs"):
        note_logprobs(choice, [1])


def test_beside() -> None:
    """What the reference does not name."""
    assert beside({"index": 0, "x": 1}, frozenset({"index"})) == {"x": 1}
    assert beside({"index": 0}, frozenset({"index"})) == {}
