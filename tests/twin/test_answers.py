"""Answers: numbered, drawn from a seed, in their time."""

import json
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.twin.answers import TEXT, Answer, Block, answer, draw, numbered, word_end
from tidegate.twin.asks import Ask, Function
from tidegate.twin.settings import MODELS, Spread, Timing

TIMING = Timing(ttft_ms=Spread(10.0), tpot_ms=Spread(2.0), tokens=Spread(100.0, 0.5))


def ask(**fields):
    return Ask(MODELS[0], [], 0, **fields)


def text(one):
    return b"".join(block.whole() for block in one.of(TEXT))


def drawn(seed=0, timing=TIMING, **fields):
    return answer(ask(**fields), timing, Random(seed))


@pytest.mark.parametrize("units", [0, 1, 9, 10, 11, 99, 100, 1_000, 20_000])
def test_the_text_counts(units):
    """Words 1 … n, each once, and `word_end` knows where each ends."""
    text = numbered(units)
    assert text.decode().split() == [f"t{number}" for number in range(1, units + 1)]
    assert len(text) == word_end(units)


def test_max_tokens_is_produced_exactly():
    """So that a replay generates what its trace did."""
    one = drawn(max_tokens=37)
    assert (one.units, one.finish) == (37, "length")
    assert len(text(one).split()) == 37


def test_without_a_maximum_lengths_vary_by_seed_and_repeat():
    """Same seed, same lengths; another seed, others."""
    rng = Random(5)
    lengths = [answer(ask(), TIMING, rng).units for _ in range(20)]
    again = Random(5)
    assert lengths == [answer(ask(), TIMING, again).units for _ in range(20)]
    assert len(set(lengths)) > 10
    assert drawn().finish == "stop"


def test_a_huge_maximum_does_not_make_a_huge_answer():
    """Beyond `exact_up_to` a length is drawn."""
    assert drawn(max_tokens=10**9).units <= TIMING.exact_up_to


@pytest.mark.parametrize(
    ("stops", "words", "units"),
    [(("t5",), " t1 t2 t3 t4 ", 5), ((" t5",), " t1 t2 t3 t4", 4), (("t9", " t3"), " t1 t2", 2), ((" t1",), "", 0)],
)
def test_a_stop_ends_the_text_before_it(stops, words, units):
    """The earliest one counts, and the finish says so."""
    one = drawn(max_tokens=20, stops=stops)
    assert (text(one).decode(), one.units, one.finish) == (words, units, "stop")
    assert one.stopped_by in stops


def test_a_stop_that_never_comes_changes_nothing():
    """The answer is as long as it was."""
    assert drawn(max_tokens=4, stops=("t5",)).finish == "length"


@settings(max_examples=40)
@given(st.integers(0, 200), st.integers(1, 5_000), st.integers(-10, 10**6))
def test_tokens_come_in_their_time(units, tpot, elapsed):
    """Token k is due k·tpot after the first, never more than all of them."""
    one = Answer([Block(TEXT, units)], 1, "stop", 0, tpot)
    due = one.due(elapsed)
    assert 0 <= due <= units
    if 0 < due < units:
        assert (due - 1) * tpot <= elapsed < due * tpot


@settings(max_examples=40)
@given(st.integers(1, 500), st.integers(0, 7), st.booleans())
def test_events_cover_every_token_once(units, chunk_tokens, paced):
    """Whatever the size of an event, pieces join to the text."""
    one = Answer([Block(TEXT, units, numbered(units))], 1, "stop", 0, 5 if paced else 0)
    cuts = one.spans(0, units, chunk_tokens)
    assert b"".join(one.blocks[at].piece(first, last) for at, first, last in cuts) == text(one)
    if not paced and not chunk_tokens:
        assert len(cuts) <= 50


def test_a_constant_has_no_chance_in_it():
    """Without sigma the median itself; with it, draws around the median."""
    assert draw(Spread(7.0), Random(1)) == 7.0
    draws = sorted(draw(Spread(7.0, 0.5), Random(seed)) for seed in range(501))
    assert 6.3 < draws[250] < 7.7
    assert draws[0] < 4
    assert draws[-1] > 12


def test_a_forced_tool_is_called_with_valid_arguments():
    """Every property gets a value of its type."""
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "days": {"type": "integer"},
            "unit": {"enum": ["c", "f"]},
            "tags": {"type": "array", "items": {"type": ["boolean", "null"]}},
            "at": {"type": "object", "properties": {"lat": {"type": "number"}}},
            "v": {"const": 3},
        },
    }
    one = drawn(tools=(Function("weather", parameters=schema),), tool_forced=True)
    (call,) = one.blocks
    assert (call.kind, call.name, one.finish) == ("tool", "weather", "tool_calls")
    assert msgspec.json.decode(call.value()) == {
        "city": "t1", "days": 1, "unit": "c", "tags": [True], "at": {"lat": 1.5}, "v": 3,
    }  # fmt: skip
    assert json.loads(b'"%b"' % b"".join(call.piece(at, at + 1) for at in range(one.units))) == call.json


def test_a_tool_that_may_be_called_sometimes_is():
    """By `tool_rate`."""
    calls = sum(drawn(seed, tools=(Function("f"),)).finish == "tool_calls" for seed in range(400))
    assert 60 < calls < 140


def test_what_is_said_can_be_stated():
    """In place of numbered words, whole and in pieces, whatever its script; cut at `max_tokens` as any answer."""
    say = 'It takes "7 days".\n退款需要 7 天。'
    one = answer(ask(), TIMING, Random(0), say)
    whole = b'"' + text(one) + b'"'
    assert json.loads(whole) == say
    block = one.blocks[0]
    assert b"".join(block.piece(at, at + 1) for at in range(block.units)) == text(one)
    assert one.finish == "stop"
    cut = answer(ask(max_tokens=2), TIMING, Random(0), say)
    assert (cut.finish, json.loads(b'"' + text(cut) + b'"')) == ("length", say[:8])
