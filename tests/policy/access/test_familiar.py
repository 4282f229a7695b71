"""Who has been let in lately."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.familiar import LASTS_US, Familiar

START = 10**12


def test_a_name_is_held_for_ten_to_twenty_minutes() -> None:
    """And longer when it is noted again."""
    familiar = Familiar()
    familiar.note(b"a", START)
    assert familiar.holds(b"a", START + LASTS_US)
    assert not familiar.holds(b"b", START + LASTS_US)
    familiar.note(b"a", START + LASTS_US)
    assert familiar.holds(b"a", START + 2 * LASTS_US)
    assert not familiar.holds(b"a", START + 4 * LASTS_US)
    assert len(familiar) == 0


def test_turns_that_are_noticed_late_hold_nobody_longer() -> None:
    """Twice the time is the most, whenever somebody comes."""
    familiar = Familiar()
    familiar.note(b"a", START)
    familiar.note(b"b", START + 2 * LASTS_US - 2)
    assert familiar.holds(b"a", START + 2 * LASTS_US - 1)
    assert not familiar.holds(b"a", START + 2 * LASTS_US)


def test_a_name_that_was_not_seen_for_long_is_not_held() -> None:
    """Whether or not anybody came meanwhile."""
    familiar = Familiar()
    familiar.note(b"a", START)
    assert not familiar.holds(b"a", START + 2 * LASTS_US)


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, LASTS_US)), max_size=100))
def test_memory_is_bounded_and_nobody_is_invented(noted: list[tuple[int, int]]) -> None:
    """The last one is held, whoever else came."""
    familiar, now, last = Familiar(max_names=5), START, dict[int, int]()
    for name, later in noted:
        now += later
        familiar.note(b"%d" % name, now)
        last[name] = now
        assert len(familiar) <= 11
        assert familiar.holds(b"%d" % name, now)
    for name in range(60):
        if familiar.holds(b"%d" % name, now):
            assert last[name] > now - 2 * LASTS_US
