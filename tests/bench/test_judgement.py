"""What counts as met."""

import subprocess
import sys

import pytest

from bench.figures import Figure, at_least, at_most, below, exactly, missing, told
from bench.load import WrkResult
from bench.proofs.steps import Row
from bench.throughput import Measured, Sample
from harness import cpu


@pytest.mark.parametrize(
    ("figure", "met"),
    [
        (at_most("a", 3.5, 3.5), True),
        (at_most("a", 3.51, 3.5), False),
        (below("a", 1.0, 1.0), False),
        (below("a", 0.99, 1.0), True),
        (at_least("a", 96.9, 97), False),
        (at_least("a", 97, 97), True),
        (exactly("a", 5, 5), True),
        (exactly("a", 4, 5), False),
        (missing("a", "≤ 1", "no gate"), None),
    ],
)
def test_figures_judge_at_their_edges(figure: Figure, met: bool | None) -> None:
    """Each comparison holds at its bound as its sign says."""
    assert figure.met is met


@pytest.mark.parametrize(
    ("figures", "met"),
    [
        ([], None),
        ([told("a", "said")], True),
        ([exactly("a", 1, 1), told("b", "said")], True),
        ([exactly("a", 1, 1), missing("b", "≤ 1", "no gate")], None),
        ([missing("b", "≤ 1", "no gate"), exactly("a", 0, 1)], False),
    ],
)
def test_a_row_is_met_only_when_everything_was_measured_and_met(figures: list[Figure], met: bool | None) -> None:
    """One miss decides; else what could not be measured leaves the row open."""
    assert Row("a promise", figures=figures).met is met


def wrk(requests: int, not_2xx: int = 0) -> WrkResult:
    return WrkResult(requests, 1_000_000, 0, 0, 0, not_2xx, 0)


def test_ratios_pair_the_rounds() -> None:
    """A slow round of both is no slow system: each round is compared with itself."""
    nginx = Measured("nginx", samples=[Sample(10, 0, wrk(9)), Sample(30, 0, wrk(9))])
    ours = Measured("ours", samples=[Sample(30, 20, wrk(9)), Sample(90, 60, wrk(9))])
    assert ours.ratios(nginx) == [3.0, 3.0]
    assert ours.ratios(nginx, worker=True) == [2.0, 2.0]


@pytest.mark.parametrize(
    "measured",
    [
        Measured("peer", failed="does not start"),
        Measured("peer"),
        Measured("peer", samples=[Sample(1, 0, wrk(9)), Sample(1, 0, wrk(9, not_2xx=2))]),
        Measured("peer", samples=[Sample(1, 0, wrk(9)), Sample(1, 0, wrk(0))]),
    ],
)
def test_a_system_that_failed_has_no_figure(measured: Measured) -> None:
    """What did not start, answered wrongly or not at all, is told and never turned into a ratio."""
    fine = Measured("nginx", samples=[Sample(1, 0, wrk(9)), Sample(1, 0, wrk(9))])
    assert measured.problem
    assert measured.ratios(fine) == fine.ratios(measured) == []


def test_cpu_of_a_child_that_ended_counts() -> None:
    """A tree's CPU includes what its reaped children spent."""
    program = (
        "import subprocess, sys; subprocess.run([sys.executable, '-c', 'sum(range(6_000_000))']); print(); input()"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        alone, whole = cpu.spent_us(child.pid, whole_tree=False), cpu.spent_us(child.pid)
        child.communicate(b"\n")
    assert whole > alone
