"""Whether a webhook that somebody asks for can be told at all."""

import pytest

from tidegate.jobs.hooks.check import check
from tidegate.model.jobs import JobSettings, WebhookSettings

OPEN = JobSettings(webhooks=WebhookSettings(b"secret" * 6))


@pytest.mark.parametrize(
    ("url", "settings", "word"),
    [
        ("https://hooks.example/a", OPEN, ""),
        ("https://hooks.example/a", JobSettings(), "jobs.webhooks.secret"),
        ("https://user:pass@hooks.example/a", OPEN, "without user"),
        ("https://10.0.0.1/a", OPEN, "jobs.webhooks.allow"),
        ("https://localhost/a", OPEN, "jobs.webhooks.allow"),
        ("https://hooks.example:25/a", OPEN, "port 25"),
        ("https://10.0.0.1/a", JobSettings(webhooks=WebhookSettings(b"s" * 24, allow=("10.0.0.0/8",))), ""),
    ],
)
def test_what_is_said(url: str, settings: JobSettings, word: str) -> None:
    """Nothing, or the field with the remedy, and nothing of the URL."""
    said = check(url, settings)
    assert bool(said) is bool(word)
    assert word in said
    assert "pass@" not in said
    if said:
        assert said.startswith("`webhook`")
