"""Which calls a rule strikes, and what is wrong with a rule."""

from random import Random

import pytest

from tidegate.twin.calls import Calls
from tidegate.twin.faults import Faults, Match, Rule, parse


def rules_hit(rules, count=20, **fields):
    faults = Faults(Random(1))
    faults.rules = tuple(rules)
    calls = Calls(0)
    hits = []
    for _ in range(count):
        call = calls.begin("POST", "/openai/v1/chat/completions", 0)
        call.model, call.key = fields.get("model", "gpt-4o"), fields.get("key", "k")
        call.stream = fields.get("stream", False)
        rule = faults.hit(call)
        hits.append(rule.fault if rule else "")
    return hits


@pytest.mark.parametrize(
    ("match", "hits"),
    [
        (Match(), True),
        (Match(model="gpt-4o", key="k", path="/chat/completions", stream=False), True),
        (Match(model="gpt-4o-mini"), False),
        (Match(key="other"), False),
        (Match(path="/embeddings"), False),
        (Match(stream=True), False),
    ],
)
def test_every_stated_field_must_match(match, hits):
    """What is not stated matches everything."""
    assert bool(rules_hit([Rule("500", match)], 1)[0]) == hits


def test_a_rule_skips_counts_and_gives_way():
    """After two skipped and two struck calls the next rule has its turn."""
    hits = rules_hit([Rule("500", count=2, skip=2), Rule("503", count=1)], 6)
    assert hits == ["503", "", "500", "500", "", ""]


def test_a_probability_is_drawn_from_the_seed():
    """About half of the calls, and the same ones every time."""
    hits = rules_hit([Rule("500", probability=0.5)], 200)
    assert 70 < hits.count("500") < 130
    assert hits == rules_hit([Rule("500", probability=0.5)], 200)


@pytest.mark.parametrize("raw", [b'{"fault":"500"}', b'[{"fault":"500"}]', b'{"rules":[{"fault":"500"}]}'])
def test_three_ways_to_post_a_rule(raw):
    """One rule, a list, an object with rules."""
    assert [rule.fault for rule in parse(raw)] == ["500"]


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"{", "truncated"),
        (b"[{}]", "fault"),
        (b'[{"fault":"explode"}]', r"\[0\].fault: unknown fault 'explode'; one of 401, 403, 429"),
        (b'[{"fault":"500"},{"fault":"500","probability":2}]', r"\[1\].probability"),
        (b'[{"fault":"500","statsu":1}]', "statsu"),
        (b'[{"fault":"status","status":99}]', r"\[0\].status"),
        (b'[{"fault":"cut","after_bytes":-1}]', r"\[0\].after_bytes: -1 is negative"),
        (b'[{"fault":"slow"}]', r"\[0\].ms: required"),
        (b'[{"fault":"headers"}]', r"\[0\].headers: required"),
        (b'[{"fault":"500","headers":{"a":"1\\r\\nb: 2"}}]', r"\[0\].headers"),
        (b'[{"fault":"429","retry_after":"1\\r\\nx: y"}]', r"\[0\].retry_after"),
        (b'[{"fault":"500","match":{"modle":"x"}}]', "modle"),
    ],
)
def test_a_wrong_rule_is_refused_by_field(raw, words):
    """The error names what is wrong."""
    with pytest.raises(ValueError, match=words):
        parse(raw)
