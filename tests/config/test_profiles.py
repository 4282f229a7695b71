"""The profiles that come with the package, and how a wrong one is refused."""

import re
from datetime import date

import pytest

from tidegate.config.findings import ConfigError
from tidegate.config.profiles import load_profile, profile_names, read_profile, record, shipped, takes_version
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Profile
from tidegate.policy.failure.classify import ProviderError, verdict

OPENAI = [
    (ProviderError(429, "rate_limit_exceeded", "requests", "Rate limit reached for gpt-4o"), Reason.RATE),
    (
        ProviderError(429, "rate_limit_exceeded", "tokens", "Request too large for gpt-4o: Limit 10000"),
        Reason.TOO_LARGE,
    ),
    (ProviderError(429, "insufficient_quota", "insufficient_quota", "You exceeded your current quota"), Reason.BILLING),
    (ProviderError(429, "", "insufficient_quota"), Reason.BILLING),
    (ProviderError(429, "", "", "You exceeded your current quota, please check your plan"), Reason.BILLING),
    (ProviderError(429, "credit_balance_exhausted"), Reason.BILLING),
    (ProviderError(429, "organization_spend_limit_exceeded"), Reason.BILLING),
    (ProviderError(429, "project_spend_limit_exceeded"), Reason.BILLING),
    (ProviderError(429, "organization_usage_limit_exceeded"), Reason.BILLING),
    (ProviderError(400, "billing_hard_limit_reached"), Reason.BILLING),
    (ProviderError(429, "resource_unavailable", "", "Resource Unavailable"), Reason.CAPACITY),
    (ProviderError(498, "capacity_exceeded"), Reason.CAPACITY),
    (ProviderError(429), Reason.RATE),
    (ProviderError(503, "", "", "Slow Down: your request rate rose too fast"), Reason.RAMP),
    (ProviderError(503, "", "server_error", "The engine is currently overloaded"), Reason.OVERLOAD),
    (ProviderError(529), Reason.OVERLOAD),
    (ProviderError(400, "content_filter"), Reason.POLICY),
    (ProviderError(401, "invalid_api_key"), Reason.AUTH),
    (ProviderError(403), Reason.AUTH),
    (ProviderError(408), Reason.TRANSIENT),
    (ProviderError(409), Reason.TRANSIENT),
    (ProviderError(500, "", "server_error"), Reason.TRANSIENT),
    (ProviderError(502), Reason.TRANSIENT),
    (ProviderError(504), Reason.TRANSIENT),
    (ProviderError(400, "context_length_exceeded", "invalid_request_error"), Reason.FATAL),
    (ProviderError(404, "model_not_found"), Reason.FATAL),
    (ProviderError(422), Reason.FATAL),
    (ProviderError(200, "", "server_error", "inside a stream"), Reason.TRANSIENT),
    (ProviderError(200, "rate_limit_exceeded", "", "inside a stream"), Reason.RATE),
]
GENERIC = [
    (ProviderError(429), Reason.RATE),
    (ProviderError(429, "", "", "You exceeded your current quota"), Reason.RATE),
    (ProviderError(503, "", "", "server busy, please try again"), Reason.OVERLOAD),
    (ProviderError(500), Reason.TRANSIENT),
    (ProviderError(402), Reason.BILLING),
    (ProviderError(401), Reason.AUTH),
    (ProviderError(400), Reason.FATAL),
]


@pytest.fixture(scope="module")
def loaded() -> dict[str, Profile]:
    return {name: load_profile(name) for name in profile_names()}


@pytest.mark.parametrize(
    ("name", "refusal", "reason"), [("openai", *row) for row in OPENAI] + [("generic", *row) for row in GENERIC]
)
def test_refusals(loaded: dict[str, Profile], name: str, refusal: ProviderError, reason: Reason) -> None:
    """Each documented refusal is of its class."""
    assert verdict(refusal, loaded[name].refusals).reason is reason


@pytest.mark.parametrize("name", profile_names())
def test_every_profile_is_sound(loaded: dict[str, Profile], name: str) -> None:
    """Named as its file, resolved, read on a day at a page that can be opened, and in words that fit each other."""
    profile = loaded[name]
    assert profile.name == name
    assert date.fromisoformat(profile.dated).isoformat() == profile.dated
    assert re.search(r"https://[a-z0-9.-]+\.[a-z]+", profile.source)
    assert "{" not in profile.query
    assert not any("{" in value for _, value in profile.adds)
    assert not profile.split or profile.headers == "anthropic"
    assert not profile.cached_free or profile.settles or profile.charge == "prompt"


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


HEAD = "dialect: openai\ndated: 2026-11-22\nsource: b\n"


def own(text: str) -> Profile:
    return record("mine", read_profile((HEAD + text).encode(), "mine.yaml", {}))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a", "mine.yaml:1:1: a profile must be a mapping"),
        ("", "mine.yaml:1:1: a profile must be a mapping"),
        ("dialect: [", "mine.yaml:1:10: a bracket is opened and never closed; close it"),
        ("dialect: openai\ndialect: openai", "mine.yaml:2:1: dialect: given twice"),
        ("dialect: openai\nsource: b", "dated: required, but missing; add `dated: "),
        ("dialect: openai\ndated: 2026-11-22", "source: required, but missing; add `source: "),
        ("dialect: openai\nsource: b\ndated: 2026-13-01", "mine.yaml:3:8: dated: not a date"),
        ("dialect: openai\nsource: b\ndated: 20260101", "dated: must be text; put the value in quotes"),
        (HEAD + "query: v={api_version}", "mine.yaml:4:8: query: {api_version} stands for nothing; give api_version"),
        ("source: ${NOWHERE}", "the environment variable NOWHERE is not set"),
    ],
)
def test_wrong_profiles(text: str, said: str) -> None:
    """The error names the file, the line, the field and the remedy."""
    with pytest.raises(ConfigError) as refused:
        read_profile(text.encode(), "mine.yaml", {})
    assert any(said in line for line in refused.value.lines()), refused.value.lines()


def test_lists_are_rows() -> None:
    """A row with lists stands for one row of each combination, in order; a single value needs no list."""
    rows = own("refusals: [{reason: AUTH, status: [401, 403], code: [a, b], text: c, not_before: text}]").refusals
    assert [(row.status, row.code) for row in rows] == [(401, "a"), (401, "b"), (403, "a"), (403, "b")]
    assert {(row.text, row.not_before) for row in rows} == {("c", ("text",))}


def test_a_profile_extends_another() -> None:
    """What it leaves out is as there; its own rows are looked at first; date and source are its own."""
    base = load_profile("azure")
    mine = own("extends: azure\ncharge: max\nrefusals: [{reason: BILLING, status: 429, text: no more}]")
    assert (mine.charge, mine.auth_header, mine.paths, mine.query) == ("max", "api-key", base.paths, base.query)
    assert (mine.dated, mine.source) == ("2026-11-22", "b")
    assert [row.reason for row in mine.refusals] == ["BILLING", *(row.reason for row in base.refusals)]
    assert verdict(ProviderError(429, text="No more!"), mine.refusals).reason is Reason.BILLING
    bare = own("extends: azure\npaths: {}\nquery: ''\nversion: /v1")
    assert (bare.paths, bare.query, bare.version, bare.refusals) == ({}, "", "/v1", base.refusals)


def test_what_is_a_profiles_own() -> None:
    """Date and source are never inherited, nor what other URLs stand for: there it would be another profile's."""
    with pytest.raises(ConfigError) as refused:
        read_profile(b"extends: azure", "mine.yaml", {})
    assert [line.partition(" ")[2].partition(":")[0] for line in refused.value.lines()] == ["dated", "source"]
    assert read_profile(f"{HEAD}extends: azure".encode(), "mine.yaml", {}).versions == {}


def test_versions_of_an_api() -> None:
    """Where a profile names one, a provider may choose another."""
    azure, anthropic = shipped("azure"), shipped("anthropic")
    assert record("azure", azure).query == "api-version=2024-10-21"
    assert record("azure", azure, "2025-01-01-preview").query == "api-version=2025-01-01-preview"
    assert record("anthropic", anthropic).adds == (("anthropic-version", "2023-06-01"),)
    assert [name for name in profile_names() if takes_version(shipped(name))] == ["anthropic", "azure"]


def test_what_the_package_has() -> None:
    """The providers of the documentation, each in the dialect that it speaks."""
    speaks = {name: shipped(name).dialect for name in profile_names()}
    assert speaks.pop("anthropic") == "anthropic"
    assert set(speaks.values()) == {"openai"}
    assert set(speaks) == {
        "azure", "azure-v1", "cached-free", "dashscope", "deepseek", "deepseek-beta", "gemini", "generic", "groq",
        "moonshot", "openai", "openrouter", "volcengine", "zhipu",
    }  # fmt: skip


def test_other_profiles_for_other_urls_exist() -> None:
    """Where a profile names another one for a base URL, that comes with the package, too."""
    for name in profile_names():
        assert set(shipped(name).versions.values()) <= set(profile_names())
