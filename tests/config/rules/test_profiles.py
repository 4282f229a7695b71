"""Which profile a provider has, shipped or of one's own, and what it makes of the provider's settings."""

from pathlib import Path

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.config.profiles import load_profile
from tidegate.model.snapshot import Limits, Provider

OURS = """\
extends: openai
dialect: openai
dated: 2026-11-22
source: our platform team
charge: sum
refusals:
  - {reason: BILLING, status: 429, text: team budget, scope: scope, not_before: month}
"""


def provider(text: str, base_url: str = "https://h.example", scope: str = "name: main, keys: [none]") -> str:
    return f"providers:\n  one: {{{text}, base_url: '{base_url}', scopes: [{{{scope}}}]}}\n"


def loaded(loads: Loads, text: str) -> Provider:
    (one,) = loads(text).snapshot.providers
    return one


@pytest.mark.parametrize(
    ("text", "profile", "dialect"),
    [
        ("dialect: openai", "openai", "openai"),
        ("dialect: anthropic", "anthropic", "anthropic"),
        ("profile: anthropic", "anthropic", "anthropic"),
        ("profile: zhipu", "zhipu", "openai"),
        ("dialect: openai, profile: generic", "generic", "openai"),
    ],
)
def test_one_of_dialect_and_profile_is_enough(loads: Loads, text: str, profile: str, dialect: str) -> None:
    """The profile knows its dialect; a dialect has its maker's profile."""
    one = loaded(loads, provider(text))
    assert (one.profile.name, one.profile.dialect) == (profile, dialect)


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        ("dialect: anthropic", ["https://api.anthropic.com", "https://api.anthropic.com/v1"]),
        ("profile: azure", ["https://x.openai.azure.com", "https://x.openai.azure.com/openai"]),
        ("profile: gemini", ["https://g.example", "https://g.example/v1beta/openai/"]),
        ("profile: dashscope", ["https://d.example", "https://d.example/compatible-mode/v1"]),
    ],
)
def test_a_base_url_is_the_same_with_and_without_its_version(loads: Loads, text: str, urls: list[str]) -> None:
    """So is what was learnt of its quota, which is kept by it."""
    assert len({loaded(loads, provider(text, url)).base_url for url in urls}) == 1


def test_azure(loads: Loads) -> None:
    """A deployment in the path and a version in the query, or neither below /openai/v1."""
    old = loaded(loads, provider("profile: azure", "https://x.openai.azure.com"))
    assert (old.base_url, old.profile.query) == ("https://x.openai.azure.com/openai", "api-version=2024-10-21")
    assert old.profile.paths["chat"] == "/deployments/{model}/chat/completions"
    assert (old.profile.auth_header, old.profile.auth_prefix, old.profile.responses) == ("api-key", "", False)
    other = loaded(loads, provider("profile: azure, api_version: 2025-01-01-preview", "https://x.openai.azure.com"))
    assert other.profile.query == "api-version=2025-01-01-preview"
    new = loaded(loads, provider("profile: azure", "https://x.openai.azure.com/openai/v1"))
    assert (new.base_url, new.profile.name) == ("https://x.openai.azure.com/openai/v1", "azure-v1")
    assert (new.profile.query, new.profile.paths, new.profile.responses) == ("", {}, True)
    assert (new.profile.auth_header, new.profile.headers) == ("api-key", "azure")


def test_anthropic(loads: Loads) -> None:
    """Its key has a header of its own, its version too; input and output are limited apart."""
    limits = "limits: {claude-3-haiku: {rpm: 50, itpm: 50000, otpm: 10000}}"
    one = loaded(loads, provider("dialect: anthropic", scope=f"name: main, keys: [none], {limits}"))
    assert one.scopes[0].limits == {"claude-3-haiku": Limits(rpm=50, itpm=50_000, otpm=10_000)}
    assert (one.profile.auth_header, one.profile.auth_prefix, one.profile.split) == ("x-api-key", "", True)
    assert one.profile.adds == (("anthropic-version", "2023-06-01"),)
    newer = loaded(loads, provider("dialect: anthropic, api_version: 2026-01-01"))
    assert newer.profile.adds == (("anthropic-version", "2026-01-01"),)


def test_the_beta_of_deepseek(loads: Loads) -> None:
    """Only there a prefix is continued."""
    usual = loaded(loads, provider("profile: deepseek", "https://api.deepseek.com"))
    beta = loaded(loads, provider("profile: deepseek", "https://api.deepseek.com/beta"))
    assert (usual.base_url, usual.profile.prefix) == ("https://api.deepseek.com/v1", "")
    assert (beta.base_url, beta.profile.prefix) == ("https://api.deepseek.com/beta", "prefix")


def test_a_profile_of_ones_own(loads: Loads, tmp_path: Path) -> None:
    """A file beside the configuration, which extends one that is there, and is watched as a part of it."""
    (tmp_path / "ours.yaml").write_text(OURS)
    text = "profiles: {ours: ours.yaml}\n" + provider("profile: ours, window: fixed")
    found = loads(text)
    profile = found.snapshot.providers[0].profile
    assert (profile.name, profile.charge, profile.window, profile.source) == (
        "ours",
        "sum",
        "fixed",
        "our platform team",
    )
    assert profile.refusals[0].not_before == ("month",)
    assert profile.refusals[1:] == load_profile("openai").refusals
    assert found.named == (str(tmp_path / "ours.yaml"),)


def test_a_profile_of_ones_own_that_nobody_uses_is_checked(refusals: Refusals, tmp_path: Path) -> None:
    """So that it is right when somebody does."""
    (tmp_path / "ours.yaml").write_text(OURS.replace("dated: 2026-11-22\n", ""))
    said = refusals("profiles: {ours: ours.yaml}\n" + provider("dialect: openai"))
    assert said == [f'{tmp_path}/ours.yaml:1:1: dated: required, but missing; add `dated: "2026-01-31"`']


def test_variables_stand_in_profiles_too(loads: Loads, tmp_path: Path) -> None:
    """As in the configuration itself."""
    (tmp_path / "ours.yaml").write_text(OURS + 'adds: {x-team: "${TEAM}"}\n')
    found = loads("profiles: {ours: ours.yaml}\n" + provider("profile: ours"), TEAM="blue")
    assert found.snapshot.providers[0].profile.adds == (("x-team", "blue"),)


def test_a_file_that_cannot_be_read_is_told_once(refusals: Refusals) -> None:
    """Not again where it is used."""
    (said,) = refusals("profiles: {ours: nowhere.yaml}\n" + provider("profile: ours"))
    assert "profiles.ours: the file cannot be read" in said
