"""Ids of calls: unique over restarts, workers and nodes."""

from tidegate.edge.call_ids import CallIds

WALL = 1_700_000_000_000_000


def test_workers_count_in_places_of_their_own() -> None:
    """Though they begin at the same moment; the number fits a signed 64-bit integer."""
    first, last = CallIds(0, WALL), CallIds(1_023, WALL)
    made = [ids.next() for ids in (first, last) for _ in range(3)]
    assert len(set(made)) == 6
    assert made[3] >> 53 == 1_023
    assert max(made) < 1 << 63


def test_an_earlier_run_is_not_repeated_when_the_clock_was_set_back() -> None:
    """Ids go on behind its last one, in the worker's own place; an earlier id changes nothing."""
    before = CallIds(2, WALL)
    last = [before.next() for _ in range(9)][-1]
    again = CallIds(2, WALL - 5_000_000)
    again.begin_after(last)
    again.begin_after(WALL - 9_000_000)
    assert again.next() == last + 1


def test_nodes_of_one_ledger_lie_apart() -> None:
    """By their journals' names, and within the worker's place."""
    one, other = CallIds(1, WALL), CallIds(1, WALL)
    one.begin_apart("0" * 31 + "7")
    other.begin_apart("f" * 32)
    assert one.next() == (1 << 53) + WALL + 8
    assert other.next() >> 53 == 1
