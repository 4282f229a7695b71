"""Totals that replicas count apart and merge: in any order, any number of times, from any delta."""

import itertools
import random

from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.regions import Counted
from tidegate.policy.regions.counters import MOST, OTHER, Counters


@given(
    st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["x", "y"]), st.integers(-50, 100)), max_size=40),
    st.integers(0, 2**16),
)
def test_deltas_merge_to_the_same_totals_however_they_come(adds: list[tuple[int, str, int]], luck: int) -> None:
    """Late, twice, in any order, so that only the last of each has to arrive."""
    replicas = [Counters(name) for name in "abc"]
    sent: list[tuple[str, dict[str, Counted]]] = []
    for who, name, units in adds:
        replicas[who].add(name, units)
        sent.append((replicas[who].me, replicas[who].delta()))
    sent += sent[: len(sent) // 2]
    for replica in replicas:
        random.Random(luck).shuffle(sent)
        for of, delta in sent:
            if of != replica.me:
                replica.merge(of, delta)
    for name in "xy":
        real = sum(units for _, counted, units in adds if counted == name)
        assert {replica.total(name) for replica in replicas} == {real}


def test_merging_is_commutative_associative_and_idempotent() -> None:
    """So no order of messages matters."""
    deltas = [("b", {"x": Counted(5, 1)}), ("b", {"x": Counted(7, 1)}), ("c", {"x": Counted(3, 3)})]
    found = set()
    for order in itertools.permutations(deltas * 2):
        replica = Counters("a")
        for of, delta in order:
            replica.merge(of, delta)
        found.add(replica.total("x"))
    assert found == {6}


def test_a_replica_that_forgot_goes_on_from_what_it_had_said() -> None:
    """Once; what it counted since is added."""
    replica = Counters("a")
    replica.add("x", 3)
    replica.recall({"x": Counted(10, 2), "y": Counted(1, 0)})
    assert (replica.total("x"), replica.total("y")) == (11, 1)
    assert replica.delta() == {"x": Counted(13, 2)}
    assert replica.delta() == {}


def test_names_are_bounded() -> None:
    """Clients choose some of them."""
    replica = Counters("a")
    for number in range(MOST + 5):
        replica.add(str(number), 1)
    assert replica.total(OTHER) == 5
    assert len(replica.names()) == MOST + 1
