"""A dry run's means against means of real runs: how far they are apart, and what chance makes of it."""

from bench.proofs.drills.dryrun import Draws, compared, drawn, played


def test_the_error_is_that_of_both_means() -> None:
    """Of the scatter of one play and of one run, by how many there were; in per cent of the truth."""
    real = drawn([95, 100, 105, 100])
    assert (real.mean, round(real.by, 3), real.of) == (100, 4.082, 4)
    apart, error = compared("queued calls", Draws(101, 6, 16), real, quick=False)
    assert (apart.value, apart.met) == (1, True)
    assert round(error.value or 0, 2) == 2.53
    assert error.met is False
    assert "plays 101 ± 6 (16), real runs 100 ± 4 (4)" in apart.note


def test_a_quick_run_allows_for_its_own_error_and_says_so() -> None:
    """Two per cent and twice the standard error; what is beyond is not met."""
    real = drawn([98, 102])
    near, far = (compared("refused", Draws(mean, 0, 2), real, quick=True) for mean in (105, 107))
    assert ([one.met for one in near], [one.met for one in far]) == ([True], [False])
    assert near[0].target == "≤ 6 %"
    assert "twice that is allowed" in near[0].note


def test_a_report_tells_its_draws() -> None:
    """A figure without a spread has none."""
    found = {"plays": 5, "groups": [{"after": {"queued": 7, "refused": 3}, "after_spread": {"queued": 0.5}}]}
    assert (played(found, "queued"), played(found, "refused")) == (Draws(7, 0.5, 5), Draws(3, 0.0, 5))
