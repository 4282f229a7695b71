"""A limit that only refusals tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.learned.aimd import FORGOTTEN_US, GROW_US, MARK_US, STRIKES, WINDOW_US, Admitted, Aimd

SECOND = 1_000_000


@given(st.lists(st.tuples(st.integers(0, 8 * SECOND), st.integers(0, 100)), max_size=80))
def test_what_went_out_is_counted_by_marks(steps: list[tuple[int, int]]) -> None:
    """At least what went out within the minute; at most what went out within a mark's time more."""
    admitted, now, sent = Admitted(0), 0, list[tuple[int, int]]()
    for pause, cost in steps:
        now += pause
        if now >= admitted.next_mark:
            admitted.mark(now)
        admitted.total += cost
        sent.append((now, cost))
        least = sum(cost for at, cost in sent if at > now - WINDOW_US)
        # a mark is set by the first call after its time: pauses may stretch the last one
        longest = MARK_US + 8 * SECOND
        most = sum(cost for at, cost in sent if at >= now - WINDOW_US - longest)
        assert least <= admitted.within(WINDOW_US, now) <= most


def test_a_refusal_leaves_nine_tenths_of_what_was_admitted() -> None:
    """Or of the limit, if that is less; never below the largest call."""
    learnt = Aimd()
    assert learnt.refuse(10_000, 100, 0, 500, 1, 2)
    assert learnt.limit == 9_000
    assert learnt.refuse(20_000, 100, 9_000, 500, 3, 4)
    assert learnt.limit == 8_100
    assert Aimd().refuse(1_000, 100, 0, 5_000, 1, 2)


def test_all_refusals_of_a_round_are_one() -> None:
    """Calls that were in flight when the first was refused."""
    learnt = Aimd()
    assert learnt.refuse(10_000, 100, 0, 100, 10, 20)
    assert not learnt.refuse(9_900, 100, 9_000, 100, 20, 30)
    assert learnt.refuse(9_900, 100, 9_000, 100, 21, 30)


def test_a_provider_that_refuses_everything_teaches_nothing() -> None:
    """Hardly anything is admitted: that is a matter of health."""
    learnt = Aimd()
    assert not learnt.refuse(400, 100, 0, 100, 1, 2)
    assert learnt.limit == 0


def test_where_the_limit_was_shown_it_must_happen_again() -> None:
    """One call that came at a bad moment does not outweigh the replies that show the limit in force."""
    learnt = Aimd()
    for strike in range(1, STRIKES):
        assert not learnt.refuse(10_000, 100, 10_000, 100, strike * 10, strike * 10, shown=True)
    assert learnt.refuse(10_000, 100, 10_000, 100, 100, 100, shown=True)
    assert learnt.limit == 9_000


def test_far_below_the_limit_it_must_happen_again() -> None:
    """And soon; then by halves at most."""
    learnt = Aimd()
    for strike in range(1, STRIKES):
        assert not learnt.refuse(10_000, 100, 100_000, 100, strike * 10, strike * 10)
    assert learnt.refuse(10_000, 100, 100_000, 100, 100, 100)
    assert learnt.limit == 50_000
    learnt = Aimd()
    for strike in range(1, 10):
        at = strike * FORGOTTEN_US
        assert not learnt.refuse(10_000, 100, 100_000, 100, at, at)


@pytest.mark.parametrize("capacity", [60_000, 1_000_000])
def test_it_hovers_below_a_limit_that_nobody_tells(capacity: int) -> None:
    """Ten hours, always asking for all: nine tenths at least on average, and hardly a refusal a minute."""
    learnt, now, refusals, used = Aimd(), 0, 0, 0
    learnt.refuse(2 * capacity, 1, 0, 1, 1, 1)
    rounds = 3_600
    for _ in range(rounds):
        now += GROW_US
        if learnt.limit > capacity:
            refusals += 1
            learnt.refuse(capacity, 1, learnt.limit, 1, now, now)
        used += min(learnt.limit, capacity)
        learnt.grow(learnt.limit, 0, now)
    assert used / rounds >= 0.93 * capacity
    assert refusals < rounds / 6


def test_it_grows_only_while_it_is_used_and_ends_at_what_is_known() -> None:
    """A limit above the configured one says nothing."""
    learnt = Aimd(1_000)
    assert not learnt.grow(100, 0, GROW_US)
    assert learnt.grow(1_000, 0, 2 * GROW_US)
    assert not learnt.grow(1_000, 0, 2 * GROW_US + 1)
    assert learnt.limit > 1_000
    assert learnt.grow(learnt.limit, 1_001, 3 * GROW_US)
    assert learnt.limit == 0
    assert not learnt.grow(0, 0, 9 * GROW_US)
