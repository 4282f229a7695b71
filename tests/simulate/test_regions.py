"""Regions in virtual time: nothing goes over, whatever fails, and the judge would see it."""

from random import Random

import pytest

from tidegate.policy.regions.party import Party
from tidegate.simulate.regions.plan import WINDOW_US, Plan, demand, troubles
from tidegate.simulate.regions.run import Provider, Run
from tidegate.simulate.regions.table import render
from tidegate.units import SECOND_US

SHORT = Plan(regions=4, duration_s=150.0, lease_us=4 * SECOND_US, beat_us=SECOND_US // 2)


@pytest.mark.parametrize("seed", range(2))
def test_nothing_goes_over_whatever_fails(seed: int) -> None:
    """And at least as much is used as parts and demand allow."""
    found = Run(SHORT, seed).play()
    assert found.over_tokens == 0
    assert found.largest_sum_ppm <= 1_000_000
    assert found.used >= found.least > found.equal / 2
    assert (found.cuts, found.pauses, found.restarts) == (5, 4, 4)


def test_without_trouble_parts_follow_the_day() -> None:
    """Far more is used than by parts that never move."""
    found = Run(SHORT._replace(troubled=False), 1).play()
    assert found.used >= found.least > 75
    assert found.used > found.equal + 5
    assert found.moves > 20


def test_the_same_seed_gives_the_same_figures() -> None:
    """To the last call."""
    plan = SHORT._replace(duration_s=120.0, regions=3)
    assert Run(plan, 3).play() == Run(plan, 3).play()


def test_a_rule_that_waits_for_no_lease_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts in force are more than the whole, and the provider is overrun."""
    monkeypatch.setattr(Party, "lapse_us", property(lambda _: SECOND_US))
    found = Run(SHORT._replace(lease_us=12 * SECOND_US), 1).play()
    assert found.largest_sum_ppm > 1_000_000
    assert found.over_tokens > 0


def test_the_provider_counts_to_the_token() -> None:
    """A full bucket, and one token more."""
    provider = Provider(100)
    provider.sent(100, 0)
    provider.tick(0)
    assert provider.over == 0
    provider.sent(51, WINDOW_US // 2)
    provider.tick(WINDOW_US // 2)
    assert provider.over == 1


def test_the_plan_is_what_is_promised() -> None:
    """Ten regions and 100,000 calls a second in all; each is cut off, paused and restarted."""
    plan = Plan()
    assert plan.regions == 10
    assert sum(demand(plan, region, 7.0) for region in range(10)) == pytest.approx(100_000)
    found = troubles(plan, Random(1))
    assert all(sum(trouble.region == region for trouble in found) == 3 for region in range(10))


def test_the_table_has_a_column_for_each_run() -> None:
    """Beside the names of its rows."""
    figures = Run(SHORT._replace(duration_s=5.0, troubled=False), 1).play()
    assert len(render([("one", figures), ("two", figures)]).columns) == 3
