"""Providers by their conventional names: the profile decides, not what an operator calls them."""

import pytest

from tidegate.tracing.makers import Maker, maker, of

URL = "https://llm.example/v1"


@pytest.mark.parametrize(
    ("profile", "url", "name"),
    [
        ("openai", URL, "openai"),
        ("anthropic", URL, "anthropic"),
        ("azure", URL, "azure.ai.openai"),
        ("azure-v1", URL, "azure.ai.openai"),
        ("deepseek-beta", URL, "deepseek"),
        ("gemini", URL, "gcp.gemini"),
        ("groq", URL, "groq"),
        ("moonshot", URL, "moonshot_ai"),
        ("zhipu", URL, "zhipu"),
        ("generic", URL, "generic"),
        ("generic", "https://api.mistral.ai/v1", "mistral_ai"),
        ("generic", "https://api.x.ai/v1", "x_ai"),
        ("generic", "https://bedrock-runtime.eu-west-1.amazonaws.com/openai/v1", "aws.bedrock"),
        ("generic", "https://mine.elb.amazonaws.com/v1", "generic"),
        ("generic", "https://europe-west1-aiplatform.googleapis.com/v1", "gcp.vertex_ai"),
        ("", "", "unknown"),
    ],
)
def test_a_provider_is_called_as_the_conventions_do(profile: str, url: str, name: str) -> None:
    """By its profile; where that has no name there, by its host; else as the profile is called."""
    assert maker(profile, url).name == name


def test_where_it_is_asked() -> None:
    """Host and port of its base URL, the scheme's port where it names none; no credentials, and no error."""
    assert maker("openai", "https://user:secret@api.example:8443/v1") == Maker("openai", "api.example", 8443)
    assert maker("openai", URL) == Maker("openai", "llm.example", 443)
    assert maker("openai", "http://[::1]/v1") == Maker("openai", "::1", 80)
    assert maker("openai", "https://api.example:port/v1") == Maker("openai")


def test_who_is_configured_no_more_keeps_the_name_it_had() -> None:
    """A record outlives its provider: then nothing is known but what that was called."""
    makers = {"mine": maker("azure", URL)}
    assert of(makers, "mine") == Maker("azure.ai.openai", "llm.example", 443)
    assert of(makers, "gone") == Maker("gone")
