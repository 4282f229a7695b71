"""How much two answers agree."""

import pytest

from tidegate.model.shadow import EXACT, LEXICAL
from tidegate.policy.drills.agree import MOST, Said, agreement


@pytest.mark.parametrize(
    ("one", "other", "lexical", "exact"),
    [
        ("A refund takes 7 days.", "A refund  takes 7 days.\n", 1_000, 1_000),
        ("A refund takes 7 days.", "a refund takes seven days", 800, 0),
        ("退款要七天", "退款需要七天", 800, 0),
        ("yes", "no", 0, 0),
        ("", "", 1_000, 1_000),
        ("", "something", 0, 0),
        ("a b", "b a", 999, 0),
    ],
)
def test_by_words_or_to_the_letter(one: str, other: str, lexical: int, exact: int) -> None:
    """Spacing counts in neither; the same words in another order are nearly the same."""
    left, right = Said(one, "stop"), Said(other, "stop")
    assert agreement(left, right, LEXICAL) == lexical
    assert agreement(left, right, EXACT) == exact
    assert agreement(right, left, LEXICAL) == agreement(left, right, LEXICAL)


def test_who_wants_a_tool_called_agrees_with_nobody_who_does_not() -> None:
    """Whatever both say; two that do are compared by what they say."""
    assert agreement(Said("one", "tools"), Said("one", "stop"), LEXICAL) == 0
    assert agreement(Said("one", "tools"), Said("one", "tools"), LEXICAL) == 1_000
    assert agreement(Said("one", "length"), Said("one", "stop"), LEXICAL) == 1_000


def test_only_the_beginning_of_long_answers_is_compared() -> None:
    """So that no answer takes the worker's time."""
    text = "word " * MOST
    assert agreement(Said(text + "end", "stop"), Said(text + "other", "stop"), LEXICAL) == 999
