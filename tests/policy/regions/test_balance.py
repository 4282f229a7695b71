"""Parts follow demand: no more than the whole, no less than the floor, and whoever waits is heard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.regions import WHOLE
from tidegate.policy.regions.balance import CLEAR_US, Demand, content, targets, worth

SECOND = 1_000_000


@pytest.mark.parametrize(
    ("demands", "floor", "parts"),
    [
        ({"a": 0, "b": 0}, 0, {"a": 500_000, "b": 500_000}),
        ({"a": 300_000, "b": 100_000}, 50_000, {"a": 750_000, "b": 250_000}),
        ({"a": 9_000_000, "b": 0, "c": 0}, 50_000, {"a": 900_000, "b": 50_000, "c": 50_000}),
        ({"a": 900_000, "b": 60_000, "c": 0}, 100_000, {"a": 800_000, "b": 100_000, "c": 100_000}),
    ],
)
def test_parts_are_proportional_above_the_floor(demands: dict[str, int], floor: int, parts: dict[str, int]) -> None:
    """What the floors take is taken from those that have more."""
    assert targets(demands, floor) == parts


@given(
    st.dictionaries(st.text("abcdefghij", min_size=1, max_size=2), st.integers(0, 9_000_000), min_size=1, max_size=10)
)
def test_targets_share_the_whole(demands: dict[str, int]) -> None:
    """All of it but what rounding leaves; and while there is enough for everybody, everybody has enough."""
    floor = 20_000
    found = targets(demands, floor)
    assert WHOLE - len(demands) <= sum(found.values()) <= WHOLE
    assert min(found.values()) >= floor
    if sum(max(floor, demand) for demand in demands.values()) <= WHOLE:
        assert all(found[name] >= demand - 1 for name, demand in demands.items())


def test_demand_is_what_was_spent_lately_and_what_waits() -> None:
    """In parts of the limit."""
    demand = Demand(0)
    for second in range(1, 61):
        demand.note(500, 0, 60_000, 60 * SECOND, second * SECOND)
    assert demand.ppm(60 * SECOND) == pytest.approx(500_000, abs=10)
    demand.note(500, 10_000, 60_000, 60 * SECOND, 61 * SECOND)
    assert demand.ppm(61 * SECOND) == pytest.approx(1_500_000, abs=10)


def test_a_backlog_that_is_not_cleared_counts_for_more() -> None:
    """A region whose part is nothing spends nothing: only what waits there tells of it."""
    demand = Demand(0)
    seen = []
    for second in range(60):
        demand.note(0, 100, 60_000, 60 * SECOND, second * SECOND + 1)
        seen.append(demand.ppm(second * SECOND + 1))
    assert seen[-1] == 16 * seen[0] > 0
    demand.note(0, 0, 60_000, 60 * SECOND, 60 * SECOND)
    assert demand.ppm(60 * SECOND + CLEAR_US) == 0


def test_nothing_moves_while_everybody_has_enough() -> None:
    """Every transfer costs messages; a hundredth is not worth them."""
    assert content({"a": 400_000, "b": 10_000}, {"a": 500_000, "b": 500_000}, 50_000)
    assert not content({"a": 450_000, "b": 10_000}, {"a": 500_000, "b": 500_000}, 50_000)
    assert not content({"a": 0, "b": 0}, {"a": 900_000}, 50_000)
    assert worth(500_000, 400_000)
    assert not worth(500_000, 480_000)
