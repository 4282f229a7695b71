"""A policy is played several times: the first as recorded, the others a hair's breadth beside it."""

import msgspec
import pytest

from tests.dryrun.days import call, edge, on_edge, policy, provider
from tidegate.dryrun.past import Past
from tidegate.dryrun.play import Play
from tidegate.dryrun.report import Report, Spread
from tidegate.dryrun.run import PLAYS, dry_run, plays_within
from tidegate.model.arrivals import Arrival

DAY = on_edge()


@pytest.fixture(scope="module")
def report() -> Report:
    return dry_run(DAY, edge(), plays=3)


def test_an_overloaded_day_has_a_spread(report: Report) -> None:
    """Of who queues and how long; what cannot differ has none, and what was recorded has none that is known."""
    whole = report.all
    assert report.plays == 3
    assert whole.after_spread.queued > 1
    assert whole.after_spread.wait_mean_ms > 0
    assert (whole.after_spread.answered, whole.before_spread.queued) == (0, 0)
    assert report.notes[0].startswith("Played 3 times")


def test_the_same_command_says_the_same(report: Report) -> None:
    """To the last digit; and what is drawn goes with the seed."""
    again = dry_run(list(DAY), edge(), plays=3)
    assert msgspec.json.encode(again) == msgspec.json.encode(report)
    other = dry_run(DAY, edge(), plays=2, seed=1).all.after_spread
    assert other != dry_run(DAY, edge(), plays=2).all.after_spread


def test_one_play_is_as_recorded(report: Report) -> None:
    """What it always was, and says that no spread is known; the mean of several lies beside it, within chance."""
    once = dry_run(DAY, edge())
    assert once.notes[0].startswith("Played once")
    assert once.all.after_spread == Spread()
    assert 0 < abs(once.all.after.queued - report.all.after.queued) < 4 * report.all.after_spread.queued


def test_what_hangs_on_no_hair_is_the_same_in_all_plays() -> None:
    """Without contention figures have no spread, and nothing is unsure."""
    quiet = dry_run([call(2 * n) for n in range(40)], policy(provider(rpm=600)), plays=3).all
    assert (quiet.before, quiet.unsure) == (quiet.after, ())
    assert msgspec.json.encode(quiet.after_spread) == b"{}"


def test_both_policies_are_played_and_compared() -> None:
    """A policy beside itself: each has its spread, they meet the same draws, and so nothing changes."""
    same = dry_run(DAY, edge(), against=edge(), plays=2)
    assert same.all.before_spread == same.all.after_spread != Spread()
    assert (same.all.before, same.all.unsure) == (same.all.after, ())


def test_refusals_are_told_as_many_as_a_play_has() -> None:
    """Each rule once, over all plays, with the mean of its calls."""
    report = dry_run([call(n / 180) for n in range(180)], policy(provider(rpm=60)), plays=3)
    assert report.all.after.refused == 120
    assert [(one.rule, one.calls, one.answered) for one in report.findings] == [("quota of openai/gpt-4o", 120, 120)]


def test_calls_come_up_to_half_a_millisecond_later_in_their_order() -> None:
    """All by their own, and never before those that came before them."""
    day = [call(n / 1_000) for n in range(300)]
    snapshot = policy(provider())
    past, seen = Past(day, (snapshot,), 0), list[tuple[int, int]]()
    one = Play(snapshot, past, lambda _arrival, _outcome: None, nth=1)
    begin = one._begin

    def watched(arrival: Arrival, gate: object) -> object:
        seen.append((arrival.at_us, one._clock.wall() - arrival.at_us))
        return begin(arrival, gate)  # type: ignore[arg-type]

    one.__class__ = type("Watched", (Play,), {"_begin": staticmethod(watched), "__slots__": ()})
    one.play(day)
    assert [at for at, _ in seen] == [arrival.at_us for arrival in day]
    assert 0 <= min(by for _, by in seen) < 50
    assert 450 < max(by for _, by in seen) < 500
    assert len({by for _, by in seen}) > 100


def test_how_often_is_counted_in_calls() -> None:
    """Not in seconds, which no report may hang on: five times, of many calls less often, never less than asked for."""
    assert [plays_within(60_000, calls) for calls in (0, 12_000, 12_001, 30_000, 30_001, 10**7)] == [5, 5, 4, 2, 1, 1]
    assert plays_within(60_000, 10**7, 2) == 2
    assert PLAYS == 5
