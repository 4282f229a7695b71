"""When calls come and how large they are."""

from collections import Counter
from itertools import pairwise

import pytest

from tidegate.load.trace import TraceRow
from tidegate.simulate.arrivals import Arrival, arrivals, rate_at, replayed
from tidegate.simulate.scenario import Group, Pattern, Point, Size
from tidegate.simulate.tenants import parties
from tidegate.units import SECOND_US


def drawn(group: Group, seconds: int = 100, seed: int = 1) -> list[Arrival]:
    return list(arrivals(parties((group,))[0], seed, seconds * SECOND_US))


@pytest.mark.parametrize("kind", ["steady", "poisson", "on_off", "curve"])
def test_arrivals_are_in_order_and_the_same_again(kind: str) -> None:
    """Twice from a seed the same, from another one not, and time only goes forward."""
    points = (Point(0, 0.5), Point(50, 2.0)) if kind == "curve" else ()
    group = Group("g", Pattern(kind=kind, rate=20, points=points), count=3, prompt=Size(100, 0.5))  # type: ignore[arg-type]
    once = drawn(group)
    assert [call.at for call in once] == sorted(call.at for call in once)
    assert [call[2:] for call in once] == [call[2:] for call in drawn(group)]
    assert [call.at for call in once] != [call.at for call in drawn(group, seed=2)]
    assert all(0 <= call.at < 100 * SECOND_US for call in once)


def test_steady_goes_from_tenant_to_tenant() -> None:
    """At equal distances, each in its turn."""
    calls = drawn(Group("g", Pattern(kind="steady", rate=4), count=4), 10)
    assert len(calls) == 40
    assert {after.at - before.at for before, after in pairwise(calls)} <= {
        249_999,
        250_000,
        250_001,
    }
    assert [call.tenant for call in calls[:5]] == [0, 1, 2, 3, 0]


def test_rates_are_met() -> None:
    """Each pattern brings as many calls as its rate says, give or take a tenth."""
    for pattern, expected in (
        (Pattern(rate=50), 5_000),
        (Pattern(kind="on_off", rate=90, on_s=10, off_s=20), 90 * 40),
        (Pattern(kind="curve", rate=10, points=(Point(0, 0), Point(100, 10))), 5_000),
        (Pattern(rate=50, from_s=20, to_s=60), 2_000),
    ):
        assert len(drawn(Group("g", pattern))) == pytest.approx(expected, rel=0.1)


def test_a_curve_is_drawn_between_its_points() -> None:
    """Evenly between two, as the last one after it, as the first one before it."""
    pattern = Pattern(kind="curve", rate=2, points=(Point(10, 1), Point(20, 3)))
    assert [rate_at(pattern, at) for at in (0, 10, 15, 20, 99)] == [2, 2, 4, 6, 6]


def test_skew_makes_a_few_call_much() -> None:
    """With a skew of 1 the first of a hundred calls about ten times as often as the tenth."""
    counts = Counter(call.tenant for call in drawn(Group("g", Pattern(rate=200), count=100, skew=1)))
    assert counts[0] == pytest.approx(10 * counts[9], rel=0.35)
    assert max(counts) <= 99


def test_sizes_have_their_mean_and_their_most() -> None:
    """Log-normal sizes average what is stated and never exceed the most; sigma 0 is a constant."""
    calls = drawn(Group("g", Pattern(rate=100), prompt=Size(400, 0.5), output=Size(100, 1, 150)))
    assert sum(call.prompt for call in calls) / len(calls) == pytest.approx(400, rel=0.05)
    assert max(call.output for call in calls) == 150
    assert {call.most for call in calls} == {150}
    assert {call.prompt for call in drawn(Group("g", prompt=Size(321)))} == {321}


def test_a_trace_keeps_its_times_and_sizes() -> None:
    """Who calls is drawn by the groups' rates."""
    everybody = parties((Group("a", Pattern(rate=9), count=2), Group("b", Pattern(rate=1))))
    rows = [TraceRow(at, 10 + at, 5) for at in range(1_000)]
    calls = list(replayed(rows, everybody, 1))
    assert [(call.at, call.prompt, call.output) for call in calls] == [(at, 10 + at, 5) for at in range(1_000)]
    assert sum(call.party is everybody[0] for call in calls) == pytest.approx(900, rel=0.1)
