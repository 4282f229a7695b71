"""The credentials of a scope, in turn."""

import pytest

from tidegate.line.keys import KeyRing


def test_round_robin() -> None:
    """Every key the same number of times."""
    ring = KeyRing(("a", "b", "c"))
    turns = [ring.next() for _ in range(9)]
    assert {key: turns.count(key) for key in turns} == {b"a": 3, b"b": 3, b"c": 3}
    assert turns[:3] == turns[3:6] == turns[6:]


def test_one_key_is_always_its_turn() -> None:
    """And it cannot be retired: the last one never leaves."""
    ring = KeyRing(("a",))
    assert [ring.next() for _ in range(3)] == [b"a"] * 3
    assert not ring.retire(b"a")
    assert len(ring) == 1


def test_a_refused_key_leaves() -> None:
    """Once; a stranger cannot be retired, nor can the last."""
    ring = KeyRing(("a", "b", "c"))
    assert ring.retire(b"b")
    assert not ring.retire(b"b")
    assert {ring.next() for _ in range(6)} == {b"a", b"c"}
    assert ring.retire(b"a")
    assert not ring.retire(b"c")
    assert ring.next() == b"c"


@pytest.mark.parametrize("keys", [1, 10_000])
def test_the_turn_costs_the_same_for_any_number_of_keys(keys: int) -> None:
    """A rotation by one."""
    ring = KeyRing(tuple(f"k{number}" for number in range(keys)))
    assert len({ring.next() for _ in range(keys)}) == keys
