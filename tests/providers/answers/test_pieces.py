"""Texts in pieces: of a sensible size, and together the text."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.providers.answers.wholes import token
from tidegate.providers.answers.pieces import MOST, by_tokens, pieces


@given(st.text())
def test_together_they_are_the_text(text: str) -> None:
    """Nothing is lost, no piece is empty."""
    assert "".join(pieces(text)) == text
    assert "" not in pieces(text)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", []),
        ("Hello", ["Hello"]),
        ("Good  morning,\n\nall.", ["Good", "  morning,", "\n\nall."]),
        ("今天天气很好。", ["今天天", "气很好", "。"]),
        ("in 上海 now", ["in", " 上海", " now"]),
        ("👍🏽 yes", ["👍🏽", " yes"]),
        ("a" * 50, ["a" * 24, "a" * 24, "aa"]),
        (" " * 40, [" " * 32, " " * 8]),
    ],
)
def test_words(text: str, told: list[str]) -> None:
    """A word with the space before it; of wide characters a few."""
    assert pieces(text) == told


@pytest.mark.parametrize("unit", ["word ", "字", "x", "字 a\n"])
def test_a_long_text_has_longer_pieces(unit: str) -> None:
    """However long it is, it has some thousands of pieces at most, cut at words where there are any."""
    text = unit * 200_000
    told = pieces(text)
    assert "".join(told) == text
    assert len(told) <= MOST + 1
    if unit == "word ":
        assert all(re.fullmatch(r" ?word( word)*(?: ?)", piece) for piece in told)


@given(st.text(max_size=40), st.lists(st.integers(1, 5), min_size=1))
def test_tokens_of_bytes(text: str, sizes: list[int]) -> None:
    """However the bytes are spread over tokens, no character is cut and every token is told once."""
    data, tokens = text.encode(), []
    while data:
        size = sizes[len(tokens) % len(sizes)]
        tokens.append({"token": "?", "bytes": list(data[:size])})
        data = data[size:]
    told = by_tokens(text, tokens)
    assert "".join(piece for piece, _ in told) == text
    assert [one for _, some in told for one in some] == tokens


@pytest.mark.parametrize(
    "tokens",
    [
        [token("other")],
        [{"token": "Hello", "bytes": [300]}],
        [{"token": "Hello", "bytes": ["a"]}],
        [{"token": "Hello", "bytes": [0xE4]}],
        [{"token": None}],
    ],
)
def test_tokens_that_are_not_the_text(tokens: list[dict[str, object]]) -> None:
    """Then there is one piece."""
    assert by_tokens("Hello", tokens) == [("Hello", tokens)]


def test_many_tokens_share_a_piece() -> None:
    """So that their number is bounded, too."""
    tokens = [token("a")] * (MOST * 3)
    told = by_tokens("a" * (MOST * 3), tokens)
    assert (len(told), told[0]) == (MOST, ("aaa", tokens[:3]))
