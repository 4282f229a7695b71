"""How many webhooks are on their way."""

from hypothesis import given
from hypothesis import strategies as st

from tests.jobs.hooks.stand import SECOND
from tidegate.jobs.hooks.places import Places

WALL = 10**15


def test_each_host_has_its_places() -> None:
    """Who finds none learns when to come again, each behind the one before."""
    places = Places(most=10, of_tenant=10, of_host=2)
    assert [places.take("a", "t", WALL) for _ in range(2)] == [0, 0]
    turns = [places.take("a", "t", WALL) for _ in range(3)]
    assert turns == sorted(turns)
    assert turns[0] >= WALL + SECOND
    assert places.take("b", "t", WALL) == 0


def test_who_waits_for_a_host_waits_not_long() -> None:
    """For one that is full and answers, and not behind too many."""
    places = Places(most=10, of_tenant=10, of_host=2)
    places.take("a", "t", WALL)
    assert not places.worth_waiting("a", 0)
    places.take("a", "t", WALL)
    assert places.worth_waiting("a", 1_000)
    places.give("a", "t", 4 * SECOND, answered=True)
    places.take("a", "t", WALL)
    assert places.worth_waiting("a", 19)
    assert not places.worth_waiting("a", 20)
    places.give("a", "t", 4 * SECOND, answered=False)
    assert not places.worth_waiting("a", 0)


def test_each_tenant_has_its_places() -> None:
    """Over all of its hosts."""
    places = Places(most=10, of_tenant=3, of_host=2)
    assert [places.take(host, "t", WALL) for host in "abc"] == [0, 0, 0]
    assert places.take("d", "t", WALL) > WALL
    assert places.take("d", "u", WALL) == 0


def test_there_is_an_end() -> None:
    """Whoever asks."""
    places = Places(most=3, of_tenant=2, of_host=2)
    assert [places.take(name, name, WALL) for name in "abc"] == [0, 0, 0]
    assert places.free == 0
    assert places.take("d", "d", WALL) > WALL


def test_who_does_not_answer_has_one_place_until_it_does() -> None:
    """The others that it had are for those that do."""
    places = Places(most=10, of_tenant=10, of_host=4)
    places.take("a", "t", WALL)
    places.give("a", "t", 15 * SECOND, answered=False)
    assert places.take("a", "t", WALL) == 0
    slow = places.take("a", "t", WALL)
    assert slow > WALL + 2 * SECOND  # an attempt there takes long
    places.give("a", "t", SECOND, answered=True)
    assert [places.take("a", "t", WALL) for _ in range(4)] == [0] * 4


@given(st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 40)), max_size=200))
def test_memory_is_bounded(asked: list[tuple[int, int]]) -> None:
    """Names come and go; who has places is remembered, and all places come back."""
    places = Places()
    held: list[tuple[str, str]] = []
    for host, tenant in asked:
        pair = (f"h{host}", f"t{tenant}")
        if places.take(*pair, WALL) == 0:
            held.append(pair)
        elif held:
            places.give(*held.pop(0), SECOND, answered=True)
    assert places.free == 64 - len(held)
    for pair in held:
        places.give(*pair, SECOND, answered=True)
    assert places.free == 64


def test_idle_names_are_forgotten() -> None:
    """A tenant with ever new names costs nobody memory; those that are on their way are kept."""
    places = Places(most=10, of_tenant=10, of_host=1)
    places.take("kept", "t", WALL)
    for number in range(5_000):
        places.take(f"h{number}", "u", WALL)
        places.give(f"h{number}", "u", SECOND, answered=True)
    assert len(places._hosts) <= 1_025
    assert places.take("kept", "t", WALL) > WALL
