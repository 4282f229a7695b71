"""How often somebody may come."""

import sys

from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access.meter import Meter
from tidegate.units import MINUTE_US

SECRET = b"secret"
SECOND = 1_000_000
START = 10**12


class Ledger:
    """GCRA of one name after the book, without bounds."""

    def __init__(self, per_minute: int, burst: int) -> None:
        self._interval, self._burst = -(-MINUTE_US // per_minute), burst
        self._paid_at = dict[bytes, int]()

    def take(self, name: bytes, now: int) -> int:
        paid_at = max(self._paid_at.get(name, 0), now)
        if paid_at + self._interval > now + self._burst * self._interval:
            return paid_at + self._interval - now - self._burst * self._interval
        self._paid_at[name] = paid_at + self._interval
        return 0


def name(number: int) -> bytes:
    return number.to_bytes(4)


def test_so_many_at_once_then_so_many_a_minute() -> None:
    """And the time that is named is the time at which the next is let in."""
    meter = Meter(60, 3, SECRET)
    assert [meter.take(b"a", START) for _ in range(5)] == [0, 0, 0, SECOND, SECOND]
    assert meter.take(b"a", START + SECOND - 1) == 1
    assert meter.take(b"a", START + SECOND) == 0
    assert meter.take(b"a", START + SECOND) == SECOND
    assert [meter.take(b"a", START + 60 * SECOND) for _ in range(4)] == [0, 0, 0, SECOND]


def test_names_are_apart() -> None:
    """One that is refused changes nothing for another."""
    meter = Meter(1, 1, SECRET)
    assert [meter.take(b"a", START), meter.take(b"a", START), meter.take(b"b", START)] == [0, MINUTE_US, 0]


def test_looking_counts_nothing() -> None:
    """It says what `take` would."""
    meter = Meter(60, 2, SECRET)
    assert [meter.wait(b"a", START) for _ in range(5)] == [0] * 5
    meter.take(b"a", START)
    meter.take(b"a", START)
    assert meter.wait(b"a", START) == meter.take(b"a", START) == SECOND


COMINGS = st.lists(st.tuples(st.integers(0, 8), st.integers(0, 40 * SECOND)), max_size=200)


@given(st.integers(1, 600), st.integers(1, 20), COMINGS)
def test_every_answer_is_the_ledgers(rpm: int, burst: int, comings: list[tuple[int, int]]) -> None:
    """With room for all names."""
    meter, ledger, now = Meter(rpm, burst, SECRET, max_names=9), Ledger(rpm, burst), START
    for who, later in comings:
        now += later
        said = meter.wait(name(who), now)
        assert said == meter.take(name(who), now) == ledger.take(name(who), now)


@given(st.integers(1, 600), st.integers(1, 20), COMINGS)
def test_nobody_is_freed_by_strangers(rpm: int, burst: int, comings: list[tuple[int, int]]) -> None:
    """With room for two names of nine: whom a ledger refuses, given what was let in, is refused."""
    meter, ledger, now = Meter(rpm, burst, SECRET, max_names=2), Ledger(rpm, burst), START
    for who, later in comings:
        now += later
        if meter.take(name(who), now) == 0:
            assert ledger.take(name(who), now) == 0


@given(st.integers(1, 100), st.integers(1, 9), st.integers(1, 100), st.integers(1, 9), COMINGS)
def test_another_limit_frees_nobody(
    rpm: int, burst: int, rpm2: int, burst2: int, comings: list[tuple[int, int]]
) -> None:
    """What is owed is owed until the moment that was named, also when the limit has changed since."""
    meter, now, owed = Meter(rpm, burst, SECRET), START, dict[int, int]()
    for number, (who, later) in enumerate(comings):
        now += later
        if number == len(comings) // 2:
            meter.change(rpm2, burst2)
        meter.take(name(who), now)
        paid_at = meter._debt(name(who), now)
        assert paid_at >= min(owed.get(who, 0), now + meter._span)
        owed[who] = paid_at


def test_a_million_addresses_take_bounded_memory_and_free_nobody() -> None:
    """Twelve megabytes whoever comes; who is at its limit stays there, and hardly an innocent is refused."""
    meter = Meter(60, 20, SECRET)
    for _ in range(20):
        meter.take(b"early", START)
    for number in range(1_000_000):  # within ten seconds
        meter.take(name(number), START + 10 * number)
        if number == 999_000:
            for _ in range(30):
                meter.take(b"late", START + 10 * number)
    now = START + 10 * SECOND
    assert len(meter) == 32_768
    assert held_bytes(meter) < 12_000_000
    assert [meter.take(b"early", now) for _ in range(11)] == [0] * 10 + [SECOND]
    assert meter.take(b"late", now) > 0
    innocents = [b"innocent %d" % number for number in range(2_000)]
    assert sum(meter.wait(who, now) > 0 for who in innocents) <= 4  # the bound is 2 %


def held_bytes(meter: Meter) -> int:
    tables = [meter._young, meter._old]
    entries = sum(sys.getsizeof(key) + sys.getsizeof(value) for table in tables for key, value in table.items())
    cells = 0 if meter._sketch is None else sys.getsizeof(meter._sketch._cells)
    return entries + sum(map(sys.getsizeof, tables)) + cells


def test_a_flood_that_has_passed_leaves_nothing() -> None:
    """Neither entries nor a sketch."""
    meter = Meter(60, 2, SECRET, max_names=4)
    for number in range(100):
        meter.take(name(number), START)
    assert meter._sketch is not None
    for turn in range(1, 4):
        meter.take(b"one", START + turn * 60 * SECOND)
    assert meter._sketch is None
    assert len(meter) == 1
