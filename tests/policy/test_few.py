"""A few of many: so many a second of each, and bounded in how many each there are."""

from tidegate.policy.few import Few

SECOND = 1_000_000


def test_so_many_a_second_of_each() -> None:
    """One that comes all the time takes nothing from the others."""
    few = Few(2)
    assert [few.allow("a", 5) for _ in range(4)] == [True, True, False, False]
    assert few.allow("b", 6)
    assert not few.allow("a", 4 + SECOND)
    assert few.allow("a", 5 + SECOND)


def test_keys_are_bounded() -> None:
    """Whoever comes after so many in one second is left out."""
    few = Few(1)
    assert sum(few.allow(str(number), 0) for number in range(5_000)) == 1_024
    assert few.allow("late", SECOND)
