"""The profiles that come with the package, and how a wrong one is refused."""

import pytest

from tidegate.config.profiles import load_profile, parse_profile, profile_names
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Profile
from tidegate.policy.classify import Refusal, classify

OPENAI = [
    (Refusal(429, "rate_limit_exceeded", "requests", "Rate limit reached for gpt-4o"), Reason.RATE),
    (Refusal(429, "rate_limit_exceeded", "tokens", "Request too large for gpt-4o: Limit 10000"), Reason.TOO_LARGE),
    (Refusal(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"), Reason.BILLING),
    (Refusal(429, "", "insufficient_quota"), Reason.BILLING),
    (Refusal(429, "", "", "You exceeded your current quota, please check your plan"), Reason.BILLING),
    (Refusal(429, "credit_balance_exhausted"), Reason.BILLING),
    (Refusal(429, "organization_spend_limit_exceeded"), Reason.BILLING),
    (Refusal(429, "project_spend_limit_exceeded"), Reason.BILLING),
    (Refusal(429, "organization_usage_limit_exceeded"), Reason.BILLING),
    (Refusal(400, "billing_hard_limit_reached"), Reason.BILLING),
    (Refusal(429, "resource_unavailable", "", "Resource Unavailable"), Reason.CAPACITY),
    (Refusal(498, "capacity_exceeded"), Reason.CAPACITY),
    (Refusal(429), Reason.RATE),
    (Refusal(503, "", "", "Slow Down: your request rate rose too fast"), Reason.RAMP),
    (Refusal(503, "", "server_error", "The engine is currently overloaded"), Reason.OVERLOAD),
    (Refusal(529), Reason.OVERLOAD),
    (Refusal(400, "content_filter"), Reason.POLICY),
    (Refusal(401, "invalid_api_key"), Reason.AUTH),
    (Refusal(403), Reason.AUTH),
    (Refusal(408), Reason.TRANSIENT),
    (Refusal(409), Reason.TRANSIENT),
    (Refusal(500, "", "server_error"), Reason.TRANSIENT),
    (Refusal(502), Reason.TRANSIENT),
    (Refusal(504), Reason.TRANSIENT),
    (Refusal(400, "context_length_exceeded", "invalid_request_error"), Reason.FATAL),
    (Refusal(404, "model_not_found"), Reason.FATAL),
    (Refusal(422), Reason.FATAL),
    (Refusal(200, "", "server_error", "inside a stream"), Reason.TRANSIENT),
    (Refusal(200, "rate_limit_exceeded", "", "inside a stream"), Reason.RATE),
]
GENERIC = [
    (Refusal(429), Reason.RATE),
    (Refusal(429, "", "", "You exceeded your current quota"), Reason.RATE),
    (Refusal(503, "", "", "server busy, please try again"), Reason.OVERLOAD),
    (Refusal(500), Reason.TRANSIENT),
    (Refusal(402), Reason.BILLING),
    (Refusal(401), Reason.AUTH),
    (Refusal(400), Reason.FATAL),
]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Profile]:
    return {name: load_profile(name) for name in profile_names()}


@pytest.mark.parametrize(
    ("name", "refusal", "reason"), [("openai", *row) for row in OPENAI] + [("generic", *row) for row in GENERIC]
)
def test_refusals(loaded: dict[str, Profile], name: str, refusal: Refusal, reason: Reason) -> None:
    """Each documented refusal is of its class."""
    assert classify(refusal, loaded[name].refusals) is reason


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_sound(name: str) -> None:
    """Named as its file, dated, with a source, and in words that the policies know."""
    profile = load_profile(name)
    assert profile.name == name
    assert len(profile.dated) == 10
    assert profile.source
    assert profile.charge in {"max", "sum", "prompt"}
    assert profile.window in {"continuous", "fixed", "sliding", "quantised"}
    assert all(rule.text == rule.text.lower() for rule in profile.refusals)


def test_charge_rules() -> None:
    """OpenAI charges the larger part and never corrects; a server of one's own charges both and does."""
    openai, generic = load_profile("openai"), load_profile("generic")
    assert (openai.charge, openai.settles, openai.jitter_us) == ("max", False, 250_000)
    assert (generic.charge, generic.settles) == ("sum", True)


def test_where_cached_input_is_free() -> None:
    """At once, or when the call has been processed."""
    at_once, later = load_profile("cached-free"), load_profile("groq")
    assert (at_once.cached_free, at_once.charge, at_once.settles) == (True, "prompt", False)
    assert (later.cached_free, later.charge, later.settles) == (True, "sum", True)
    assert not load_profile("openai").cached_free
    assert not load_profile("generic").cached_free


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "not a mapping"),
        ("dialect: openai\ndialect: openai", "given twice"),
        ("dialect: openai\ndated: a\nsource: b\ncharge: 3", "charge"),
        ("dialect: openai\ndated: a\nsource: b\ncolour: blue", "colour"),
        ("dialect: openai\nsource: b", "dated"),
        ("refusals: [{status: 429}]", "names no known reason; use one of RATE"),
        ("refusals: [{reason: RATES, status: 429}]", "names no known reason"),
        ("dialect: openai\ndated: a\nsource: b\nrefusals: [{reason: RATE, status: many}]", "status"),
    ],
)
def test_wrong_profiles(text: str, said: str) -> None:
    """The error names the profile and the field."""
    with pytest.raises(ValueError, match="profile mine: ") as refused:
        parse_profile(text.encode(), "mine")
    assert said in str(refused.value)


def test_lists_are_rows() -> None:
    """A rule with lists stands for one row of each combination, in order."""
    text = "dialect: openai\ndated: a\nsource: b\nrefusals: [{reason: AUTH, status: [401, 403], code: [a, b]}]"
    rows = parse_profile(text.encode(), "mine").refusals
    assert [(row.status, row.code) for row in rows] == [(401, "a"), (401, "b"), (403, "a"), (403, "b")]
