"""The last minutes by the second."""

from tidegate.observe.recent import MOST, SECONDS, Recent

TOTALS = (2_500, 10, 3, 4)


def test_the_newest_points_in_order() -> None:
    """As many as there are and were asked for; a lane that says nothing at a second stands at 0 there."""
    recent = Recent()
    empty = recent.points(5)
    assert (empty.at_us, set(map(tuple, empty.totals.values())), empty.tokens, empty.hidden) == ([], {()}, {}, 0)
    for second in range(3):
        recent.add(second, [("a/b/c", 10 * second, second, second + 5)] if second != 1 else [], TOTALS)
    found = recent.points(2)
    assert found.at_us == [1, 2]
    assert found.tokens == {"a/b/c": [0, 20]}
    assert found.requests == {"a/b/c": [0, 2]}
    assert found.reserved == {"a/b/c": [0, 7]}
    assert found.totals["calls_per_second"] == [2_500, 2_500]
    assert recent.points(900).at_us == [0, 1, 2]


def test_what_is_older_than_the_ring_is_gone() -> None:
    """Also a lane of which nothing was in use since; and the ring has no more points however long it is kept."""
    recent = Recent()
    recent.add(0, [("a/b/old", 1, 1, 0), ("a/b/busy", 1, 1, 0)], TOTALS)
    for second in range(1, SECONDS + 1):
        recent.add(second, [("a/b/busy", second, 1, 0), ("a/b/idle", 0, 0, 0)], TOTALS)
    found = recent.points(SECONDS)
    assert found.at_us == list(range(1, SECONDS + 1))
    assert found.tokens == {"a/b/busy": list(range(1, SECONDS + 1))}


def test_which_lanes() -> None:
    """Those that are named, else the busiest; how many are left out is told, and no more than so many are kept."""
    recent = Recent()
    recent.add(1, [(f"a/b/{lane}", lane, 1, 0) for lane in range(MOST + 50)], TOTALS)
    found = recent.points(1, most=2)
    assert found.tokens == {f"a/b/{MOST - 1}": [MOST - 1], f"a/b/{MOST - 2}": [MOST - 2]}
    assert found.hidden == MOST - 2
    assert recent.points(1, ["a/b/7", "a/b/none"]).tokens == {"a/b/7": [7]}
