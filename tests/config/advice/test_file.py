"""What `check` warns of."""

import pytest

from tests.config.conftest import Loads
from tests.config.texts import SMALLEST

TWO = """\
providers:
  a: {dialect: openai, base_url: http://one.example, scopes: [{name: main, keys: [none], limits: {m: {rpm: 1}}}]}
  b: {dialect: openai, base_url: http://two.example, scopes: [{name: main, keys: [none]}], models: {n: }}
"""


def warnings(loads: Loads, text: str, **environ: str) -> list[str]:
    """Without the one about client keys."""
    return [warning.sentence() for warning in loads(text, **environ).warnings if warning.field != "clients"]


def test_nothing_to_say(loads: Loads) -> None:
    """A good file has no warning."""
    assert loads(SMALLEST + 'clients: {keys: ["${KEY}"]}\n', KEY="x" * 40).warnings == ()


def test_client_keys(loads: Loads) -> None:
    """Without client keys the gate serves this machine only."""
    (warning,) = loads(SMALLEST).warnings
    assert warning.text("gate.yaml").startswith(
        "gate.yaml:1:1: clients: no client keys, so only callers on this machine"
    )
    assert loads(SMALLEST + "clients: {required: true}\n").warnings == ()


def test_unserved_models(loads: Loads) -> None:
    """Among several providers a model must be named; it is shown by its name and place."""
    strategy = "model_strategy: {primary_model: x, fallback_models: [{model: m}, {model: n}, {model: y}]}\n"
    remedy = "so it is skipped; name it under a provider's models or limits"
    assert warnings(loads, TWO + strategy) == [
        f"model_strategy.primary_model: no provider serves x, {remedy}",
        f"model_strategy.fallback_models[2].model: no provider serves y, {remedy}",
    ]
    assert warnings(loads, SMALLEST + strategy) == []


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("max_rpm: 301, bucket_capacity: 9, refill_rate: 5", "5 requests a second are 300 a minute, below max_rpm 301"),
        ("max_rpm: 300, bucket_capacity: 9, refill_rate: 5", ""),
        ("bucket_capacity: 9, refill_rate: 5", ""),
        ("max_rpm: 3000, bucket_capacity: 9", "bucket_capacity: no effect alone"),
        ("max_rpm: 3000, refill_rate: 5", "refill_rate: no effect alone"),
    ],
)
def test_bounds(loads: Loads, policy: str, said: str) -> None:
    """A burst that refills more slowly than the bound above it, and half a burst."""
    found = warnings(loads, f"{SMALLEST}model_strategy: {{primary_model: gpt-4o, rate_limit_policy: {{{policy}}}}}\n")
    assert [said in warning for warning in found] == ([True] if said else [])


def test_keys_in_the_file(loads: Loads) -> None:
    """A key that is written out is better kept in the environment; a short one is a placeholder."""
    text = SMALLEST.replace('"${OPENAI_API_KEY:-sk-demo}"', '"abcdefghijklmnop", none, "${KEY:-abcdefghijklmnopq}"')
    text += "clients: {keys: [abcdefghijklmnopqr, {name: x, key: abcdefghijklmnopqrs}, short]}\n"
    assert [warning.partition(": ")[0] for warning in warnings(loads, text)] == [
        "providers.openai.scopes[0].keys[0]",
        "clients.keys[0]",
        "clients.keys[1].key",
    ]


def test_strategies_out_of_reach(loads: Loads) -> None:
    """Two strategies of one primary model, and one whose primary model is another's name."""
    text = """\
strategies:
  a: {primary_model: gpt-4o}
  b: {primary_model: gpt-4o}
  c: {primary_model: a}
  a2: {primary_model: a2}
"""
    assert [warning.partition(";")[0] for warning in warnings(loads, SMALLEST + text)] == [
        "strategies.b.primary_model: an earlier strategy has the same primary model, so calls for the model go there",
        "strategies.c.primary_model: a strategy has the name of this model, so calls for the model go there",
    ]


def test_order_and_time(loads: Loads) -> None:
    """Equal priorities, and a fallback that waiting never reaches."""
    text = """\
model_strategy:
  primary_model: a
  deadline_seconds: 45
  fallback_models: [{model: b, priority: 1}, {model: c, priority: 1}, {model: d}, {model: e}]
"""
    assert [warning.partition(": ")[0] for warning in warnings(loads, SMALLEST + text)] == [
        "model_strategy.deadline_seconds",
        "model_strategy.fallback_models[1].priority",
    ]


def test_one_url_twice(loads: Loads) -> None:
    """Two providers with one base URL, after normalising."""
    found = warnings(loads, TWO.replace("two.example", "one.example/v1/"))
    assert len(found) == 1
    assert found[0].startswith("providers.b.base_url: the same base URL as providers.a")
