"""Amounts by when they were: nothing is lost, and the list stays short."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.lease.ages import SLOT_US, Ages

AMOUNTS = st.lists(st.tuples(st.integers(-1_000, 1_000), st.integers(0, 100 * SLOT_US)), max_size=50)


def test_a_slot_counts_as_its_beginning_or_as_its_end() -> None:
    """Whichever errs to the safe side."""
    at = 7 * SLOT_US + 1
    for early, age in ((True, SLOT_US), (False, 0)):
        ages = Ages(4, early=early)
        ages.add(5, at)
        assert ages.pairs(8 * SLOT_US) == [(age, 5)]


@given(AMOUNTS, st.booleans())
def test_nothing_is_lost_when_there_are_too_many_slots(amounts: list[tuple[int, int]], early: bool) -> None:
    """The sum stays, in no more slots than were asked for."""
    ages = Ages(4, early=early)
    for amount, at in amounts:
        ages.add(amount, at)
    pairs = ages.pairs(200 * SLOT_US)
    assert len(pairs) <= 4
    assert sum(amount for _, amount in pairs) == sum(amount for amount, _ in amounts)


@given(AMOUNTS)
def test_the_oldest_two_become_one_to_the_same_side(amounts: list[tuple[int, int]]) -> None:
    """Early ones are never taken for later, late ones never for earlier."""
    oldest, youngest = Ages(3, early=True), Ages(3, early=False)
    for amount, at in amounts:
        oldest.add(abs(amount), at)
        youngest.add(abs(amount), at)
    now = 200 * SLOT_US
    for horizon in range(0, 101 * SLOT_US, SLOT_US):
        since = sum(abs(amount) for amount, at in amounts if at >= horizon)
        assert sum(amount for age, amount in oldest.pairs(now) if age <= now - horizon) <= since
        assert sum(amount for age, amount in youngest.pairs(now) if age <= now - horizon) >= since


def test_what_ended_is_taken_out() -> None:
    """Only whole slots leave."""
    ages = Ages(4, early=False)
    ages.add(1, 0)
    ages.add(2, SLOT_US)
    assert ages.left_by(SLOT_US) == 1
    assert ages.left_by(2 * SLOT_US - 1) == 0
    ages.clear()
    assert not ages
