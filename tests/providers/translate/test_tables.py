"""The tables of words lead back to where they came from, as far as both dialects have a word."""

import pytest

from tidegate.providers.translate import tables


def test_words_of_choice_and_tier_return() -> None:
    """There and back is the same word."""
    for there, back in (
        (tables.CHOICE_OF_WORD, tables.WORD_OF_CHOICE),
        (tables.TIER_TO_MESSAGES, tables.TIER_TO_CHAT),
    ):
        assert {word: back[other] for word, other in there.items()} == {word: word for word in there}


@pytest.mark.parametrize("finish", ["stop", "length", "tool_calls", "content_filter"])
def test_reasons_to_finish_return(finish: str) -> None:
    """Every reason of chat completions has one of messages that means the same."""
    assert tables.FINISH_OF_STOP[tables.STOP_OF_FINISH[finish]] == finish


@pytest.mark.parametrize("word", ["low", "medium", "high", "xhigh"])
def test_a_budget_has_the_word_that_it_came_from(word: str) -> None:
    """And one token less has it, too."""
    assert tables.effort_of(tables.BUDGETS[word]) == word == tables.effort_of(tables.BUDGETS[word] - 1)


def test_the_largest_budgets() -> None:
    """Above the last word there is none."""
    assert tables.effort_of(10**9) == "xhigh"
