"""What Anthropic's answers and errors say."""

import json

import pytest

from tidegate.model.outcome import Usage
from tidegate.providers.anthropic.answer import error_body, error_of, usage_of
from tidegate.providers.codec import Said


def test_the_prompt_is_all_of_it() -> None:
    """What was read from the cache and what was put there are parts of the prompt."""
    usage = {
        "input_tokens": 10, "output_tokens": 5, "cache_creation_input_tokens": 100, "cache_read_input_tokens": 1_000,
    }  # fmt: skip
    assert usage_of(json.dumps({"usage": usage}).encode()) == Usage(1_110, 5, 1_000, written=100)


@pytest.mark.parametrize(
    ("told", "tier"),
    [
        ({"service_tier": "standard"}, ""),
        ({"service_tier": "priority", "speed": "standard"}, "priority"),
        ({"service_tier": "standard", "speed": "fast"}, "fast"),
        ({"service_tier": None, "speed": 7}, ""),
    ],
)
def test_how_it_was_made(told: dict[str, object], tier: str) -> None:
    """Its usage tells the service tier, and the speed, which has a price of its own."""
    answer = json.dumps({"usage": {"input_tokens": 10, "output_tokens": 5, **told}}).encode()
    assert usage_of(answer) == Usage(10, 5, tier=tier)


@pytest.mark.parametrize("answer", [b"{}", b'{"usage":null}', b'{"usage":{}}', b'{"usage":[]}', b"[]"])
def test_an_answer_without_usage(answer: bytes) -> None:
    """None, where it is JSON at all."""
    assert usage_of(answer) is None


@pytest.mark.parametrize("answer", [b"", b"<html>", b'{"usage":', b"\xff"])
def test_what_is_no_json_is_no_answer(answer: bytes) -> None:
    """The attempt failed."""
    with pytest.raises(ValueError, match="."):
        usage_of(answer)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"type": "rate_limit_error", "message": "slow"}, Said("", "rate_limit_error", "slow")),
        (
            {"type": "rate_limit_error", "message": "m", "details": {"error_code": "enforced_spend_limit_reached"}},
            Said("enforced_spend_limit_reached", "rate_limit_error", "m"),
        ),
        ("overloaded", Said()),
        (None, Said()),
    ],
)
def test_its_errors(body: object, said: Said) -> None:
    """Type, message, and the code in the details."""
    assert error_of(json.dumps({"type": "error", "error": body}).encode()) == said


def test_a_budget_that_is_used_up_is_a_spend_limit_in_the_details() -> None:
    """By its type it is a rate limit, as at Anthropic; any other 429 has no details."""
    said = Said("insufficient_quota", "insufficient_quota", "m")
    assert json.loads(error_body(429, said))["error"] == {
        "type": "rate_limit_error", "message": "m", "details": {"error_code": "enforced_spend_limit_reached"},
    }  # fmt: skip
    assert "details" not in json.loads(error_body(429, Said("rate_limit_exceeded", "requests", "m")))["error"]


def test_what_is_no_error_says_nothing() -> None:
    """Whatever it is."""
    for body in (b"", b"<html>502</html>", b"\xff", b"[]"):
        assert error_of(body) == Said()


def test_the_type_follows_the_status() -> None:
    """An unknown one is the client's below 500, else the API's."""
    kinds = {status: json.loads(error_body(status, Said()))["error"]["type"] for status in (400, 418, 429, 500, 529)}
    assert kinds == {
        400: "invalid_request_error", 418: "invalid_request_error", 429: "rate_limit_error", 500: "api_error",
        529: "overloaded_error",
    }  # fmt: skip
