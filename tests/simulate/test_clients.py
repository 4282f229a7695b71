"""What clients do when they are refused."""

from random import Random

import pytest

from tidegate.simulate.arrivals import Arrival
from tidegate.simulate.call import Call
from tidegate.simulate.clients import GIVES_UP, again
from tidegate.simulate.scenario import Group
from tidegate.simulate.tenants import parties
from tidegate.units import SECOND_US

NONE = 0


def call(retry: str, tries: int) -> Call:
    (party,) = parties((Group("g", retry=retry, tries=4, pause_s=0.25),))  # type: ignore[arg-type]
    made = Call(Arrival(0, party, 0, 10, 10, 10), 20)
    made.tries = tries
    return made


@pytest.mark.parametrize(
    ("retry", "tries", "named_s", "least_s", "most_s"),
    [
        ("sdk", 1, 7, 7, 7),  # the named time, to the letter
        ("sdk", 1, NONE, 0.375, 0.5),  # else 0.5 s less up to a quarter, then twice that
        ("sdk", 2, NONE, 0.75, 1.0),
        ("return", 1, 7, 7, 8),  # within a second after the named time
        ("hammer", 1, 7, 0.25, 0.25),  # whatever was named
        ("hammer", 3, NONE, 0.25, 0.25),
    ],
)
def test_when_a_client_asks_again(retry: str, tries: int, named_s: int, least_s: float, most_s: float) -> None:
    """As its kind does."""
    for seed in range(20):
        pause = again(call(retry, tries), named_s * SECOND_US, Random(seed))
        assert least_s * SECOND_US <= pause <= most_s * SECOND_US


@pytest.mark.parametrize(
    ("retry", "tries", "named_s"),
    [("none", 1, 7), ("sdk", 3, 7), ("sdk", 1, 121), ("return", 2, 7), ("return", 1, NONE), ("hammer", 4, 7)],
)
def test_when_a_client_gives_up(retry: str, tries: int, named_s: int) -> None:
    """After its last try, and an SDK when it would have to wait for more than two minutes."""
    assert again(call(retry, tries), named_s * SECOND_US, Random(1)) == GIVES_UP
