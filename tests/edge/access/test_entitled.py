"""Which models somebody may call."""

import pytest

from tidegate.edge.access.entitled import models


@pytest.mark.parametrize(
    ("lists", "allowed", "refused"),
    [
        ([["a"]], ["a"], ["b", "aa", "", "A", "*"]),
        ([["gpt-*", "o3"]], ["gpt-4o", "gpt-", "o3"], ["gpt", "o3-mini", "my-gpt-4o"]),
        ([["a", "b"], ["b", "c"]], ["b"], ["a", "c"]),
        ([["a*"], ["ab*"], ["abc"]], ["abc"], ["abd", "ab"]),
        ([["a"], []], ["a"], ["b"]),
        ([["a"], ["*"]], ["a"], ["b"]),
        ([["a"], ["b"]], [], ["a", "b"]),
        ([["a*b"]], ["a*b"], ["axb", "a"]),
    ],
)
def test_what_all_lists_allow(lists: list[list[str]], allowed: list[str], refused: list[str]) -> None:
    """By exact names and by beginnings, each list for itself."""
    together = models(*lists)
    assert together is not None
    assert together.of([*allowed, *refused]) == allowed
    written = models(together.names() or ["nothing"])
    assert written is not None
    assert written.of([*allowed, *refused]) == allowed


@pytest.mark.parametrize("lists", [[], [[]], [["*"]], [["*", "a"], []]])
def test_nothing_bounds(lists: list[list[str]]) -> None:
    """No list, and lists of everything, cost nothing."""
    assert models(*lists) is None
