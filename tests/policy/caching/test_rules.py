"""Layers of times to live: the first rule that fits."""

from typing import Any

import pytest

from tidegate.model.caching import CacheRule
from tidegate.model.parts import Kind
from tidegate.policy.caching.rules import Layers

DEFAULT = 7


def ttl(layers: Layers, **changed: Any) -> int:
    head: dict[bytes, bytes] = changed.get("head", {})
    return layers.ttl_us(
        changed.get("kind", Kind.CHAT),
        changed.get("model", "gpt-5"),
        changed.get("tags", ()),
        head.get,
        changed.get("system", unasked),
    )


def unasked() -> str:
    raise AssertionError("nobody needs the system prompt here")


def test_without_rules_the_default_holds() -> None:
    """And nothing is looked at."""
    assert ttl(Layers((), DEFAULT)) == DEFAULT


@pytest.mark.parametrize(
    ("rule", "call", "fits"),
    [
        ({}, {}, True),
        ({"routes": ("chat",)}, {}, True),
        ({"routes": ("embedding", "messages")}, {}, False),
        ({"routes": ("embedding", "messages")}, {"kind": Kind.MESSAGES}, True),
        ({"models": ("gpt-5",)}, {}, True),
        ({"models": ("gpt-5",)}, {"model": "gpt-5-mini"}, False),
        ({"models": ("gpt-5*",)}, {"model": "gpt-5-mini"}, True),
        ({"models": ("o3", "gpt-*")}, {}, True),
        ({"models": ("o3", "claude-*")}, {}, False),
        ({"models": ("*",)}, {}, True),
        ({"tags": ("news",)}, {"tags": ("a", "news")}, True),
        ({"tags": ("news", "b")}, {"tags": ("a",)}, False),
        ({"tags": ("news",)}, {}, False),
        ({"header": "X-Team"}, {"head": {b"x-team": b"any"}}, True),
        ({"header": "x-team"}, {}, False),
        ({"header": "x-team", "value": "red|blue"}, {"head": {b"x-team": b"red"}}, True),
        ({"header": "x-team", "value": "red|blue"}, {"head": {b"x-team": b"reddish"}}, False),
        ({"header": "x-team", "value": "\xff+"}, {"head": {b"x-team": b"\xff"}}, True),
        ({"system": "(?i)today"}, {"system": lambda: "As of Today"}, True),
        ({"system": "^today"}, {"system": lambda: "as of today"}, False),
        ({"system": "x", "routes": ("embedding",)}, {}, False),
        ({"routes": ("chat",), "models": ("gpt*",), "tags": ("a",)}, {"tags": ("a",)}, True),
        ({"routes": ("chat",), "models": ("gpt*",), "tags": ("a",)}, {"tags": ("b",)}, False),
    ],
)
def test_what_a_rule_fits(rule: dict[str, Any], call: dict[str, Any], fits: bool) -> None:
    """All that it names must be so, and what it leaves empty fits everything."""
    assert ttl(Layers((CacheRule(1, **rule),), DEFAULT), **call) == (1 if fits else DEFAULT)


def test_the_first_that_fits_decides() -> None:
    """In the order of the configuration; 0 keeps nothing."""
    layers = Layers((CacheRule(5, tags=("a",)), CacheRule(0, routes=("chat",)), CacheRule(9)), DEFAULT)
    assert [ttl(layers, tags=("a",)), ttl(layers), ttl(layers, kind=Kind.MESSAGES)] == [5, 0, 9]


def test_the_system_prompt_is_read_once_and_only_where_it_matters() -> None:
    """However many rules look at it; and not by rules behind the one that fits."""
    asked: list[int] = []

    def system() -> str:
        asked.append(1)
        return "a lawyer"

    rules = (CacheRule(1, system="doctor"), CacheRule(2, system="lawyer"), CacheRule(3, system="lawyer"))
    assert ttl(Layers(rules, DEFAULT), system=system) == 2
    assert len(asked) == 1
    assert ttl(Layers((CacheRule(4), *rules), DEFAULT)) == 4


@pytest.mark.parametrize("field", ["system", "value"])
def test_what_is_no_regular_expression(field: str) -> None:
    """Is told, by its text."""
    with pytest.raises(ValueError, match="'\\(' is no regular expression"):
        Layers((CacheRule(1, header="x", **{field: "("}),), DEFAULT)
