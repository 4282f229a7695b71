"""Which headers tell what: the families as data."""

import pytest

from tidegate.policy.failure.headers_families import FAMILIES, SILENT, Dimension, family


@pytest.mark.parametrize("name", sorted(FAMILIES))
def test_every_family_is_sound(name: str) -> None:
    """Found by its name; a dimension that shows a limit shows what is left, and all names are in lower case."""
    one = family(name)
    assert one.name == name
    for dimension in (one.requests, one.tokens, one.inputs, one.outputs):
        assert bool(dimension.limit) is bool(dimension.left) is bool(dimension.reset)
        assert all(text == text.lower() for text in (dimension.limit, dimension.left, dimension.reset))


def test_an_unknown_family_shows_nothing() -> None:
    """As `none` does: nothing is read from headers that nobody described."""
    assert family("no such") is family("none")
    assert family("none").requests == family("none").tokens == SILENT


def test_what_the_makers_document() -> None:
    """The names, to the letter."""
    assert family("openai").tokens == Dimension(
        b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"
    )
    assert family("anthropic").inputs == Dimension(
        b"anthropic-ratelimit-input-tokens-limit",
        b"anthropic-ratelimit-input-tokens-remaining",
        b"anthropic-ratelimit-input-tokens-reset",
    )
    assert family("anthropic").outputs.left == b"anthropic-ratelimit-output-tokens-remaining"
    assert family("anthropic").requests.reset == b"anthropic-ratelimit-requests-reset"
    assert family("azure").requests.period == b"x-ratelimit-renewalperiod-requests"
    assert family("openrouter").requests.limit == b"x-ratelimit-limit"


def test_groqs_requests_are_a_days() -> None:
    """So they say nothing of the minute, and are not read."""
    assert family("groq").requests == SILENT
    assert family("groq").tokens == family("openai").tokens
