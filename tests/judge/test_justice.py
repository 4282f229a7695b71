"""Fairness is judged over all intervals in which both tenants waited."""

import pytest

from tidegate.judge.justice import backlogs, jain, widest_gap
from tidegate.judge.served import Served, admissions, matched
from tidegate.load.visits import End, Try, Visit

MS = 1_000


def visit(tenant: str, number: int, sent_ms: int, done_ms: int, end: End = End.ANSWERED) -> Visit:
    return Visit(tenant, number, 10, sent_ms * MS, [Try(sent_ms * MS, done_ms * MS, end=end)])


def served(*rows: tuple[int, str, int]) -> list[Served]:
    return [Served(at_ms * MS, tenant, 0, tokens) for at_ms, tenant, tokens in rows]


def test_jains_index():
    """1 when all are alike, 1/n when one has it all."""
    assert jain([3, 3, 3]) == pytest.approx(1)
    assert jain([5, 0, 0, 0]) == pytest.approx(0.25)
    assert jain([]) == 0


def test_the_gap_is_over_the_worst_interval_not_at_the_end():
    """One gets 30 in a row, then the other: even at the end, 30 in between."""
    spans = {"a": [(0, 100 * MS)], "b": [(0, 100 * MS)]}
    rows = served((10, "a", 10), (20, "a", 10), (30, "a", 10), (40, "b", 10), (50, "b", 10), (60, "b", 10))
    assert widest_gap(spans, rows, {}).widest == 30


def test_an_interval_may_begin_anywhere():
    """From b's lead to a's: 10 + 20."""
    spans = {"a": [(0, 100 * MS)], "b": [(0, 100 * MS)]}
    gaps = widest_gap(spans, served((10, "b", 10), (20, "a", 10), (30, "a", 20)), {})
    assert gaps.widest == 30
    assert gaps.between == ("a", "b")


def test_service_while_the_other_did_not_wait_counts_nothing():
    """It came late, and left early."""
    spans = {"a": [(0, 100 * MS)], "b": [(50 * MS, 60 * MS)]}
    assert widest_gap(spans, served((10, "a", 90), (55, "a", 10), (80, "a", 90)), {}).widest == 10


def test_weights_divide_service():
    """Twice the weight, twice the tokens: no gap beyond a call."""
    spans = {"a": [(0, 100 * MS)], "b": [(0, 100 * MS)]}
    rows = served((10, "a", 20), (20, "b", 10), (30, "a", 20), (40, "b", 10))
    assert widest_gap(spans, rows, {"a": 2.0, "b": 1.0}).widest == 10


def test_backlogs_are_what_waited():
    """Overlapping waits are one span; a call that was passed on at once is none."""
    visits = [visit("a", 0, 0, 300), visit("a", 1, 100, 400), visit("b", 0, 0, 3)]
    events = [
        [250 * MS, "k", "m", "a/0", 10, ""],
        [390 * MS, "k", "m", "a/1", 10, ""],
        [2 * MS, "k", "m", "b/0", 1, ""],
    ]
    matches, twice = matched(visits, admissions(events))
    assert backlogs(matches) == {"a": [(20 * MS, 390 * MS)]}
    assert twice == 0
    assert backlogs(matches, 300 * MS) == {"a": [(300 * MS, 390 * MS)]}


def test_calls_admitted_twice_are_counted_and_refusals_are_no_admissions():
    """By tenant and number."""
    events = [[1, "k", "m", "a/0", 10, ""], [2, "k", "m", "a/0", 10, ""], [3, "k", "m", "a/1", 10, "avoidable"]]
    matches, twice = matched([visit("a", 0, 0, 1), visit("a", 1, 0, 1)], admissions(events))
    assert twice == 1
    assert [match.at_us for match in matches] == [1, None]
