"""What the proof of the semantic cache counts with."""

import pytest

from bench.proofs.caching.meaning.bounds import upper
from bench.proofs.caching.meaning.compared import Compared, at_rate, curve, verdicts
from bench.proofs.caching.meaning.intents import questions
from bench.proofs.caching.meaning.pairs import Pair, halves


@pytest.mark.parametrize(
    ("bad", "count", "share"),
    [(0, 0, 1.0), (0, 300, 0.00994), (1, 100, 0.0466), (5, 5, 1.0), (3, 1_000, 0.00773)],
)
def test_the_upper_bound_is_clopper_and_pearsons(bad: int, count: int, share: float) -> None:
    """One-sided, 95 %: the published values."""
    assert upper(bad, count) == pytest.approx(share, rel=0.01)


def test_halves_share_no_question() -> None:
    """Also where two pairs are joined by a third."""
    pairs = [Pair(f"q{n}", f"q{n + 1 if n % 5 else n}x", same=True) for n in range(200)]
    pairs += [Pair(f"q{n + 1}x", f"q{n + 2}", same=False) for n in range(0, 200, 7)]
    calibrate, test = halves(pairs)
    assert len(calibrate) + len(test) == len(pairs)
    assert min(len(calibrate), len(test)) > 20
    assert {text for pair in calibrate for text in (pair.a, pair.b)}.isdisjoint(
        text for pair in test for text in (pair.a, pair.b)
    )


def test_a_curve_counts_from_the_top() -> None:
    """Hits and false ones at each threshold, as judged in the data and again; what the gate refuses never hits."""
    pairs = [
        Compared("en", same=True, ours=True, similarity=0.99, why=""),
        Compared("en", same=False, ours=True, similarity=0.98, why=""),
        Compared("en", same=False, ours=False, similarity=0.97, why="number"),
        Compared("en", same=True, ours=True, similarity=0.96, why="more"),
    ]
    plain, gate = curve(pairs, None), curve(pairs, 0.03)
    assert [(point.false, point.corrected) for point in plain] == [(0, 0), (1, 0), (2, 1), (2, 1)]
    assert [(point.false, point.corrected) for point in gate] == [(0, 0), (1, 0), (1, 0)]
    assert gate[-1].threshold == pytest.approx(0.93)
    found = at_rate(gate, 0.5)
    assert found is not None
    assert found.threshold == 0.99
    assert at_rate(curve(pairs[2:3] + pairs[:1], 0.0), 1.1) is None


def test_made_up_questions_mean_what_their_slot_says() -> None:
    """There are many, in both languages, and nearly all texts have one meaning."""
    asked = list(questions())
    texts = {one.text for one in asked}
    assert len(texts) > 1_000
    assert len({one.meaning for one in asked}) > 300
    assert len(asked) - len(texts) < 30
    assert not any("{" in text for text in texts)


def test_verdicts_name_pairs_by_digest() -> None:
    """None carries a text of the data."""
    assert len(verdicts()) > 50
    assert all(len(name) == 12 and int(name, 16) >= 0 for name in verdicts())
