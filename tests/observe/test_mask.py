"""What a provider said, as the log may have it."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.observe.mask import LONGEST_MESSAGE, MASK, masked, name

SECRET = "sk-proj-Abc0123456789xyz"


@pytest.mark.parametrize(
    ("message", "left"),
    [
        ("", ""),
        ("The engine is currently overloaded", "The engine is currently overloaded"),
        ("You've exceeded the users' quota, don't retry", "You've exceeded the users' quota, don't retry"),
        (
            "Rate limit reached for gpt-4o in organization org-abc on tokens per min: Limit 30000, Used 29,500.",
            "Rate limit reached for * in organization * on tokens per min: Limit * Used *",
        ),
        (
            f"Incorrect API key provided: {SECRET}. See https://example.test/keys.",
            "Incorrect API key provided: * See *",
        ),
        ("Authorization: Bearer abcdef refused", "Authorization: * refused"),
        ("key abcdefghijklmnopqrstuvwxyz is unknown", "key * is unknown"),
        ("Mail ops@example.test\n\tor wait", "Mail * or wait"),
        ("Invalid value: 'tell me a secret' and \"one's own\" and `x y`.", "Invalid value: * and * and *."),
        ("Prompt contains 'don't tell' twice", "Prompt contains * twice"),
        ("Cut in “the midst of it", "Cut in *"),
        ("bad input: [{'type': 'missing', 'input': 'tell me'}] refused", "bad input: *"),
        ("<html>tell me</html>", "*"),
        ("您的账户已达到速率限制，请于2026年重试：「帮我写诗」", "您的账户已达到速率限制，请于*年重试：*"),
        ("limit ٣٤ reached", "limit * reached"),
    ],
)
def test_what_is_left(message: str, left: str) -> None:
    """The words of the provider; never what they repeat."""
    assert masked(message) == left


@given(st.text(st.characters(exclude_characters="\"'’‘`”“")), st.sampled_from(['""', "''", "``", "“”", "‘’"]))
def test_nothing_quoted_is_left(quoted: str, quotes: str) -> None:
    """Whatever stands between them."""
    assert masked(f"Invalid value: {quotes[0]}{quoted}{quotes[1]} given") == f"Invalid value: {MASK} given"


@given(st.text(string.ascii_letters + string.digits, min_size=1), st.text())
def test_no_key_is_left(key: str, around: str) -> None:
    """Whatever stands around it."""
    assert f"sk-{key}" not in masked(f"{around} sk-{key} {around}")


@given(st.text())
def test_nothing_long_and_no_digit_is_left(message: str) -> None:
    """One line of bounded length."""
    left = masked(message)
    assert len(left) <= LONGEST_MESSAGE
    assert not any(character.isdecimal() or character in "\r\n" for character in left)


def test_a_long_message_takes_time_in_proportion() -> None:
    """Nothing is tried from each character on: this would not end."""
    assert masked("!" * 10_000_000) == "!" * LONGEST_MESSAGE


@pytest.mark.parametrize(
    "word", ["", "rate_limit_exceeded", "InvalidParameter.DataInspection", "1302", "429", "Throttling.RateQuota", "v2"]
)
def test_names_stay(word: str) -> None:
    """Of codes and types."""
    assert name(word) == word


@pytest.mark.parametrize("word", [SECRET, "sk-abc", "org-abc", "x" * 65, "12345678", "tell\nme", "a1b2c3d4"])
def test_what_is_no_name_does_not(word: str) -> None:
    """A provider may put anything there."""
    assert name(word) == MASK
