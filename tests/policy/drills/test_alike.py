"""How alike texts are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.drills.alike import common_words, cosine


def test_cosine() -> None:
    """Of directions; nothing of what has none, or another length."""
    assert cosine([1, 0], [2, 0]) == pytest.approx(1)
    assert cosine([1, 0], [0, 1]) == pytest.approx(0)
    assert cosine([1], [1, 2]) is None
    assert cosine([0, 0], [1, 1]) is None
    assert cosine([], []) is None


def test_common_words() -> None:
    """The same words are 1, others 0, in English and Chinese; capital letters and signs do not count."""
    assert common_words("A refund takes 7 days.", "a REFUND takes 7 days") == 1
    assert common_words("退款需要七天", "退款需要七天。") == 1
    assert common_words("sunny weather", "refund form") == 0
    assert common_words("", "") == 0
    assert common_words("退款要七天", "天气很好") < 0.3 < common_words("退款要七天", "退款需要七天")


@given(st.text(max_size=40), st.text(max_size=40))
def test_it_is_a_share_and_the_same_both_ways(one: str, other: str) -> None:
    """From 0 to 1, symmetric."""
    value = common_words(one, other)
    assert 0 <= value <= 1
    assert value == common_words(other, one)
