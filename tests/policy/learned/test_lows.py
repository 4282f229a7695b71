"""The lowest level since a moment, against a list."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.learned.lows import MOST, Lows

STEPS = st.lists(st.tuples(st.integers(0, 3), st.integers(-100, 100)), max_size=60)


@given(STEPS, st.integers(0, 200))
def test_it_is_the_lowest_since(steps: list[tuple[int, int]], moment: int) -> None:
    """Of all levels noted then or later; nobody knows about a moment after the last."""
    lows, now, noted = Lows(0), 0, list[tuple[int, int]]()
    for pause, level in steps:
        now += pause
        lows.note(level, now)
        noted.append((now, level))
    assert lows.since(moment) == min((level for at, level in noted if at >= moment), default=None)


@given(st.lists(st.integers(-1_000, 1_000), min_size=1, max_size=400), st.data())
def test_thinned_it_is_never_too_high(levels: list[int], data: st.DataObject) -> None:
    """Rising levels fill it beyond its size; what it forgets makes answers lower only."""
    lows = Lows(0)
    noted = [(number, level + 10 * number) for number, level in enumerate(levels)]
    for at, level in noted:
        lows.note(level, at)
    moment = data.draw(st.integers(0, len(levels) - 1))
    found = lows.since(moment)
    assert found is not None
    assert found <= min(level for at, level in noted if at >= moment)
    assert found >= min(level for _, level in noted)


def test_it_stays_small() -> None:
    """However long levels rise."""
    lows = Lows(0)
    for number in range(10_000):
        lows.note(number, number)
        assert len(lows._levels) == len(lows._at) <= MOST
    assert lows.since(9_999) == 9_999


def test_what_was_before_a_change_is_unknown() -> None:
    """A new limit: levels of before are of another bucket."""
    lows = Lows(0)
    lows.note(5, 10)
    lows.clear(20)
    assert lows.since(10) is None
    lows.note(7, 25)
    assert (lows.since(19), lows.since(20)) == (None, 7)
