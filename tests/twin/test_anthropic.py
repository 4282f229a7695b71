"""Anthropic's headers and errors, to the letter."""

import pytest

from tidegate.twin.anthropic import Anthropic
from tidegate.twin.calls import Calls
from tidegate.twin.meter import Quota, Refusal
from tidegate.twin.problems import Problem
from tidegate.twin.settings import MODELS, Limits, Rules
from tidegate.twin.windows import NEVER, SECOND

EPOCH = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
DIALECT = Anthropic(MODELS)


def told(lines):
    return dict(line.split(": ", 1) for line in lines.decode().split("\r\n") if line)


def test_limits():
    """What remains to the nearest thousand, but for requests; times of being full, rounded up; both kinds together."""
    quota = Quota(Limits(60, 600_000, otpm=60_000), Rules(output_apart=True), 0)
    quota.charge(3, 250_499, 0)
    quota.produce(10_500, 0)
    head = told(DIALECT.limits(quota, 0, EPOCH, None))
    assert {name.removeprefix("anthropic-ratelimit-"): value for name, value in head.items()} == {
        "requests-limit": "60",
        "requests-remaining": "57",
        "requests-reset": "2026-01-01T00:00:03Z",
        "input-tokens-limit": "600000",
        "input-tokens-remaining": "350000",
        "input-tokens-reset": "2026-01-01T00:00:26Z",
        "output-tokens-limit": "60000",
        "output-tokens-remaining": "50000",
        "output-tokens-reset": "2026-01-01T00:00:11Z",
        "tokens-limit": "660000",
        "tokens-remaining": "399000",
        "tokens-reset": "2026-01-01T00:00:26Z",
    }


@pytest.mark.parametrize(
    ("wait", "head"),
    [
        (1, {"retry-after": "1", "x-should-retry": "true"}),
        (7 * SECOND + 1, {"retry-after": "8", "x-should-retry": "true"}),
        (NEVER, {"x-should-retry": "false"}),
    ],
)
def test_when_to_try_again(wait, head):
    """Whole seconds, rounded up; nothing where no waiting helps."""
    assert told(DIALECT.retry(Refusal("output", "min", 10, 10, 1, wait, "avoidable"))) == head


@pytest.mark.parametrize(
    ("unit", "words"), [("requests", "50 requests"), ("tokens", "50 input tokens"), ("output", "50 output tokens")]
)
def test_which_limit_it_was(unit, words):
    """In the message alone: the type is the same."""
    call = Calls(0).begin("POST", "/anthropic/v1/messages", 0)
    body = DIALECT.limited(Refusal(unit, "min", 50, 50, 1, 1, "avoidable"), call).decode()
    assert '"type":"rate_limit_error"' in body
    assert f"{words} per minute" in body


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (402, "billing_error"),
        (403, "permission_error"),
        (404, "not_found_error"),
        (413, "request_too_large"),
        (418, "invalid_request_error"),
        (429, "rate_limit_error"),
        (500, "api_error"),
        (504, "timeout_error"),
        (529, "overloaded_error"),
    ],
)
def test_the_kind_of_an_error_is_its_status(status, kind):
    """Unless the error names one of Anthropic's own."""
    assert f'"type":"{kind}"' in DIALECT.error(Problem(status, "x"), "req_1").decode()
    assert '"type":"overloaded_error"' in DIALECT.error(Problem(status, "x", kind="overloaded_error"), "").decode()
