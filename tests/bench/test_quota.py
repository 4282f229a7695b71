"""What can be used of a quota at most, and what was."""

import pytest

from bench.proofs.fleet import CALL, Quota
from bench.proofs.quota.used import SECONDS, fixed_bound, second_bound, tenants, used


def test_of_a_second_whole_calls_are_used() -> None:
    """Eight of the usual size, six where others take three tenths; one that is a token too large costs a place."""
    assert second_bound(jitter_s=0) == pytest.approx(100, abs=0.1)
    assert second_bound(CALL + 1, jitter_s=0) == pytest.approx(100 * 7 / 8, abs=0.1)
    assert second_bound(CALL, ghost=30, jitter_s=0) == pytest.approx(100 * 5 * CALL / (0.7 * 1e6 / 60))
    assert second_bound(20_000) == 0


def test_jitter_costs_its_part_of_the_window() -> None:
    """And of a whole minute a call more."""
    assert second_bound(jitter_s=0.25) == pytest.approx(second_bound(jitter_s=0) / 1.25)
    assert fixed_bound(jitter_s=0.6) == pytest.approx((100 - CALL / 10_000) / 1.01)


def test_what_is_promised_is_possible() -> None:
    """No case asks for more than its bound."""
    assert all(case.least < second_bound(case.call, ghost=case.quota.ghost) for case in SECONDS)
    assert 0.99 * fixed_bound() < fixed_bound() < 100


def test_a_crowd_offers_so_many_times_the_quota_and_others_have_their_part() -> None:
    """By its calls' own size; what is used is held against what others leave."""
    quota = Quota(ghost=30)
    offered = sum(one.rate * one.tokens for one in tenants(quota, 3, tokens=1_944))
    assert offered == pytest.approx(3 * quota.per_second) == pytest.approx(140_000)
    assert used([0, 46_667, 46_666, 0], quota, 1, 3) == pytest.approx(100, abs=0.01)
