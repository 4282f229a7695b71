"""Scenario files: what is shipped can be read, and what is wrong is said with line and remedy."""

from pathlib import Path

import pytest

from tidegate.config.findings import ConfigError
from tidegate.simulate.reader import parse, read, shipped

GOOD = """\
title: two accounts
pool:
  scopes: [{name: a, count: 2}]
tenants:
  - {name: b, tier: vip}
"""
BAD = (  # what is changed, into what, then the line and what is said
    ("tier: vip", "tier: gold", 5, "one of batch, free, paid, vip"),
    ("tier: vip", "tyer: vip", 5, "tenants[0].tyer: no such field; one of name, pattern, count, tier"),
    ("tier: vip", "weight: 0", 5, "tenants[0].weight: expected a number of at least 0.001; see"),
    ("tier: vip", "count: many", 5, "tenants[0].count: expected a whole number, found text"),
    ("tier: vip", "pattern: {kind: curve}", 5, "a curve without a call; give points"),
    ("tier: vip", "pattern: {points: [{at_s: 0, rate: 1}]}", 5, "write `kind: curve`"),
    ("tier: vip", "pattern: {kind: curve, points: [{at_s: 9, rate: 1}, {at_s: 1, rate: 1}]}", 5, "sort them by at_s"),
    ("tier: vip", "pattern: {from_s: 9, to_s: 3}", 5, "make from_s less than to_s"),
    ("tier: vip", "skew: 1, pattern: {kind: steady}", 5, "leave skew out"),
    ("{name: a, count: 2}", "", 3, "pool.scopes: expected at least 1 item"),
    ("{name: a, count: 2}", "{name: a}, {name: a}", 3, "two accounts have the same name; give every scope"),
    ("{name: a, count: 2}", "{count: 2}", 3, "pool.scopes[0]: lacks name; add `name: …`"),
    ("]\n", "]\n  network_ms: [9, 1]\n", 4, "write [least, most]"),
    ("title: two accounts\n", "", 1, "lacks title; add `title: …`"),
    ("title: two accounts", "title: x\nwarmup_s: 400", 2, "make it shorter than duration_s"),
    (
        "title: two accounts",
        "title: x\nschedulers: [dynamic, lottery]",
        2,
        "one of dynamic, fifo, round_robin, weighted",
    ),
    ("title: two accounts", "title: x\nshards: {count: 3}", 2, "at most 2: a shard holds whole accounts"),
    ("title: two accounts", "title: x\nfaults: [{kind: account, at_s: 1, scope: b}]", 2, "one of a-1, a-2, or leave"),
    ("title: two accounts", "title: x\nfaults: [{kind: owner, at_s: 1, owner: b}]", 2, "none: the scenario has no sha"),
    ("title: two accounts", "title: x\nfaults: [{kind: overload, at_s: 999}]", 2, "make it less than duration_s"),
    ("  - {name: b, tier: vip}", "  - {name: b}\n  - {name: b}", 6, "two groups have the same name"),
    (GOOD, "- one\n- two\n", 1, "the top level must be a mapping; start with `title:`"),
    (GOOD, "", 1, "the file is empty; start with `title:`"),
    ("tier: vip", "tier: 'vip", 5, "close it"),
)


@pytest.mark.parametrize("name", shipped())
def test_what_is_shipped_can_be_read(name: str) -> None:
    """Every scenario of the package holds all rules, and its title says what it is."""
    assert read(name).title


def test_the_scenarios_that_were_promised_are_there() -> None:
    """By the names that the documents use."""
    wanted = {"618-peak", "flood", "retry-storm", "quota-halved", "account-loss", "free-wave", "sharded"}
    assert wanted <= set(shipped())


@pytest.mark.parametrize(("old", "new", "line", "said"), BAD)
def test_what_is_wrong_is_said_with_line_and_remedy(old: str, new: str, line: int, said: str) -> None:
    """One line for each error, as of any other file of the gate."""
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(old, new, 1).encode(), "s.yaml")
    (text,) = caught.value.lines()
    assert text.startswith(f"s.yaml:{line}:")
    assert said in text


def test_several_errors_are_said_at_once() -> None:
    """What the rules find is told together."""
    text = GOOD.replace("tier: vip", "pattern: {kind: curve}") + "faults: [{kind: account, at_s: 400, scope: x}]\n"
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "s.yaml")
    assert len(caught.value.lines()) == 3


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The error names what is shipped."""
    with pytest.raises(ConfigError) as caught:
        read(str(tmp_path / "nothing.yaml"))
    assert "No such file" in caught.value.lines()[0]
    assert "flood" in caught.value.lines()[0]


def test_a_file_of_ones_own(tmp_path: Path) -> None:
    """Read by its path."""
    path = tmp_path / "mine.yaml"
    path.write_text(GOOD, encoding="utf-8")
    assert read(str(path)).pool.scopes[0].count == 2
