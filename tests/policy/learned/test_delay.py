"""Replies that come later than they usually do."""

from random import Random

from tidegate.policy.learned.delay import Delay

MS = 1_000


def test_a_stall_is_seen_and_the_usual_is_not() -> None:
    """Of replies that take 20 to 30 ms, one that takes 250; also when several in a row are late."""
    delay, rng = Delay(), Random(1)
    assert not any(delay.late(rng.randrange(20, 30) * MS) for _ in range(200))
    for took in (250, 200, 150, 100):
        assert (took - 40) * MS < delay.late(took * MS) < (took - 15) * MS


def test_where_answers_differ_hardly_any_is_late() -> None:
    """Answers of half a second to twenty say nothing about the way."""
    delay, rng = Delay(), Random(2)
    late = [delay.late(rng.randrange(500, 20_000) * MS) for _ in range(1_000)]
    assert sum(by > 0 for by in late) < 10


def test_answers_that_take_longer_from_now_on_are_usual_soon() -> None:
    """A model that became slower is not late for ever."""
    delay = Delay()
    for _ in range(100):
        delay.late(20 * MS)
    late = [delay.late(500 * MS) for _ in range(200)]
    assert late[0] == 480 * MS
    assert not any(late[140:])


def test_a_stall_does_not_hide_the_next_one() -> None:
    """It holds up twenty calls at once, again and again; each of them is seen to be late."""
    delay, rng = Delay(), Random(3)
    for _ in range(200):
        delay.late(rng.randrange(20, 30) * MS)
    for _ in range(10):
        assert all(delay.late(took * MS) > 60 * MS for took in range(300, 100, -10))
        assert not any(delay.late(rng.randrange(20, 30) * MS) for _ in range(20))
