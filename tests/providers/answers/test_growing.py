"""What a stream says bit by bit, put together."""

from typing import Any

import pytest

from tidegate.providers.answers.growing import grow, grown


def gathered(*deltas: Any) -> Any:
    into: dict[str, object] = {}
    for delta in deltas:
        grow(into, delta)
    return grown(into)


@pytest.mark.parametrize(
    ("deltas", "whole"),
    [
        ([{"a": "x"}, {"a": "y"}, {"a": ""}], {"a": "xy"}),
        ([{"a": None}, {"a": "x"}, {"a": None}], {"a": "x"}),
        ([{"a": ""}, {"a": None}], {"a": ""}),
        ([{"a": ""}, {"a": "x"}], {"a": "x"}),
        ([{"a": 1}, {"a": 2}], {"a": 2}),
        ([{"type": "t"}, {"type": "t"}], {"type": "t"}),
        ([{"id": "i"}, {"id": ""}], {"id": "i"}),
        ([{"a": {"b": "x"}}, {"a": {"b": "y", "c": 1}}], {"a": {"b": "xy", "c": 1}}),
        ([{"a": [1]}, {"a": [2, "x"]}], {"a": [1, 2, "x"]}),
        ([{"a": []}], {"a": []}),
        ([{"a": [{"t": "x"}]}, {"a": [{"t": "y"}]}], {"a": [{"t": "x"}, {"t": "y"}]}),
        ([{"a": [{"index": 1, "t": "x"}]}, {"a": [{"index": 0}, {"index": 1, "t": "y"}]}],
         {"a": [{"index": 0}, {"index": 1, "t": "xy"}]}),
        ([{"a": [{"index": 0, "type": "s"}, {"index": 0, "type": "t"}]}],
         {"a": [{"index": 0, "type": "s"}, {"index": 0, "type": "t"}]}),
        ([{"tool_calls": [{"id": "x"}]}, {"tool_calls": [{"index": 0, "n": 1}]}],
         {"tool_calls": [{"id": "x", "n": 1}]}),
    ],
)  # fmt: skip
def test_together(deltas: list[Any], whole: Any) -> None:
    """Texts are joined, marks stay, objects and lists go on, entries grow where their index says."""
    assert gathered(*deltas) == whole


@pytest.mark.parametrize(
    "deltas",
    [
        [{"a": "x"}, {"a": 1}],
        [{"a": "x"}, {"a": ["y"]}],
        [{"a": [1]}, {"a": {"b": 1}}],
        [{"a": "x"}, {"a": {"b": 1}}],
        [{"a": 1}, {"a": [1]}],
    ],
)
def test_what_does_not_fit(deltas: list[Any]) -> None:
    """A text does not go on as a list, nor a list as an object."""
    with pytest.raises(ValueError, match="goes on"):
        gathered(*deltas)
