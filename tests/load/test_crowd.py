"""Many tenants' arrivals: rates, pauses, order, and that nobody disturbs another."""

from itertools import pairwise

import pytest

from tidegate.load.crowd import Arrival, Member, arrivals

SECOND = 1_000_000


def calls_of(name: str, calls: list[Arrival]) -> list[Arrival]:
    return [call for call in calls if call.member.name == name]


def test_each_tenant_has_its_rate():
    """Ten and one a second for 300 s, within what chance allows."""
    calls = list(arrivals([Member("many", "k1", 10.0), Member("few", "k2", 1.0)], 300, seed=1))
    assert len(calls_of("many", calls)) == pytest.approx(3_000, rel=0.08)
    assert len(calls_of("few", calls)) == pytest.approx(300, rel=0.2)


def test_they_come_in_order_and_numbered():
    """Over all tenants, and each tenant counts its own."""
    calls = list(arrivals([Member("a", "k1", 5.0), Member("b", "k2", 5.0)], 60, seed=1))
    assert all(one.at_us <= other.at_us for one, other in pairwise(calls))
    assert [call.number for call in calls_of("a", calls)] == list(range(len(calls_of("a", calls))))
    assert calls_of("a", calls)[3].user == "a/3"


def test_a_pause_is_silent():
    """Ten seconds on, twenty off."""
    calls = list(arrivals([Member("a", "k", 20.0, on_s=10, off_s=20)], 300, seed=2))
    assert max(call.at_us % (30 * SECOND) for call in calls) < 10 * SECOND
    assert len(calls) == pytest.approx(2_000, rel=0.1)


def test_another_tenant_changes_nobodys_calls():
    """Each has chances of its own."""
    alone = list(arrivals([Member("a", "k1", 5.0)], 60, seed=3))
    together = list(arrivals([Member("b", "k2", 50.0), Member("a", "k1", 5.0)], 60, seed=3))
    assert calls_of("a", together) == alone


def test_costs_are_spread_as_stated():
    """2,000 ± half of it; without a spread all are the same."""
    costs = [call.tokens for call in arrivals([Member("a", "k", 50.0, 2_000, 0.5)], 60, seed=1)]
    assert min(costs) >= 1_000
    assert max(costs) <= 3_000
    assert sum(costs) / len(costs) == pytest.approx(2_000, rel=0.05)
    assert {call.tokens for call in arrivals([Member("a", "k", 5.0, 700)], 60, seed=1)} == {700}


def test_a_tenant_without_a_rate_is_silent():
    """No division by it either."""
    assert not list(arrivals([Member("a", "k", 0.0)], 60, seed=1))
