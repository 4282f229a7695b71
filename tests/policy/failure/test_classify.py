"""What refusals mean, with the rows of the profiles that come with the package."""

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.config.profiles import load_profile, profile_names
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Profile, RefusalRule
from tidegate.policy.failure.classify import ProviderError, Verdict, by_status, out_by, verdict

QUOTA_WORDS = "You exceeded your current quota, please check your plan and billing details."
LIMIT_WORDS = "Rate limit reached for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Used 29000"
LARGE_WORDS = "Request too large for gpt-4o in organization org-x on tokens per min (TPM): Limit 30000, Requested 60000"

OPENAI = [
    (ProviderError(429, "rate_limit_exceeded", "tokens", LIMIT_WORDS), Reason.RATE),
    (ProviderError(429, "rate_limit_exceeded", "requests", ""), Reason.RATE),
    (ProviderError(429), Reason.RATE),
    (ProviderError(429, "insufficient_quota", "insufficient_quota", QUOTA_WORDS), Reason.BILLING),
    (ProviderError(429, "", "insufficient_quota", ""), Reason.BILLING),
    (ProviderError(429, "", "", QUOTA_WORDS), Reason.BILLING),
    (ProviderError(429, "credit_balance_exhausted"), Reason.BILLING),
    (ProviderError(429, "organization_spend_limit_exceeded"), Reason.BILLING),
    (ProviderError(429, "project_spend_limit_exceeded"), Reason.BILLING),
    (ProviderError(429, "organization_usage_limit_exceeded"), Reason.BILLING),
    (ProviderError(403, "billing_not_active"), Reason.BILLING),
    (ProviderError(429, "rate_limit_exceeded", "tokens", LARGE_WORDS), Reason.TOO_LARGE),
    (ProviderError(429, "", "", "Resource Unavailable"), Reason.CAPACITY),
    (ProviderError(498), Reason.CAPACITY),
    (ProviderError(503, "", "", "The engine is currently overloaded, please try again later"), Reason.OVERLOAD),
    (ProviderError(503, "", "", "Slow Down"), Reason.RAMP),
    (ProviderError(529), Reason.OVERLOAD),
    (ProviderError(400, "content_filter"), Reason.POLICY),
    (ProviderError(400, "content_policy_violation", "invalid_request_error"), Reason.POLICY),
    (ProviderError(400, "", "invalid_request_error"), Reason.FATAL),
    (ProviderError(404, "model_not_found", "invalid_request_error"), Reason.FATAL),
    (ProviderError(422), Reason.FATAL),
    (ProviderError(401, "invalid_api_key", "invalid_request_error"), Reason.AUTH),
    (ProviderError(403), Reason.AUTH),
    (ProviderError(408), Reason.TRANSIENT),
    (ProviderError(409), Reason.TRANSIENT),
    (ProviderError(500, "", "server_error"), Reason.TRANSIENT),
    (ProviderError(502, "", "", "<html>Bad Gateway</html>"), Reason.TRANSIENT),
    (ProviderError(504), Reason.TRANSIENT),
    (ProviderError(520), Reason.TRANSIENT),
]


@pytest.fixture(scope="module")
def openai() -> Profile:
    return load_profile("openai")


@pytest.mark.parametrize(("refusal", "reason"), OPENAI, ids=lambda value: str(value)[:60])
def test_openai(openai: Profile, refusal: ProviderError, reason: Reason) -> None:
    """Each row of the table of error classification that OpenAI's dialect knows."""
    assert verdict(refusal, openai.refusals).reason is reason


@cache
def rules_of(name: str) -> tuple[RefusalRule, ...]:
    return load_profile(name).refusals


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_calls_an_ordinary_429_a_rate_limit_and_lost_money_billing(name: str) -> None:
    """Whatever else differs: these two must never be taken for each other."""
    assert (
        verdict(ProviderError(429, "rate_limit_exceeded", "requests", LIMIT_WORDS), rules_of(name)).reason
        is Reason.RATE
    )
    assert verdict(ProviderError(402), rules_of(name)).reason is Reason.BILLING


@pytest.mark.parametrize("name", ["openai", "azure", "generic", "groq", "cached-free"])
def test_openais_word_for_lost_money(name: str) -> None:
    """Where OpenAI's errors are followed; elsewhere the same word may mean a minute's tokens."""
    refusal = ProviderError(429, "insufficient_quota", "insufficient_quota")
    assert verdict(refusal, rules_of(name)).reason is Reason.BILLING
    assert verdict(refusal, rules_of("dashscope")).reason is Reason.RATE


@given(
    st.sampled_from(profile_names()),
    st.builds(ProviderError, st.integers(400, 599), st.text(max_size=20), st.text(max_size=20), st.text(max_size=200)),
)
def test_every_refusal_has_a_reason(name: str, refusal: ProviderError) -> None:
    """No body is so strange that it breaks the classifier or goes without a class."""
    assert verdict(refusal, rules_of(name)).reason in Reason


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, Reason.FATAL),
        (401, Reason.AUTH),
        (402, Reason.BILLING),
        (403, Reason.AUTH),
        (404, Reason.FATAL),
        (408, Reason.TRANSIENT),
        (409, Reason.TRANSIENT),
        (425, Reason.TRANSIENT),
        (418, Reason.FATAL),
        (429, Reason.RATE),
        (498, Reason.CAPACITY),
        (500, Reason.TRANSIENT),
        (503, Reason.OVERLOAD),
        (529, Reason.OVERLOAD),
        (599, Reason.TRANSIENT),
    ],
)
def test_what_no_row_names_is_classed_by_its_status(status: int, reason: Reason) -> None:
    """Cautiously: nobody's fault is retried, the request's is not."""
    assert by_status(status) is reason
    assert verdict(ProviderError(status), ()).reason is reason


def test_the_first_matching_row_wins() -> None:
    """Every stated field must match; text is looked for in any case."""
    rules = (
        RefusalRule("BILLING", status=429, code="x", type="y", text="no money"),
        RefusalRule("RAMP", code="x"),
        RefusalRule("OVERLOAD", text="money"),
    )
    assert verdict(ProviderError(429, "x", "y", "There is NO MONEY"), rules).reason is Reason.BILLING
    assert verdict(ProviderError(429, "x", "z", "There is NO MONEY"), rules).reason is Reason.RAMP
    assert verdict(ProviderError(400, "", "", "Money!"), rules).reason is Reason.OVERLOAD
    assert verdict(ProviderError(400, "", "", "free"), rules).reason is Reason.FATAL


def test_a_verdict_says_what_is_out() -> None:
    """As the row says, else as its class usually has it; what only the status shows is not known."""
    rules = (
        RefusalRule("RATE", code="org", scope="scope", not_before=("text", "headers")),
        RefusalRule("RATE", status=429),
    )
    assert verdict(ProviderError(429, "org"), rules) == Verdict(Reason.RATE, "scope", ("text", "headers"))
    assert verdict(ProviderError(429), rules) == Verdict(Reason.RATE, "model", ("headers",))
    assert verdict(ProviderError(418), rules) == Verdict(Reason.FATAL, "request", known=False)


@pytest.mark.parametrize(
    ("reason", "status", "out"),
    [
        (Reason.AUTH, 401, "key"),
        (Reason.AUTH, 403, "scope"),
        (Reason.BILLING, 403, "scope"),
        (Reason.RATE, 429, "model"),
        (Reason.OVERLOAD, 503, "provider"),
        (Reason.TRANSIENT, 500, "model"),
        (Reason.FATAL, 400, "request"),
        (Reason.TOO_LARGE, 429, "request"),
    ],
)
def test_what_a_class_usually_takes_out(reason: Reason, status: int, out: str) -> None:
    """A key that is unknown is out alone; what is forbidden is so to all keys of the scope."""
    assert out_by(reason, status) == out
