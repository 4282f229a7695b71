"""Counting by sample."""

from tidegate.model.text import SAMPLED, count


def test_a_short_text_is_counted_exactly() -> None:
    """Up to the sample's size every occurrence counts."""
    text = b"ab " * (SAMPLED // 3)
    assert count(text, b"ab") == text.count(b"ab")


def test_an_even_long_text_is_counted_within_a_percent() -> None:
    """Beyond it, the sample's share is scaled up."""
    text = b"word by word " * 80_000
    assert abs(count(text, b" ") - text.count(b" ")) * 100 <= text.count(b" ")


def test_what_stands_only_in_the_middle_is_not_seen() -> None:
    """The price of the sample: its ends speak for the whole."""
    assert count(b"a" * SAMPLED + b" " + b"a" * SAMPLED, b" ") == 0
