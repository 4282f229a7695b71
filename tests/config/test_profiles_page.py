"""docs/profiles.md says what the profiles and their schema say, and its example loads."""

import re
from pathlib import Path

import pytest

from tests.config import profile_table
from tests.config.conftest import Loads
from tidegate.config.profiles import read_profile, record
from tidegate.model.outcome import Reason
from tidegate.model.profiles import FAMILIES, PLACES, SCOPES

TEXT = (Path(__file__).parents[2] / "docs" / "profiles.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```yaml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def test_the_profiles_are_documented_as_they_are() -> None:
    """Every profile with its date, rules and source."""
    assert "\n".join(profile_table.table()) in TEXT
    assert "\n".join(profile_table.sources()) in TEXT


def test_every_field_is_documented() -> None:
    """Of a profile, and of a row of its refusals."""
    for rows in profile_table.fields().values():
        assert "\n".join(rows) in TEXT


@pytest.mark.parametrize(
    ("head", "words"),
    [("reason", Reason.__members__), ("scope", SCOPES), ("not_before", PLACES), ("headers", FAMILIES)],
)
def test_words_are_documented(head: str, words: tuple[str, ...]) -> None:
    """Each has its meaning, and no other word has."""
    table = TEXT.partition(f"\n| {head} | ")[2].partition("\n\n")[0]
    named = [word for line in table.splitlines()[2:] for word in re.findall(r"`(\w+)`", line.split("|")[1])]
    assert sorted(named) == sorted(words)


def test_the_example_of_two_makers_loads(loads: Loads) -> None:
    """It comes to what stands beside it."""
    snapshot = loads(EXAMPLES[0], OPENAI_API_KEY="k", ANTHROPIC_API_KEY="k").snapshot
    (strategy,) = snapshot.strategies
    assert strategy.fallback_models == ("claude-3-haiku",)
    told = [
        f"{one.profile.dialect} at {one.base_url}, profile {one.profile.name} of {one.profile.dated}"
        for one in snapshot.providers
    ]
    assert told[1] in TEXT


def test_the_example_of_a_profile_loads() -> None:
    """It means what stands beside it."""
    profile = record("ours", read_profile(EXAMPLES[1].encode(), "ours.yaml", {}))
    assert (profile.charge, profile.adds, profile.refusals[0].not_before) == (
        "sum",
        (("x-team", "search"),),
        ("month",),
    )
