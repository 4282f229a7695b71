"""Consistent hashing: who owns what, and how little moves."""

from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.ring import Ring, place

KEYS = [f"scope-{number}" for number in range(2_000)]
owners = st.sets(st.text(min_size=1, max_size=4), min_size=2, max_size=8)
keys = st.lists(st.text(max_size=6), unique=True, max_size=60)


@given(owners, keys, st.data())
def test_an_owner_that_leaves_gives_away_its_own_keys_only(
    names: set[str], keys: list[str], data: st.DataObject
) -> None:
    """Every key of another owner stays where it was, and those of the lost one go to the next of their walk."""
    ring = Ring(names, points=16)
    lost = data.draw(st.sampled_from(sorted(names)))
    before = {key: ring.walk(key) for key in keys}
    ring.remove(lost)
    for key, walk in before.items():
        assert ring.owner(key) == next(owner for owner in walk if owner != lost)


@given(owners, keys)
def test_who_comes_back_gets_what_it_had(names: set[str], keys: list[str]) -> None:
    """Places depend on names alone: leaving and coming back changes nothing, nor does the order of coming."""
    ring = Ring(sorted(names), points=16)
    again = Ring(sorted(names, reverse=True), points=16)
    gone = min(names)
    again.remove(gone)
    again.add(gone)
    again.add(gone)
    assert [ring.owner(key) for key in keys] == [again.owner(key) for key in keys]


@given(owners, keys, st.integers(0, 1_000))
def test_the_load_is_bounded(names: set[str], keys: list[str], slack: int) -> None:
    """Nobody gets more than its part and the slack, and every key has an owner whatever the order of keys."""
    ring = Ring(names, points=4)
    spread = ring.spread(keys, slack_permille=slack)
    room = ceil(len(keys) * (1_000 + slack) / (1_000 * len(names)))
    loads = [list(spread.values()).count(name) for name in names]
    assert sum(loads) == len(keys)
    assert max(loads) <= room
    assert ring.spread(keys[::-1], slack_permille=slack) == spread


def test_parts_are_about_equal() -> None:
    """With 128 places each, eight owners have an eighth of 2,000 keys each, give or take a third."""
    ring = Ring(f"owner-{number}" for number in range(8))
    loads = [sum(ring.owner(key) == f"owner-{number}" for key in KEYS) for number in range(8)]
    assert sum(loads) == 2_000
    assert min(loads) > 165
    assert max(loads) < 335


def test_little_moves_with_bounded_loads() -> None:
    """When one of eight is lost, its keys move, and of the others' no more than their overflow."""
    ring = Ring(f"owner-{number}" for number in range(8))
    before = ring.spread(KEYS)
    ring.remove("owner-3")
    after = ring.spread(KEYS)
    lost = sum(owner == "owner-3" for owner in before.values())
    moved = sum(before[key] != after[key] for key in KEYS)
    assert lost <= moved < 2 * lost


def test_places_are_the_same_in_every_process() -> None:
    """A ring that is built elsewhere, and later, is the same ring."""
    assert place("scope-0") == 5330347364018764608


def test_without_an_owner_it_says_so() -> None:
    """Nobody can own anything; no keys need nobody."""
    with pytest.raises(LookupError, match="no owner; add one"):
        Ring().owner("a")
    with pytest.raises(LookupError, match="no owner; add one"):
        Ring().spread(["a"])
    assert Ring().spread([]) == {}
    with pytest.raises(KeyError):
        Ring().remove("a")
    assert len(Ring(["a", "b"])) == 2
    assert "a" in Ring(["a"])
