"""Whether two answers say the same."""

import pytest

from tidegate.semantic.judge import Judge
from tidegate.semantic.vectors import Embedder
from tidegate.testing.embedder import WordBag


def differs(one: str, two: str) -> str:
    return "long" if max(len(one), len(two)) > 40 else "number" if one[-1].isdigit() and one[-1] != two[-1] else ""


def usual(text: str) -> float:
    return 0.7


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("It is open.", "it  is open.\n", True),
        ("it is open till 5", "it is open till 6", False),
        ("one two three four five", "one two three four six", True),
        ("one two three four five", "six seven eight nine ten", False),
        ("x" * 50, "x" * 49 + "y", None),
        ("x" * 50, "x" * 50, True),
        ("", "", None),
    ],
)
def test_both_gates_must_agree(one: str, two: str, same: bool | None) -> None:
    """What reads the same is the same; what cannot be read is not judged."""
    assert Judge(WordBag(), differs, usual).same(one, two) is same


@pytest.mark.parametrize(
    ("two", "same"), [("It is open.", True), ("They are open.", None), ("It is open till 5", None)]
)
def test_without_an_embedder_only_the_same_words_are_judged(two: str, same: bool | None) -> None:
    """And what must agree and does not."""
    nobody: Embedder | None = None
    assert Judge(nobody, differs, usual).same("It is open.", two) is same
    assert Judge(nobody, differs, usual).same("at 5", "at 6") is False
