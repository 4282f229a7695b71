"""What `check` warns of where namespaces are isolated."""

from tests.config.conftest import Loads

FILE = """\
providers:
  a: {dialect: openai, base_url: http://one.example, scopes: [{name: gold, keys: [k1]}, {name: rest, keys: [k2]}]}
  b: {dialect: openai, base_url: http://two.example, scopes: [{name: main, keys: [none]}], models: {n: }}
strategies:
  s: {primary_model: n}
  t: {primary_model: n, fallback_models: [{model: m}]}
  u: {primary_model: unknown}
pools: {kept: {scopes: [a/gold], only: [gold]}}
namespaces: {gold: {keys: ["${KEY}"], isolation: {port: 8090}}}
"""


def warnings(loads: Loads, text: str) -> list[str]:
    found = [warning.sentence() for warning in loads(text, KEY="k" * 40).warnings]
    return [text for text in found if "isolation" in text or text.startswith("pools")]


def test_what_a_worker_cannot_serve_is_said(loads: Loads) -> None:
    """The provider, and the strategies that go without it."""
    (warning,) = warnings(loads, FILE)
    assert warning == (
        "namespaces.gold.isolation: no pool for it alone draws on providers.b, so its worker serves none of its "
        "models, and strategies skip them: s, t; add a pool with a scope of it and `only: [gold]`, unless that is meant"
    )


def test_a_namespace_with_a_scope_everywhere_is_fine(loads: Loads) -> None:
    """Where the main worker keeps some, too."""
    assert warnings(loads, FILE.replace("scopes: [a/gold]", "scopes: [a/gold, b/main]")) == []


def test_a_main_worker_without_scopes_is_said(loads: Loads) -> None:
    """Nobody is served there."""
    text = FILE.replace("scopes: [a/gold]", "scopes: [a/gold, a/rest, b/main]")
    (warning,) = warnings(loads, text)
    assert warning.startswith("pools: every scope is an isolated namespace's, so the main port serves nobody; leave")
