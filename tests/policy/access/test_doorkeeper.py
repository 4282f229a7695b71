"""Who returns is known, and memory is a table of one size."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.doorkeeper import FULL, PLACES, Doorkeeper


@given(st.lists(st.integers(-(2**63), 2**63 - 1), max_size=40))
def test_who_came_is_known(visitors: list[int]) -> None:
    """Each one, of either sign, from the second time on."""
    keeper = Doorkeeper()
    for visitor in visitors:
        keeper.again(visitor)
    assert all(keeper.again(visitor) for visitor in visitors)


def test_a_newcomer_is_told_from_those_who_came() -> None:
    """As long as they do not share a place."""
    keeper = Doorkeeper()
    assert [keeper.again(visitor) for visitor in (1, 2, 1, 3, 2)] == [False, False, True, False, True]
    assert keeper.again(1 + PLACES)


def test_newcomers_without_end_are_forgotten() -> None:
    """So that not everybody is taken for somebody who came before."""
    keeper = Doorkeeper()
    taken = sum(keeper.again(visitor) for visitor in range(10 * PLACES))
    assert taken < 10 * PLACES // 4


@pytest.mark.parametrize("visitors", [FULL + 1_000, 4 * FULL, 20 * FULL])
def test_many_in_turn_are_hardly_let_in(visitors: int) -> None:
    """More than what is guarded can hold would only push each other out of it."""
    keeper = Doorkeeper()
    taken = sum(keeper.again(hash(str(visitor).encode())) for _ in range(3) for visitor in range(visitors))
    assert taken < 3 * visitors // 20
