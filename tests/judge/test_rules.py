"""Scores, by the table of docs/judge.md."""

import pytest

from tidegate.judge import rules
from tidegate.judge.rules import Measure, Verdict


@pytest.mark.parametrize(
    ("measure", "score"),
    [
        (rules.share("s", 3, 4), 75),
        (rules.share("s", 0, 0), 0),
        (rules.over_limit("o", 0, 120, "requests", 1), 100),
        (rules.over_limit("o", 1, 120, "requests", 1), 100),
        (rules.over_limit("o", 12, 120, "requests", 1), 90),
        (rules.over_limit("o", 240, 120, "requests", 1), 0),
        (rules.avoidable(0, 0), 100),
        (rules.avoidable(30, 120), 75),
        (rules.used(98.5, 1.0), 98.5),
        (rules.used(99.2, 1.0), 100),
        (rules.used(103, 1.0), 100),
        (rules.amplification(0, 100), 100),
        (rules.amplification(100, 100), 50),
        (rules.amplification(400, 100), 20),
        (rules.recovery(7.0, 5.0), 100),
        (rules.recovery(33.5, 5.0), 50),
        (rules.recovery(61.0, 5.0), 0),
        (rules.books("b", 1_001, 1_000), 100),
        (rules.books("b", 1_100, 1_000), 0),
        (rules.books("b", 0, 1_000), 0),
        (rules.revoked(0.3), 100),
        (rules.revoked(30.5), 50),
        (rules.revoked(80.0), 0),
    ],
)
def test_a_figure_has_its_score(measure: Measure, score: float) -> None:
    """Each formula at its ends and in between."""
    assert measure.score == pytest.approx(score, abs=0.01)


def test_nobody_makes_up_for_one_measure_by_another() -> None:
    """Who refuses everybody breaks no limit and has nothing, since quota used is 0."""
    found = (rules.over_limit("o", 0, 120, "requests", 1), rules.avoidable(0, 0), rules.used(0, 1))
    assert Verdict("requests", found).score == 0
    assert Verdict("x", (Measure("a", 1, score=50), Measure("b", 1, score=72), Measure("c", 1))).score == 60


def test_what_does_not_apply_is_no_zero() -> None:
    """It counts neither for nor against; and where nothing applies there is no score at all."""
    some = [Verdict("a", (Measure("m", 1, score=80),)), Verdict("b", why_not="it has no keys")]
    assert rules.overall(some) == 80
    assert rules.overall(some[1:]) is None
    assert rules.mark(None) == "–"


@pytest.mark.parametrize(("score", "letter"), [(100, "A"), (95, "A"), (94.9, "B"), (60, "C"), (40, "D"), (39.9, "E")])
def test_marks(score: float, letter: str) -> None:
    """A letter covers a range, its lower end included."""
    assert rules.mark(score) == letter


def test_an_interval_is_wide_where_little_was_seen() -> None:
    """Wilson's: 11 of 11 are no proof of 100 %, and 1,100 of 1,100 nearly are."""
    assert rules.wilson(11, 11) == pytest.approx((74.1, 100), abs=0.1)
    assert rules.wilson(1_100, 1_100)[0] > 99.6
    assert rules.wilson(0, 0) == (0, 100)
