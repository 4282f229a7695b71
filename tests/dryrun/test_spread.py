"""Means over plays, and how far one lies from another."""

import msgspec

from tests.dryrun.days import call, play, policy, provider
from tidegate.dryrun.outcome import ANSWERED, REFUSED, Outcome
from tidegate.dryrun.report import Figures, Spread
from tidegate.dryrun.spread import Means, figures, groups
from tidegate.dryrun.tally import Tally


def tally(refused: int, wait_us: int = 2_000_000, tokens: int = 7, calls: int = 10) -> Tally:
    """Calls of which so many were refused and the others waited so long."""
    found = Tally()
    for n in range(calls):
        if n < refused:
            found.add(call(n), Outcome(REFUSED, "over_quota", "quota"))
        else:
            found.add(call(n), Outcome(ANSWERED, waited_us=wait_us, prompt=tokens, cost_nano=10**12 * tokens))
    return found


def means(*tallies: Tally) -> Means:
    found = Means()
    for one in tallies:
        found.add(one)
    return found


def test_means_and_standard_deviations() -> None:
    """Of every count and time, of each reason, whole numbers where they are calls; as a hand reckons them."""
    mean, spread = means(tally(1), tally(2), tally(6)).of("all", "")
    assert (mean.calls, mean.refused, mean.answered, mean.refusals) == (10, 3, 7, {"over_quota": 3})
    assert (spread.refused, spread.answered, spread.refusals) == (2.646, 2.646, {"over_quota": 2.646})
    assert (mean.prompt_tokens, mean.queued) == (49, 7)
    mean, spread = means(tally(0, 1_000_000), tally(0, 3_000_000)).of("namespace", "")
    assert mean.wait_mean_ms == 2_000
    assert spread.wait_mean_ms == 1_414.214
    assert spread.queued == 0


def test_plays_that_are_the_same_have_no_spread() -> None:
    """None at all, however large the figures are; and of one play none is known."""
    same = means(*[tally(3, 1_234_567, tokens=10**9 + 7) for _ in range(7)])
    assert same.of("all", "") == (figures(tally(3, 1_234_567, tokens=10**9 + 7).all), Spread())
    assert means(tally(3)).of("all", "")[1] == Spread()


def test_a_reason_of_some_plays_counts_as_nothing_in_the_others() -> None:
    """And so does a group that some plays have not."""
    mean, spread = means(tally(0), tally(4)).of("all", "")
    assert (mean.refusals, spread.refusals) == ({"over_quota": 2}, {"over_quota": 2.828})
    assert means(tally(0)).of("namespace", "nobody")[0].calls == 0


def test_a_change_within_chance_is_unsure() -> None:
    """Twice what two draws differ by; what was recorded is one draw that scatters as the plays do."""
    now = means(*(tally(n, calls=100) for n in (40, 50, 60)))  # ± 10: beside one draw 28 are chance, else 20

    def doubted(*before: int, drawn: bool) -> bool:
        was = means(*(tally(n, calls=100) for n in before))
        return "refused" in groups(was, now, drawn=drawn)[0].unsure

    assert [doubted(n, drawn=False) for n in (21, 22, 49, 50, 51, 78, 79)] == [
        False, True, True, False, True, True, False,
    ]  # fmt: skip
    assert [doubted(n, n, drawn=True) for n in (29, 30, 70, 71)] == [False, True, True, False]
    assert [doubted(n - 10, n, n + 10, drawn=True) for n in (21, 22)] == [False, True]


def test_spreads_are_of_the_figures() -> None:
    """Each figure that can differ from play to play has one; in JSON those that are nought are left out."""
    both = set(Figures.__struct_fields__), set(Spread.__struct_fields__)
    assert both[0] - both[1] == {"calls", "unseen"}
    assert both[1] < both[0]
    assert msgspec.json.encode(Spread(queued=2.5)) == b'{"queued":2.5}'
    report = play([call(0)], policy(provider()))
    assert (report.plays, report.all.after_spread, report.all.unsure) == (1, Spread(), ())
