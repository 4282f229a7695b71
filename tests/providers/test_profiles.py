"""Refusals as providers word them, by provider: `profiles/NAME.yaml`. Each has its source and what it means."""

import json
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tidegate.config.profiles import load_profile, profile_names
from tidegate.config.source import parse
from tidegate.model.snapshot import Profile
from tidegate.policy.failure.classify import ProviderError, Verdict, verdict
from tidegate.policy.failure.headers_families import family
from tidegate.policy.failure.not_before import not_before
from tidegate.providers.dialects import DIALECTS

WALL = "2026-09-10T00:26:40Z"  # when each of them arrives
FOLDER = Path(__file__).parent / "profiles"
NAMES = sorted(path.stem for path in FOLDER.glob("*.yaml"))
BY_OTHERS = {"azure-v1", "cached-free", "deepseek-beta"}  # refusals of the profile that they extend


def cases() -> list[Any]:
    found = []
    for name in NAMES:
        document = parse((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), {})
        assert isinstance(document.data, list)
        assert not document.findings
        found += [pytest.param(name, case, id=f"{name}: {case['what']}") for case in document.data]
    return found


CASES = cases()


@cache
def profile_of(name: str) -> Profile:
    return load_profile(name)


def us(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp() * 1_000_000)


def body_of(case: dict[str, Any]) -> bytes:
    if "text" in case:
        return str(case["text"]).encode()
    return json.dumps(case["body"], ensure_ascii=False).encode()


def judged(name: str, case: dict[str, Any]) -> tuple[Verdict, int | None]:
    """As the gate does it: the dialect reads the error's fields, the profile's rows judge."""
    profile, body = profile_of(name), body_of(case)
    said = DIALECTS[profile.dialect].error_of(body)
    text = body.decode()
    found = verdict(ProviderError(case["status"], said.code, said.type, text), profile.refusals)
    shown = {header.encode(): value.encode() for header, value in case.get("headers", {}).items()}
    return found, not_before(found.not_before, shown, family(profile.headers), text, us(WALL))


@pytest.mark.parametrize(("name", "case"), CASES)
def test_what_a_refusal_means(name: str, case: dict[str, Any]) -> None:
    """Its class, what is out by it, and when to come again; to a microsecond where a time is named."""
    found, again = judged(name, case)
    means = case["means"]
    assert (found.reason.name, found.scope) == (means["reason"], means["scope"])
    if "until" in means:
        assert again == us(means["until"]) - us(WALL)
    elif means["seconds"] is None:
        assert again is None
    else:
        assert again == pytest.approx(means["seconds"] * 1_000_000, abs=1)


@pytest.mark.parametrize(("name", "case"), CASES)
def test_every_wording_has_a_source(name: str, case: dict[str, Any]) -> None:
    """And nothing else is in a case than what the test reads."""
    assert case["source"], name
    assert set(case) <= {"what", "source", "status", "headers", "body", "text", "means"}
    assert set(case["means"]) <= {"reason", "scope", "seconds", "until"}


def test_every_profile_has_wordings() -> None:
    """No profile is there whose refusals nobody wrote down."""
    assert set(NAMES) | BY_OTHERS == set(profile_names())


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_key_is_the_keys_fault(name: str) -> None:
    """As each maker words it: a row says so, so that nobody is asked to write one, and other keys are asked on."""
    wrong = [case for other, case in (case.values for case in CASES) if other == name and "a key that" in case["what"]]
    assert wrong
    for case in wrong:
        found, _ = judged(name, case)
        assert (found.reason.name, found.scope, found.known) == ("AUTH", "key", True), case["what"]


@pytest.mark.parametrize("name", profile_names())
def test_401_alone_is_the_keys_fault(name: str) -> None:
    """Whatever stands in its body, in next year's words or in none."""
    found = verdict(ProviderError(401, text="<html>who are you</html>"), profile_of(name).refusals)
    assert (found.reason.name, found.scope, found.known) == ("AUTH", "key", True)


def test_the_same_words_mean_something_else() -> None:
    """What is fatal at OpenAI passes within a minute at DashScope, and at midnight or sooner at Google."""
    words = "You exceeded your current quota, please check your plan and billing details."
    refusal = ProviderError(429, text=words)
    reasons = {
        name: verdict(refusal, profile_of(name).refusals).reason.name for name in ("openai", "dashscope", "gemini")
    }
    assert reasons == {"openai": "BILLING", "dashscope": "RATE", "gemini": "RATE"}
