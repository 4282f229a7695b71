"""Shadow traffic in the file: what it comes to, what is refused, and what `check` says of it."""

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.model.shadow import ShadowPolicy
from tidegate.model.snapshot import decode, encode

GATE = """\
providers:
  openai:
    dialect: openai
    base_url: https://api.openai.com/v1
    scopes: [{name: main, keys: [sk-1], limits: {gpt-4o: {rpm: 5}, next-one: {rpm: 5}}}]
    models: {cheap: {price: {input: 1, output: 2}}}
  other:
    dialect: openai
    base_url: https://other.example/v1
    scopes: [{name: main, keys: [sk-2]}]
strategies:
  chat: {primary_model: gpt-4o, shadow: {%s}}
  second: {primary_model: next-one}
"""


def test_what_it_comes_to(loads: Loads) -> None:
    """Defaults, and every field in the record's units; it survives the way to a worker."""
    found = loads(GATE % "model: cheap, max_cost_per_day: 0.5").snapshot
    assert found.strategies[0].shadow == ShadowPolicy("cheap", 10_000, 500_000_000)
    assert found.strategies[1].shadow is None
    fields = "model: cheap, max_cost_per_day: 2, share: 12.5%, max_concurrent: 7, compare: exact, agrees_at: 0.5"
    found = loads(GATE % fields).snapshot
    assert found.strategies[0].shadow == ShadowPolicy("cheap", 125_000, 2_000_000_000, 7, "exact", 500)
    assert decode(encode(found)) == found


def test_the_single_strategy_has_one_too(loads: Loads) -> None:
    """It is called by its primary model."""
    text = GATE.partition("strategies:")[0]
    text += "model_strategy: {primary_model: gpt-4o, shadow: {model: next-one, max_cost_per_day: 1}}\n"
    loaded = loads(text)
    assert loaded.snapshot.strategies[0].shadow is not None
    assert [one.field for one in loaded.warnings if "max_cost" in one.field] == [
        "model_strategy.shadow.max_cost_per_day"
    ]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ("model: gpt-4o, max_cost_per_day: 1", "the primary model cannot be its own candidate; name another model"),
        ("model: second, max_cost_per_day: 1", "a strategy cannot be a candidate; name a model"),
        ("model: cheep, max_cost_per_day: 1", "no provider serves this model; did you mean cheap?"),
        ("model: cheap", "strategies.chat.shadow.max_cost_per_day"),
        ("model: cheap, max_cost_per_day: 1, share: 0%", "strategies.chat.shadow.share"),
        ("model: cheap, max_cost_per_day: 1, compare: judge", "strategies.chat.shadow.compare"),
    ],
)
def test_what_is_refused(refusals: Refusals, fields: str, wanted: str) -> None:
    """With the field and what to do."""
    assert any(wanted in line for line in refusals(GATE % fields))


@pytest.mark.parametrize(("model", "said"), [("cheap", False), ("next-one", True)])
def test_a_candidate_without_a_price_cannot_be_capped(loads: Loads, model: str, said: bool) -> None:
    """It is said, not refused: a model of one's own may cost nothing."""
    loaded = loads(GATE % f"model: {model}, max_cost_per_day: 1")
    assert any("no price of next-one is known" in one.message for one in loaded.warnings) is said
