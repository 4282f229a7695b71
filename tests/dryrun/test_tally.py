"""Sums, quantiles and episodes."""

from tests.dryrun.days import MORNING, SECOND, call, refused
from tidegate.dryrun.episodes import Episodes
from tidegate.dryrun.outcome import ANSWERED, FAILED, GONE, HIT, REFUSED, UNSEEN, Outcome, recorded
from tidegate.dryrun.report import findings
from tidegate.dryrun.tally import OTHER, Tally, Waits
from tidegate.model.arrivals import Asked


def test_what_happened_is_read_from_the_record() -> None:
    """How each kind of call ended, in the words of a dry run."""
    lost = (Asked("openai", "main", "m", 0, 1, 429, "rate"),)
    for arrival, end, why in (
        (call(0), ANSWERED, ""),
        (call(0, hit="exact"), HIT, ""),
        (refused(0), REFUSED, "over_quota"),
        (refused(0, status=503), REFUSED, "queue_full"),
        (refused(0, why="limited tenant_exhausted refused over_quota"), REFUSED, "tenant_exhausted"),
        (refused(0, why="limited refused over_quota"), REFUSED, "over_quota"),
        (refused(0, status=503, why="moved refused deadline"), REFUSED, "deadline"),
        (refused(0, attempts=1, tries=lost), FAILED, ""),
        (call(0, status=502), FAILED, ""),
        (call(0, status=499), GONE, ""),
        (refused(0, status=0), UNSEEN, ""),
        (refused(0, status=418), REFUSED, "status_418"),
    ):
        outcome = recorded(arrival)
        assert (outcome.end, outcome.why) == (end, why)
    assert recorded(refused(0, attempts=1, tries=lost)).throttled == 1


def test_quantiles_are_one_per_cent_off_at_most() -> None:
    """Also of two sums put together."""
    one, other = Waits(), Waits()
    for n in range(1, 10_001):
        (one if n % 2 else other).add(n * 1_000)
    one.merge(other)
    assert one.mean == 5_000_500
    for permille in (500, 950, 990):
        assert abs(one.quantile(permille) / (permille * 10_000) - 1) < 0.011
    assert Waits().quantile(990) == 0


def test_names_are_bounded() -> None:
    """Beyond so many, calls are of no name, and none is lost."""
    tally = Tally()
    for n in range(3_000):
        tally.add(call(0, namespace=f"ns-{n}"), Outcome(ANSWERED))
    assert tally.all.calls == 3_000
    assert len(tally.by("namespace")) <= 2_001
    assert tally.by("namespace")[OTHER].calls == 1_000


def test_refusals_that_are_far_apart_are_two_episodes() -> None:
    """Each from its first call to its last, with how many had been answered."""
    episodes = Episodes()
    for second in (0, 60, 120, 3_000, 3_060):
        arrival = refused(second, namespace="team")
        episodes.add(arrival, Outcome(REFUSED, "over_quota", "quota of x"), ANSWERED if second else REFUSED)
    first, other = findings(episodes)
    assert (first.calls, first.answered, (first.last_us - first.first_us) // SECOND) == (3, 2, 120)
    assert (other.calls, other.answered, other.namespace) == (2, 2, "team")


def test_episodes_of_several_plays_are_put_together() -> None:
    """By their moments, whichever play they are of; of each as many calls as a play has on average."""
    episodes = Episodes()
    for seconds in ((0, 60, 3_000), (0, 30, 90, 1_500, 3_000), (60, 3_000)):
        for second in seconds:
            episodes.add(refused(second), Outcome(REFUSED, "over_quota", "quota of x"), ANSWERED)
    found = [
        (one.calls, (one.first_us - MORNING) // SECOND, (one.last_us - MORNING) // SECOND)
        for one in findings(episodes, 3)
    ]
    assert found == [(2, 0, 90), (1, 3_000, 3_000)]  # one call in three plays is none


def test_what_a_call_between_two_episodes_has_brought_together_is_one() -> None:
    """Also where there are as many episodes as are kept: then the nearest takes what is far from all."""
    episodes = Episodes()
    for second in (0, 1_000, 500):
        episodes.add(refused(second), Outcome(REFUSED, "over_quota", "quota of x"), REFUSED)
    (one,) = findings(episodes)
    assert (one.calls, one.answered, (one.last_us - one.first_us) // SECOND) == (3, 0, 1_000)
    for second in range(10_000, 40_000, 1_000):
        episodes.add(refused(second), Outcome(REFUSED, "over_quota", "quota of x"), REFUSED)
    found = findings(episodes)
    assert (len(found), sum(one.calls for one in found)) == (8, 33)
