"""What is each provider's own, and what the settings overrule."""

import pytest

from tidegate.twin.config import convert
from tidegate.twin.customs import charge, customs, of, plain
from tidegate.twin.settings import Rules


@pytest.mark.parametrize(
    ("provider", "own"),
    [
        ("openai", Rules(cached_reads="off")),
        ("anthropic", Rules(charge="prompt", cached_reads="free", output_apart=True)),
        ("azure", Rules(charge="sum", cached_reads="off", window="fixed", aligned=True)),
        ("dashscope", Rules(cached_reads="off", hide_headers=True)),
        ("gemini", Rules(charge="prompt", cached_reads="off", hide_headers=True)),
    ],
)
def test_each_has_its_own(provider, own):
    """Where nothing is stated."""
    assert of(provider, Rules()) == own


@pytest.mark.parametrize("provider", ["openai", "anthropic", "azure", "dashscope", "gemini"])
def test_what_is_stated_holds_for_all(provider):
    """Window, charge and caching."""
    found = of(provider, Rules(window="sliding", charge="sum", cached_reads="charged", ghost_permille=3))
    assert (found.window, found.cached_reads, found.ghost_permille) == ("sliding", "charged", 3)
    assert found.charge == "sum"


def test_every_model_and_deployment_has_rules():
    """Azure's are those of OpenAI's models, under names of their own."""
    rules = customs(convert({}, "t"))
    assert rules["azure/gpt-4o"].aligned
    assert not rules["gpt-4o"].aligned
    assert "azure/claude-sonnet" not in rules
    assert plain("azure/gpt-4o") == plain("gpt-4o") == "gpt-4o"


@pytest.mark.parametrize(("rule", "price"), [("max", 50), ("sum", 60), ("prompt", 10)])
def test_the_charge(rule, price):
    """Of ten prompt tokens and fifty to come."""
    assert charge(Rules(charge=rule), 10, 50) == price
