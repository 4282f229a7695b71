"""Who comes back is known by the size of what it says, where sizes tell."""

import heapq
import random
from collections.abc import Iterator

from msgspec.structs import replace

from tests.dryrun.days import SECOND, call, refused
from tests.dryrun.test_run import booked, crowd, overloaded
from tidegate.dryrun.bodies import Bodies
from tidegate.dryrun.outcome import REFUSED, Outcome
from tidegate.dryrun.past import Past
from tidegate.dryrun.play import Play
from tidegate.model.arrivals import Arrival

BACK_US = 7 * SECOND


def bodies(day: list[Arrival]) -> Bodies:
    found = Bodies()
    for arrival in day:
        found.learn(arrival)
    found.close()
    return found


def test_a_refused_call_that_comes_back_says_the_same() -> None:
    """It has the mark of its first try; others of its key have others, and another key's are never the same."""
    day = []
    for n in range(30):
        day += [refused(10 * n, key="k", request_bytes=100 + n), call(10 * n + 5, key="k", request_bytes=100 + n)]
    found = bodies(day)
    assert found.returning == 1
    marks = [found.of(arrival) for arrival in day]
    assert marks[::2] == marks[1::2]
    assert len(set(marks)) == 30
    assert found.of(replace(day[0], key="other")) == b""


def test_where_all_are_of_one_size_none_is_known() -> None:
    """As many of that size follow answers as follow refusals: nothing says that somebody came back."""
    day = [(refused if n % 2 else call)(n, key="k", request_bytes=100) for n in range(200)]
    found = bodies(day)
    assert (found.returning, found.of(day[1])) == (0, b"")


def test_clients_that_do_not_come_back_have_bodies_of_their_own() -> None:
    """Sizes that meet by chance are no return; nor is a call that comes a minute later, or whose size is not known."""
    chance = random.Random(3)
    day = [
        (refused if chance.random() < 0.6 else call)(n / 4, key="k", request_bytes=chance.randint(1_000, 1_300))
        for n in range(3_000)
    ]
    assert bodies(day).returning == 0
    late = [one for n in range(30) for one in (refused(200 * n, request_bytes=n), call(200 * n + 61, request_bytes=n))]
    assert bodies(late).returning == 0
    unknown = [one for n in range(30) for one in (refused(n, key="k"), call(n + 0.5, key="k"))]
    assert bodies(unknown).of(unknown[0]) == b""


def test_memory_is_bounded() -> None:
    """However many keys and calls there are."""
    found = Bodies()
    for n in range(60_000):
        found.learn(call(n / 1_000, key=f"k{n}", request_bytes=9))
    for n in range(60_000):
        found.learn(call(n / 1_000, key="k1", request_bytes=1 + n))
    assert len(found._habits) == 5_000
    assert len(found._last) == 50_000


class _Truth(Bodies):
    """What was really said: `tag` as of the first try, which the ledger has not."""

    def of(self, arrival: Arrival) -> bytes:
        return arrival.tag.rstrip("+").encode()


def _really(day: list[Arrival]) -> list[tuple[Arrival, Outcome]]:
    """A crowd whose refused clients come back twice, 7 s later, with the same body, before the gate that is played."""
    waiting = [(one.at_us, n, replace(one, tag=str(n))) for n, one in enumerate(day)]
    heapq.heapify(waiting)
    ends: list[tuple[Arrival, Outcome]] = []

    def coming() -> Iterator[Arrival]:
        while waiting:
            yield heapq.heappop(waiting)[2]

    def told(arrival: Arrival, outcome: Outcome) -> None:
        ends.append((arrival, outcome))
        if outcome.end == REFUSED and not arrival.tag.endswith("++"):
            later = replace(arrival, at_us=arrival.at_us + BACK_US, tag=f"{arrival.tag}+")
            heapq.heappush(waiting, (later.at_us, len(day) + len(ends), later))

    past = Past(day, (overloaded(),), 0)
    past.bodies = _Truth()
    Play(overloaded(), past, told).play(coming())
    return sorted(ends, key=lambda one: one[0].at_us)


def test_a_retry_has_the_place_that_was_kept_for_it() -> None:
    """Played from the ledger, every call ends as it really did; with bodies that nobody knows again it does not."""
    chance, day = random.Random(1), list[Arrival]()
    for one in crowd(600):
        words = chance.randint(1, 40)
        day.append(replace(one, request_bytes=140 * words, prompt_tokens=20 * words))
    really = _really(day)
    ledger = [replace(booked(arrival, outcome), tag="") for arrival, outcome in really]
    past = Past(ledger, (overloaded(),), 0)
    assert past.bodies.returning >= 4

    def again() -> list[tuple[int, str, int]]:
        ends: list[tuple[int, str, int]] = []
        told = lambda one, outcome: ends.append((one.at_us, outcome.end, outcome.waited_us))  # noqa: E731
        Play(overloaded(), past, told, seed=1).play(ledger)
        return sorted(ends)

    happened = [(one.at_us, outcome.end, outcome.waited_us) for one, outcome in really]
    assert again() == happened
    past.bodies = Bodies()
    assert again() != happened
