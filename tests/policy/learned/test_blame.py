"""Which limit a refusal means."""

import pytest

from tidegate.policy.learned.blame import OUTPUTS, REQUESTS, TOKENS, blamed


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Rate limit reached for gpt-4o in organization o on requests per min (RPM): Limit 3, Used 3", REQUESTS),
        ("Rate limit reached for gpt-4o in organization o on tokens per min (TPM): Limit 30000", TOKENS),
        ("Requests rate limit exceeded, please try again later.", REQUESTS),
        ("You exceeded your current requests list.", REQUESTS),
        ("Allocated quota exceeded, please increase your quota limit.", TOKENS),
        ("GenerateRequestsPerMinutePerProjectPerModel", REQUESTS),
        ("This request would exceed your organization's rate limit of 8,000 output tokens per minute", OUTPUTS),
        ("This request would exceed your organization's rate limit of 50,000 input tokens per minute", TOKENS),
        ("Too Many Requests", TOKENS),
        ("", TOKENS),
    ],
)
def test_by_its_words(text: str, unit: str) -> None:
    """As providers word it; what says neither means tokens."""
    assert blamed(text) == unit
