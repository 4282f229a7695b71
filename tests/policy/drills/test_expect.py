"""What can be said of an answer by looking at it."""

import pytest

from tidegate.model import drills as kinds
from tidegate.model.drills import Expectation
from tidegate.policy.drills.expect import arguments_of, calls_tool, looked_at
from tidegate.policy.drills.told import Told, ToolCall

ANSWER = Told("A Refund takes 7 days.", finish="stop", seconds=1.5)


@pytest.mark.parametrize(
    ("expectation", "met"),
    [
        (Expectation(kinds.CONTAINS, words=("Refund", "7 days")), True),
        (Expectation(kinds.CONTAINS, words=("refund",)), False),
        (Expectation(kinds.CONTAINS, words=("refund",), fold=True), True),
        (Expectation(kinds.CONTAINS_ANY, words=("week", "days")), True),
        (Expectation(kinds.CONTAINS_ANY, words=("week", "month")), False),
        (Expectation(kinds.NOT_CONTAINS, words=("sorry",)), True),
        (Expectation(kinds.NOT_CONTAINS, words=("sorry", "days")), False),
        (Expectation(kinds.IS_JSON), False),
        (Expectation(kinds.MAX_SECONDS, most=1.5), True),
        (Expectation(kinds.MAX_SECONDS, most=1.4), False),
        (Expectation(kinds.LENGTH, least=5, most=22), True),
        (Expectation(kinds.LENGTH, least=23), False),
        (Expectation(kinds.LENGTH, most=21), False),
        (Expectation(kinds.LANGUAGE, text="en"), True),
        (Expectation(kinds.LANGUAGE, text="zh"), False),
        (Expectation(kinds.FINISH, words=("stop", "tool_calls")), True),
        (Expectation(kinds.FINISH, words=("length",)), False),
    ],
)
def test_verdicts(expectation: Expectation, met: bool) -> None:
    """Met or not, and why not."""
    verdict = looked_at(expectation, ANSWER)
    assert verdict is not None
    assert verdict.met is met
    assert bool(verdict.why) is not met


def test_json_is_json_and_nothing_else() -> None:
    """A fence around it makes it a text; so deep a value that nobody can read it is none."""
    expectation = Expectation(kinds.IS_JSON)
    assert looked_at(expectation, Told('{"a": 1}')) == ("is_json", 1, True, "")
    for text in ('```json\n{"a": 1}\n```', "", "[" * 100_000):
        verdict = looked_at(expectation, Told(text))
        assert verdict is not None
        assert verdict.met is False


def test_what_looking_does_not_tell() -> None:
    """Patterns, schemas, tools, likeness and judges."""
    for kind in (kinds.REGEX, kinds.JSON_SCHEMA, kinds.TOOL, kinds.SIMILAR, kinds.JUDGE):
        assert looked_at(Expectation(kind), ANSWER) is None


def test_a_tool_is_called_with_an_object() -> None:
    """By its name; arguments that are no object are not called with."""
    expectation = Expectation(kinds.TOOL, text="f")
    assert calls_tool(expectation, Told(tools=(ToolCall("f", '{"a": 1}'),))).met
    assert calls_tool(expectation, Told(tools=(ToolCall("f", ""),))).met
    assert calls_tool(expectation, Told(tools=(ToolCall("g", "{}"),))).met is False
    assert calls_tool(expectation, Told(tools=(ToolCall("f", "[1"),))).met is False
    assert arguments_of("[]") is None


def test_reasons_are_short() -> None:
    """A long text of the expectation is cut."""
    verdict = looked_at(Expectation(kinds.CONTAINS, words=("x" * 9_999,)), ANSWER)
    assert verdict is not None
    assert len(verdict.why) < 100
