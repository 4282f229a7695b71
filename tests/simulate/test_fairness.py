"""How equally tenants were served: gaps over all intervals, Jain's index, max-min shares."""

from itertools import combinations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tidegate.simulate.fairness import Gaps, fair_shares, jain

EVENTS = st.lists(st.tuples(st.sampled_from(["waits", "rests", "served"]), st.integers(0, 3), st.integers(1, 9)))


def slowest(events: list[tuple[str, int, int]], weights: list[float]) -> float:
    """The definition: every interval of every pair that waited throughout."""
    rows: list[tuple[frozenset[int], int, float]] = []
    waiting: frozenset[int] = frozenset()
    for what, who, tokens in events:
        if what == "served":
            rows.append((waiting, who, tokens / weights[who]))
        else:
            waiting = waiting | {who} if what == "waits" else waiting - {who}
            rows.append((waiting, -1, 0.0))
    widest = 0.0
    for one, other in combinations(range(len(weights)), 2):
        for start in range(len(rows)):
            gap = 0.0
            for together, who, tokens in rows[start:]:
                if not {one, other} <= together:
                    break
                gap += tokens if who == one else -tokens if who == other else 0.0
                widest = max(widest, abs(gap))
    return widest


@given(EVENTS)
@example([("waits", 0, 1), ("waits", 1, 1), ("served", 0, 5), ("rests", 1, 1), ("waits", 1, 1), ("served", 0, 5)])
def test_the_widest_gap_is_that_of_the_definition(events: list[tuple[str, int, int]]) -> None:
    """One pass finds what a search of all pairs and all intervals finds."""
    weights = [1.0, 1.0, 2.0, 4.0]
    gaps = Gaps([0, 0, 0, 0], weights)
    waiting: set[int] = set()
    kept = []
    for what, who, tokens in events:
        if (what == "waits") == (who in waiting) and what != "served":
            continue  # as the tally tells it: only what changes
        kept.append((what, who, tokens))
        if what == "waits":
            waiting.add(who)
            gaps.waits(who)
        elif what == "rests":
            waiting.discard(who)
            gaps.rests(who)
        else:
            gaps.served(who, tokens)
    assert gaps.widest == pytest.approx(slowest(kept, weights))


def test_only_those_of_a_tier_are_compared() -> None:
    """That a higher tier goes first is no gap."""
    gaps = Gaps([0, 1], [1.0, 1.0])
    gaps.waits(0)
    gaps.waits(1)
    for _ in range(5):
        gaps.served(0, 100)
    assert gaps.widest == 0
    assert gaps.largest_call == 100


def test_a_gap_is_told_in_largest_calls() -> None:
    """Two calls of the largest size on end are two; nothing served is none."""
    gaps = Gaps([0, 0], [2.0, 2.0])
    assert gaps.ratio == 0
    gaps.waits(0)
    gaps.waits(1)
    gaps.served(0, 100)
    gaps.served(0, 100)
    assert gaps.widest == 100
    assert gaps.ratio == 2


def test_jain() -> None:
    """All alike is 1, one that has all is 1/n, nothing at all is fair."""
    assert jain([3.0, 3.0, 3.0]) == pytest.approx(1)
    assert jain([1.0, 0.0, 0.0, 0.0]) == pytest.approx(0.25)
    assert jain([]) == 1


@given(st.lists(st.tuples(st.integers(1, 1_000), st.integers(1, 8)), min_size=1, max_size=12), st.integers(0, 5_000))
def test_max_min_shares(wishes: list[tuple[int, int]], capacity: int) -> None:
    """Nobody gets more than it asked, nothing is left while somebody wants more, and who is cut is cut alike."""
    asked, weights = [float(wish) for wish, _ in wishes], [float(weight) for _, weight in wishes]
    shares = fair_shares(asked, weights, capacity)
    assert sum(shares) == pytest.approx(min(capacity, sum(asked)))
    cut = [share / weight for share, wish, weight in zip(shares, asked, weights, strict=True) if share < wish - 1e-6]
    level = max(cut, default=0.0)
    assert all(share <= wish + 1e-6 for share, wish in zip(shares, asked, strict=True))
    assert min(cut, default=level) == pytest.approx(level)
    assert all(share / weight <= level + 1e-6 for share, weight in zip(shares, weights, strict=True)) or not cut
