"""Of a few labelled comparisons, which similarity is enough: vCache's rule."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.policy.caching.learnt import EXPLORE, LEAST, MOST, SERVE, Learnt, decode

SIMILARITY = st.floats(0.0, 1.0)
SEEN = st.lists(st.tuples(SIMILARITY, st.booleans()), max_size=20)


def of(*seen: tuple[float, bool]) -> Learnt:
    learnt = Learnt()
    for similarity, correct in seen:
        learnt.observe(similarity, correct)
    return learnt


def test_too_few_are_no_ground() -> None:
    """Up to five observations, however good, everything goes to the model."""
    learnt = of(*[(0.9, True)] * (LEAST - 1))
    assert learnt.decide(1.0, 500, 0.999999) == EXPLORE
    learnt.observe(0.9, True)
    assert learnt.decide(1.0, 500, 0.999999) == SERVE


def test_the_rule_is_the_papers() -> None:
    """Tau is 1 − delta/(1 − bound): luck below it explores, from there on it serves."""
    learnt = of(*[(0.97, True)] * 30, *[(0.90, False)] * 10)
    likely = learnt.at_least(0.95)
    assert 0.5 < likely < 0.99
    tau = 1 - 0.010 / (1 - likely)
    assert learnt.decide(0.95, 10, tau - 1e-9) == EXPLORE
    assert learnt.decide(0.95, 10, tau + 1e-9) == SERVE


def test_right_and_wrong_that_can_be_separated() -> None:
    """Far above the border it serves, far below it explores, and in between it is in doubt."""
    learnt = of(*[(0.80 + 0.002 * n, False) for n in range(30)], *[(0.92 + 0.002 * n, True) for n in range(30)])
    assert learnt.at_least(0.99) > 0.98
    assert learnt.at_least(0.80) < 0.01
    assert 0.1 < learnt.at_least(0.90) < 0.9


@settings(max_examples=40, deadline=None)
@given(SEEN, SIMILARITY, SIMILARITY)
def test_more_alike_is_never_less_likely(seen: list[tuple[float, bool]], one: float, other: float) -> None:
    """The bound rises with the similarity, and is a probability."""
    learnt = of(*seen)
    low, high = learnt.at_least(min(one, other)), learnt.at_least(max(one, other))
    assert 0.0 <= low <= high < 1.0


@settings(max_examples=20, deadline=None)
@given(st.integers(LEAST, 20))
def test_a_wrong_one_lowers_the_bound(count: int) -> None:
    """At the place where it was wrong."""
    learnt = of(*[(0.95, True)] * count)
    before = learnt.at_least(0.95)
    learnt.observe(0.95, False)
    assert learnt.at_least(0.95) < before
    assert not learnt.spotless


@settings(max_examples=30, deadline=None)
@given(SEEN)
def test_it_comes_back_from_the_store(seen: list[tuple[float, bool]]) -> None:
    """With the same bounds, but for what a float of 32 bits leaves out."""
    learnt = of(*seen)
    again = decode(learnt.encode())
    assert len(again) == len(learnt)
    assert again.spotless == learnt.spotless
    for similarity in (0.5, 0.9, 1.0):
        assert again.at_least(similarity) == pytest.approx(learnt.at_least(similarity), abs=0.01)


def test_only_the_latest_are_kept() -> None:
    """So memory and time are bounded, and an answer that was wrong long ago is forgiven."""
    learnt = of((0.99, False), *[(0.99, True)] * MOST)
    assert len(learnt) == MOST
    assert learnt.spotless
    assert len(learnt.encode()) == 2 + 5 * MOST


@pytest.mark.parametrize("odd", [float("nan"), float("inf"), -float("inf"), -1.0, 2.0])
def test_odd_similarities_break_nothing(odd: float) -> None:
    """They are brought into 0…1 where they are learnt, and what is no number is never served."""
    learnt = of(*[(odd, True)] * 4, *[(odd, False)] * 4)
    assert 0.0 <= learnt.at_least(0.9) < 1.0
    assert of(*[(0.9, True)] * 20).decide(float("nan"), 10, 0.5) == EXPLORE


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x02\x00", b"\x01\x01", b"\x01\xff" + bytes(5 * 255), b"\x01\x01" + b"\xff" * 5]
)
def test_what_is_corrupt_is_told(data: bytes) -> None:
    """Cut off, of another version, too long, with a label that is none."""
    with pytest.raises(ValueError, match="what was learnt"):
        decode(data)


def test_an_entry_without_a_fault_is_served_from_the_threshold_on() -> None:
    """Also one that was never observed; below it has to earn it, and with a fault above it too."""
    assert Learnt().verdict(0.96, 0.96, 10, 0.0) == SERVE
    assert Learnt().verdict(0.95, 0.96, 10, 0.999) == EXPLORE
    assert of((0.97, False)).verdict(0.99, 0.96, 10, 0.999) == EXPLORE
    assert of((0.9, False), *[(0.93 + 0.001 * n, True) for n in range(40)]).verdict(0.999, 1.1, 30, 0.999) == SERVE


@pytest.mark.parametrize("permille", [10, 30, 100])
def test_the_promise_holds(permille: int) -> None:
    """Of questions that come to the rule at most the promised share is answered wrongly, for entries of every kind."""
    random = Random(permille)
    asked = wrong = 0
    for _ in range(20):
        border, slope = random.uniform(0.75, 1.0), random.choice((15.0, 40.0, 120.0))
        learnt = Learnt()
        for _ in range(50):
            similarity = random.uniform(0.8, 1.0)
            right = random.random() < 1 / (1 + 2.718281828 ** (-slope * (similarity - border)))
            asked += 1
            if learnt.decide(similarity, permille, random.random()) == SERVE:
                wrong += not right
            else:
                learnt.observe(similarity, right)
    assert wrong / asked <= permille / 1_000
