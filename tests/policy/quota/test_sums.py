"""Sums over blocks of slots against looking at every slot."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.quota.sums import BLOCK, Sums


@given(st.dictionaries(st.integers(0, 6_000), st.integers(0, 9), max_size=50), st.integers(1, 300))
def test_an_amount_is_reached_where_the_slots_reach_it(slots: dict[int, int], amount: int) -> None:
    """In the block that is found, with so much of its slots."""
    sums = Sums()
    for slot, used in slots.items():
        sums.add(slot, used)
    block, rest = sums.reach(amount)
    if block < 0:
        assert sum(slots.values()) == amount - rest < amount
        return
    before = sum(used for slot, used in slots.items() if slot < block * BLOCK)
    inside = sum(used for slot, used in slots.items() if slot // BLOCK == block)
    assert before == amount - rest
    assert before < amount <= before + inside


@given(st.lists(st.tuples(st.integers(0, 6_000), st.integers(-9, 9)), max_size=50))
def test_what_is_taken_out_leaves_nothing(steps: list[tuple[int, int]]) -> None:
    """No memory of slots in which nothing is."""
    sums = Sums()
    for slot, used in steps:
        sums.add(slot, used)
    for slot, used in steps:
        sums.add(slot, -used)
    assert not sums._blocks
    assert not sums._wards
    sums.add(1, 1)
    sums.clear()
    assert sums.reach(1) == (-1, 1)


@given(st.lists(st.tuples(st.integers(0, 200), st.integers(0, 9), st.integers(0, 40)), max_size=50))
def test_it_may_be_looked_at_between(steps: list[tuple[int, int, int]]) -> None:
    """In whatever order slots get more: the block is the one in which all that was added reaches the amount."""
    sums, blocks = Sums(), [0] * (200 // BLOCK + 1)
    for slot, used, amount in steps:
        sums.add(slot, used)
        blocks[slot // BLOCK] += used
        if amount:
            rest, expected = amount, -1
            for block, inside in enumerate(blocks):
                if inside >= rest:
                    expected = block
                    break
                rest -= inside
            assert sums.reach(amount) == (expected, rest)
