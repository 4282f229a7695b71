"""Parts never exceed the whole, whatever is done to them in whatever order; rights to a sum are never spent twice."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.regions import WHOLE, Parts
from tidegate.policy.regions import escrow
from tidegate.policy.regions.escrow import Rights

NAMES = ("a", "b", "c")


def test_a_record_begins_with_floors() -> None:
    """What is beyond them is free."""
    parts = escrow.begun(NAMES, 50_000, 7)
    assert escrow.free(parts) == 850_000
    with pytest.raises(ValueError, match="3 regions cannot have 400000"):
        escrow.begun(NAMES, 400_000, 7)


def test_what_shrinks_is_free_when_it_has_settled() -> None:
    """Not before: somebody may still spend by it."""
    parts = escrow.grown(escrow.begun(NAMES, 50_000, 7), "a", 900_000)
    assert escrow.free(parts) == 0
    shrinking = escrow.shrunk(parts, "a", 100_000)
    assert escrow.free(shrinking) == 0
    assert escrow.grown(shrinking, "b", 500_000) is shrinking
    assert escrow.grown(shrinking, "a", 900_000) is shrinking
    parts = escrow.settled(shrinking, "a")
    assert escrow.free(parts) == 800_000
    assert escrow.grown(parts, "b", 500_000).entries["b"].use == 500_000
    with pytest.raises(ValueError, match="does not shrink"):
        escrow.shrunk(parts, "a", 100_000)


@given(
    st.lists(st.tuples(st.sampled_from(["shrink", "settle", "grow", "join", "leave"]), st.sampled_from("abcd"),
        st.integers(0, WHOLE)), max_size=60)
)  # fmt: skip
def test_no_order_of_changes_makes_more_than_the_whole(steps: list[tuple[str, str, int]]) -> None:
    """And each region spends by no more than its part."""
    parts = escrow.begun(NAMES, 50_000, 1)
    for what, region, ppm in steps:
        parts = _changed(parts, what, region, ppm)
        assert escrow.sound(parts)


def _changed(parts: Parts, what: str, region: str, ppm: int) -> Parts:
    entry = parts.entries.get(region)
    if what == "join":
        return escrow.joined(parts, region)
    if entry is None:
        return parts
    if what == "shrink":
        return escrow.shrunk(parts, region, ppm) if ppm < entry.use else parts
    if what == "settle":
        return escrow.settled(parts, region)
    return escrow.left(parts, region) if what == "leave" else escrow.grown(parts, region, ppm)


@given(
    st.lists(st.tuples(st.sampled_from(["spend", "give", "merge"]), st.sampled_from(NAMES), st.sampled_from(NAMES),
        st.integers(0, 60)), max_size=80)
)  # fmt: skip
def test_rights_are_spent_once(steps: list[tuple[str, str, str, int]]) -> None:
    """Whoever hears of whom, late or never: together they spend no more than there is."""
    first = {"a": 100, "b": 50, "c": 0}
    replicas = {name: Rights(name, first) for name in NAMES}
    for what, one, other, units in steps:
        mine, theirs = replicas[one], replicas[other]
        if what == "spend":
            had = mine.rights(one)
            assert mine.spend(units) is (units <= had)
        elif what == "give" and one != other:
            had = mine.rights(one)
            assert mine.give(other, units) is (units <= had)
        elif what == "merge":
            mine.merge(theirs.moved, theirs.used)
        assert sum(replica.used.get(name, 0) for name, replica in replicas.items()) <= 150
        assert all(replica.rights(name) >= 0 for name, replica in replicas.items())
    for one, other in itertools.permutations(NAMES, 2):
        replicas[one].merge(replicas[other].moved, replicas[other].used)
    left = sum(replicas["a"].rights(name) for name in NAMES)
    assert left == 150 - sum(replicas["a"].used.values())


def test_what_was_given_is_heard_of_before_it_is_spent() -> None:
    """A right in flight is nobody's."""
    a, b = Rights("a", {"a": 10}), Rights("b", {"a": 10})
    assert a.give("b", 4)
    assert not b.spend(1)
    b.merge(a.moved, a.used)
    b.merge(a.moved, a.used)
    assert b.spend(4)
    assert not b.spend(1)
    assert a.rights("a") == 6
