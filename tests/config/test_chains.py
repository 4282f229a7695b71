"""Strategies that lead to strategies."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.config.conftest import Loads, Refusals
from tests.config.texts import SMALLEST
from tidegate.config.chains import MAX_MODELS, Chains, TooLong, cycles, linked_names
from tidegate.model.snapshot import DegradeStep

NAMES = st.sampled_from("abcdefg")
EDGES = st.dictionaries(NAMES, st.lists(NAMES, max_size=4, unique=True), max_size=7)


@pytest.mark.parametrize(
    ("fallbacks", "models"),
    [
        ({"a": []}, ()),
        ({"a": ["x", "y"]}, ("x", "y")),
        ({"a": ["x", "b", "y"], "b": ["z"]}, ("x", "model-b", "z", "y")),
        ({"a": ["b", "c"], "b": ["c"], "c": ["z"]}, ("model-b", "model-c", "z")),
        ({"a": ["b"], "b": ["model-a", "x", "x"]}, ("model-b", "x")),
        ({"a": ["b"], "b": ["a", "x"]}, ("model-b", "x")),
    ],
)
def test_a_strategy_stands_for_its_models(fallbacks: dict[str, list[str]], models: tuple[str, ...]) -> None:
    """In their order where it is named, each model once, and an end even where a chain leads back."""
    primaries = {name: f"model-{name}" for name in fallbacks}
    assert Chains(primaries, fallbacks, primaries.keys()).models("a") == ("model-a", *models)


def test_what_names_a_strategy() -> None:
    """Its name, unless a provider has a model of that name or it is that of its own primary model."""
    assert linked_names({"chat": "gpt-4o", "gpt-4o": "gpt-4o", "o3": "gpt-4o"}, {"o3"}) == {"chat"}


def test_chains_are_bounded() -> None:
    """In models, and in strategies whose models are the same."""
    many = {"a": [f"m{number}" for number in range(MAX_MODELS)]}
    with pytest.raises(TooLong):
        Chains({"a": "m"}, many, ()).models("a")
    chain = {str(number): [str(number + 1)] for number in range(MAX_MODELS)} | {str(MAX_MODELS): []}
    with pytest.raises(TooLong):
        Chains(dict.fromkeys(chain, "m"), chain, chain.keys()).models("0")


@given(EDGES)
def test_cycles_are_ways_that_lead_back(edges: dict[str, list[str]]) -> None:
    """Each is one; without the last step of each there is none left, and none is found where there is none."""
    found = list(cycles(edges))
    assert len({way[-2:] for way in found}) == len(found)
    left = {name: list(ends) for name, ends in edges.items()}
    for way in found:
        assert way[0] == way[-1]
        assert all(end in edges[start] for start, end in pairwise(way))
        while way[-1] in left[way[-2]]:
            left[way[-2]].remove(way[-1])
    assert list(cycles(left)) == []


def test_a_long_chain_is_no_deep_one() -> None:
    """Ten thousand strategies in a row are followed without recursion."""
    edges = {str(number): [str(number + 1)] for number in range(10_000)}
    assert list(cycles(edges)) == []
    (way,) = cycles(edges | {"9999": ["0"]})
    assert len(way) == 10_001


def test_ways_that_meet_are_followed_once() -> None:
    """Sixty forks, each of which meets again: 2⁶⁰ ways, and none is looked at twice."""
    edges = {str(number): [str(number + 1), str(number + 1)] for number in range(60)}
    assert list(cycles(edges)) == []


@pytest.mark.parametrize(
    ("first", "second", "way"),
    [
        ("degrade: [{model: b}]", "degrade: [{model: a}]", "a → b → a"),
        ("degrade: [{model: m2}]", "degrade: [{model: m1}]", ""),
        ("fallback_models: [{model: b}]", "degrade: [{model: a}]", "a → b → a"),
        ("degrade: [{model: a}]", "deadline_seconds: 9", "a → a"),
        ("degrade: [{model: b}]", "fallback_models: [{model: m1}]", ""),
        ("degrade: [{model: b}]", "fallback_models: [{model: a}]", "a → b → a"),
    ],
)
def test_degrading_may_not_lead_back(loads: Loads, refusals: Refusals, first: str, second: str, way: str) -> None:
    """Two models that stand in for each other are none; two strategies that do are."""
    text = f"{SMALLEST}strategies: {{a: {{primary_model: m1, {first}}}, b: {{primary_model: m2, {second}}}}}\n"
    if way:
        (line,) = refusals(text)
        assert f"leads back to where it began: {way}; name another model" in line
    else:
        loads(text)


def test_strategies_may_name_each_others_models(loads: Loads) -> None:
    """Two models that stand in for each other lead nowhere: a fallback is a model first."""
    text = """strategies:
  gpt-4o: {primary_model: gpt-4o, fallback_models: [{model: o3}]}
  o3: {primary_model: o3, fallback_models: [{model: gpt-4o}]}
"""
    strategies = loads(SMALLEST + text).snapshot.strategies
    assert [strategy.fallback_models for strategy in strategies] == [("o3",), ("gpt-4o",)]


def test_a_fallback_that_names_a_strategy(loads: Loads) -> None:
    """It stands for its models, by their priority, in the snapshot."""
    text = """strategies:
  chat: {primary_model: gpt-4o, fallback_models: [{model: last}, {model: cheap, priority: 1}]}
  cheap: {primary_model: small, fallback_models: [{model: two, priority: 2}, {model: one, priority: 1}]}
"""
    assert loads(SMALLEST + text).snapshot.strategies[0].fallback_models == ("small", "one", "two", "last")


def test_a_step_that_names_a_strategy(loads: Loads) -> None:
    """It becomes a step for each of its models, in a strategy as in the defaults."""
    text = """strategies:
  chat: {primary_model: gpt-4o, degrade: [{model: cheap, tiers: [free]}, {clamp_max_tokens: 9, tiers: [free]}]}
  cheap: {primary_model: small, fallback_models: [{model: tiny}]}
defaults: {degrade: [{model: cheap, tiers: [batch]}]}
"""
    snapshot = loads(SMALLEST + text).snapshot
    models = [DegradeStep("model", ("free",), model=model) for model in ("small", "tiny")]
    assert snapshot.strategies[0].degrade == (*models, DegradeStep("clamp", ("free",), max_tokens=9))
    assert [step.model for step in snapshot.defaults.degrade] == ["small", "tiny"]
