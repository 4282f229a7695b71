"""The engine: what arrives, what is sent, what fails."""

import pytest
from msgspec.structs import replace

from tests.simulate.scenes import calls, ended, play, small
from tidegate.load.trace import TraceRow
from tidegate.simulate.run import Run
from tidegate.simulate.scenario import DISCIPLINES, Discipline, Fault, Group


@pytest.mark.parametrize("scheduler", DISCIPLINES)
def test_a_pool_under_load_gives_all_it_has(scheduler: Discipline) -> None:
    """Twice the quota is asked, and of the quota all is used, without one 429."""
    report = play(small(seconds=60), scheduler)
    assert report.throttled == 0
    assert report.use == pytest.approx(1, abs=0.03)
    assert report.answered == report.asked  # with time enough


def test_below_the_quota_nobody_waits_once_the_buckets_hold_a_call() -> None:
    """At a quarter of the quota the median call passes at once."""
    report = play(small(calls("g", 0.5), seconds=120))
    assert report.answered == report.asked
    assert report.groups[0].wait_p50_s == 0


def test_what_cannot_be_served_in_time_is_refused_at_once() -> None:
    """A named time comes with the refusal, and what is accepted is answered in time."""
    report = play(small(calls("g", 8, deadline_s=15), seconds=60))
    assert report.refused > 100
    assert report.named_p50_s > 1
    assert report.groups[0].longest_s <= 15
    assert ended(report) == report.asked


def test_a_call_too_large_for_any_account_is_refused() -> None:
    """No waiting helps, so no time is named."""
    report = play(small(calls("g"), tpm=500))
    assert report.refused == report.asked
    assert report.named_p50_s == 0


def test_a_lost_account_is_left_alone() -> None:
    """Its calls go to the other one; when both are lost, they fail or are refused, and none hangs."""
    one = play(small(calls("g", 0.5), faults=(Fault("account", 5, scope="a-1"),), seconds=40))
    assert one.answered == one.asked
    both = play(small(calls("g", 0.5, deadline_s=10), faults=(Fault("account", 5),), seconds=40))
    assert both.answered < both.asked == ended(both)


def test_an_overloaded_provider_answers_again_afterwards() -> None:
    """Calls wait for the end of it, as long as their deadlines allow."""
    report = play(small(calls("g", 0.5), faults=(Fault("overload", 5, 5),), seconds=60))
    assert report.answered > 0.8 * report.asked
    assert ended(report) == report.asked


def test_a_limit_that_is_halved_costs_no_avoidable_429() -> None:
    """The gate follows what replies show."""
    report = play(small(faults=(Fault("limits", 20, 20),), seconds=60))
    assert report.avoidable == 0
    assert report.answered == report.asked


def test_what_others_use_is_seen_in_replies() -> None:
    """A third of each quota is somebody else's: what is left is used, and hardly a call is refused."""
    scene = small(calls("g", 30), tpm=900_000, seconds=90)
    pool = replace(scene.pool, scopes=(replace(scene.pool.scopes[0], others=0.33),))
    report = play(replace(scene, pool=pool, warmup_s=30))
    assert report.avoidable == 0
    assert report.throttled <= report.answered / 100
    assert report.use == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize(("retry", "most"), [("none", 1), ("return", 2), ("sdk", 3), ("hammer", 5)])
def test_clients_ask_again_as_they_do(retry: str, most: int) -> None:
    """Each wish is refused at most as often as its client asks, and counts once."""
    group: Group = calls("g", 20, deadline_s=3, retry=retry, tries=5)
    report = play(small(group, seconds=20))
    assert ended(report) == report.asked
    assert report.refused <= report.refusals <= most * report.asked
    assert (report.refusals > report.refused) == (retry != "none")
    assert report.returned or retry in {"none", "hammer"}
    assert retry != "none" or not report.returned


def test_a_trace_takes_the_place_of_the_patterns() -> None:
    """Every row is one call."""
    rows = [TraceRow(number * 1_000_000, 500, 100) for number in range(20)]
    report = Run(small(), "dynamic", 1, rows).play()
    assert report.asked == report.answered == 20


def test_moments_add_up_to_the_whole() -> None:
    """What is told over time is what is told in all, up to what ended after the last moment."""
    report = play(small(seconds=60))
    assert [moment.at_s for moment in report.moments] == [5.0 * number for number in range(12)]
    assert sum(moment.asked for moment in report.moments) == report.asked
    assert sum(moment.answered for moment in report.moments) <= report.answered
    assert sum(moment.quota for moment in report.moments) == pytest.approx(120_000, rel=0.01)
    assert report.moments[-1].waiting > 0
