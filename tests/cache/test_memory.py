"""Answers in memory: what is bounded, who stays, and that nothing else is changed."""

import os
import random
import subprocess
import sys
import tracemalloc
from collections import OrderedDict
from collections.abc import Callable
from itertools import accumulate

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.cache.memory import PLACE_BYTES, Memory
from tidegate.model.cached import CacheEntry
from tidegate.testing.kept import entry_of, key_of

SIZE = entry_of(0, b"", wall=0).size + PLACE_BYTES


def memory_of(entries: int) -> Memory:
    return Memory(entries * SIZE)


def test_what_was_put_is_there() -> None:
    """The last one under its key; nothing else; and not what was dropped."""
    memory = memory_of(10)
    first, second = entry_of(1, b"", wall=0), entry_of(1, b"", wall=1)
    assert memory.get(key_of(1)) is None
    assert memory.put(first)
    assert memory.get(key_of(1)) is first
    memory.put(second)
    assert memory.get(key_of(1)) is second
    assert (len(memory), memory.bytes) == (1, SIZE)
    memory.drop(key_of(1))
    memory.drop(key_of(1))
    assert memory.get(key_of(1)) is None
    assert (len(memory), memory.bytes) == (0, 0)


def test_what_is_too_large_is_not_kept() -> None:
    """And what had its key is not there either: it was older."""
    memory = memory_of(10)
    memory.put(entry_of(1, b"", wall=0))
    assert not memory.put(entry_of(1, bytes(11 * SIZE), wall=0))
    assert memory.get(key_of(1)) is None
    assert not Memory(0).put(entry_of(1, wall=0))


def test_one_large_answer_makes_room_for_itself() -> None:
    """It pushes out as many as it needs."""
    memory = memory_of(100)
    for number in range(100):
        memory.put(entry_of(number, b"", wall=0))
    assert memory.put(entry_of(500, bytes(98 * SIZE), wall=0))
    assert memory.get(key_of(500)) is not None
    assert memory.bytes <= memory.max_bytes


def test_a_smaller_limit_holds_at_once() -> None:
    """And clearing forgets everything."""
    memory = memory_of(100)
    for number in range(100):
        memory.put(entry_of(number, b"", wall=0))
    memory.limit(10 * SIZE)
    assert memory.bytes <= 10 * SIZE
    assert 0 < len(memory) <= 10
    memory.clear()
    assert (len(memory), memory.bytes) == (0, 0)
    memory.put(entry_of(1, b"", wall=0))
    assert memory.get(key_of(1)) is not None


def test_who_is_asked_for_stays() -> None:
    """Ten answers that are asked for outlive a thousand that nobody asks for again."""
    memory = memory_of(50)
    for number in range(10):
        memory.put(entry_of(number, b"", wall=0))
        memory.get(key_of(number))
        memory.get(key_of(number))
    for number in range(100, 1_100):
        memory.put(entry_of(number, b"", wall=0))
    assert all(memory.get(key_of(number)) is not None for number in range(10))
    assert memory.evicted >= 1_000 - 50


def test_a_ghost_comes_back_into_the_main_queue() -> None:
    """What was pushed out and is asked for again soon is worth more than what is new."""
    memory = memory_of(40)
    for number in range(40):
        memory.put(entry_of(number, b"", wall=0))
        if number < 30:
            memory.get(key_of(number))
            memory.get(key_of(number))
    for number in range(100, 150):
        memory.put(entry_of(number, b"", wall=0))
    assert memory.get(key_of(102)) is None
    memory.put(entry_of(102, b"", wall=0))
    for number in range(200, 203):
        memory.put(entry_of(number, b"", wall=0))
    assert memory.get(key_of(102)) is not None


def test_what_is_dropped_leaves_nothing_behind() -> None:
    """However often, where nothing has to make room."""
    memory = memory_of(1_000)
    for number in range(5_000):
        memory.put(entry_of(number % 300, b"", wall=number))
        memory.drop(key_of(number % 300))
    assert len(memory._small) + len(memory._main) < 100
    assert memory.bytes == 0


STEPS = st.lists(
    st.tuples(st.sampled_from(("put", "put", "get", "drop", "limit")), st.integers(0, 30), st.integers(0, 3_000)),
    max_size=120,
)


@settings(deadline=None)
@given(STEPS, st.integers(1, 12))
def test_it_never_lies_and_never_grows(steps: list[tuple[str, int, int]], room: int) -> None:
    """Whatever happens: an answer is the last one put under its key, and the bytes are those of what is there."""
    memory, put = memory_of(room), dict[bytes, CacheEntry]()
    for what, number, size in steps:
        key = key_of(number)
        if what == "put":
            put[key] = entry_of(number, bytes(size), wall=0)
            memory.put(put[key])
        elif what == "drop":
            memory.drop(key)
            put.pop(key, None)
        elif what == "limit":
            memory.limit((number % 12 + 1) * SIZE)
        else:
            found = memory.get(key)
            assert found is None or found is put[key]
        assert memory.bytes <= memory.max_bytes
        held = [place.size for place in memory._places.values()]
        assert memory.bytes == sum(held) + 120 * len(memory._ghost_line)
        assert len(memory._small) + len(memory._main) <= 2 * len(memory) + 65
        assert len(memory._ghosts) <= len(memory._ghost_line)
        assert memory._small_bytes == sum(place.size for place in memory._small if place.entry is not None)


@pytest.mark.parametrize("beats", [0, 40])
def test_its_bytes_are_real(beats: int) -> None:
    """What it says that it holds is not less than what is allocated for it, nor twice as much."""
    numbers = random.Random(5)

    def one(number: int) -> CacheEntry:
        entry = entry_of(number, bytes(300 + number % 7), wall=1 << 50)
        pieces = tuple([(numbers.randrange(300, 999), numbers.randrange(1 << 40)) for _ in range(beats)])
        return CacheEntry(entry.key, entry.kind, entry.dialect, entry.body, True, pieces, entry.labels, entry.cost,
                     entry.call_id, entry.stored_us, entry.fresh_until_us, entry.stale_until_us)  # fmt: skip

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        memory = Memory(1_000_000)
        for number in range(30_000 // (beats + 10)):
            memory.put(one(number))
        real = tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
    assert real <= memory.bytes <= 1_000_000
    assert real > memory.bytes // 2


MILLION = """
import resource, sys
from tidegate.cache.memory import Memory
from tidegate.testing.kept import entry_of
def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
def fill(first, count):
    most = 0
    for number in range(first, first + count):
        memory.put(entry_of(number, b"x" * (number % 1_000), wall=1 << 50))
        if memory.bytes > memory.max_bytes:
            raise SystemExit("too many bytes")
before = resident()
memory = Memory(32_000_000)
fill(0, 60_000)
full = resident()
fill(60_000, int(sys.argv[1]))
print(full - before, resident() - full, len(memory))
"""


def test_a_million_distinct_answers_stay_within_the_bound() -> None:
    """Of a process of its own: a memory of 32 MB takes no more than that, and none for those that come and go."""
    count = "1000000" if os.environ.get("CI") else "60000"
    done = subprocess.run([sys.executable, "-c", MILLION, count], capture_output=True, text=True, check=True)
    filled, grown, kept = map(int, done.stdout.split())
    assert filled < 36_000_000
    assert grown < 4_000_000
    assert kept > 15_000


class Lru:
    """What S3-FIFO is compared with."""

    def __init__(self, entries: int) -> None:
        self._most = entries
        self._known: OrderedDict[int, None] = OrderedDict()

    def ask(self, number: int) -> bool:
        hit = number in self._known
        self._known[number] = None
        self._known.move_to_end(number)
        if len(self._known) > self._most:
            self._known.popitem(last=False)
        return hit


def trace(scans: bool, skew: float, length: int = 30_000, objects: int = 5_000) -> list[int]:
    """Zipf; with `scans`, every now and then a run of what nobody asks for again."""
    luck = random.Random(3)
    weights = list(accumulate([1 / (rank + 1) ** skew for rank in range(objects)]))
    asked = luck.choices(range(objects), cum_weights=weights, k=length)
    if not scans:
        return asked
    mixed, fresh = list[int](), objects
    for start in range(0, length, 1_000):
        mixed += asked[start : start + 1_000]
        mixed += range(fresh, fresh + 700)
        fresh += 700
    return mixed


def hit_permille(ask: Callable[[int], bool], asked: list[int]) -> int:
    return sum(map(ask, asked)) * 1_000 // len(asked)


@pytest.mark.parametrize(
    ("scans", "skew", "share", "better"),
    [
        # share: of the objects that fit; better: thousandths of hits more than LRU, at least
        (False, 0.8, 0.01, 60),
        (False, 0.8, 0.1, 30),
        (False, 1.0, 0.01, 50),
        (False, 1.0, 0.1, 15),
        (True, 0.8, 0.02, 50),
        (True, 0.8, 0.1, 50),
        (True, 1.0, 0.02, 60),
        (True, 1.0, 0.1, 30),
    ],
)
def test_scans_push_out_nobody(scans: bool, skew: float, share: float, better: int) -> None:
    """On a Zipf trace S3-FIFO hits more often than LRU, with scans in it and without; ghosts paid for."""
    room = int(5_000 * share)
    asked, memory, lru = trace(scans, skew), memory_of(room), Lru(room)

    def ask(number: int) -> bool:
        if memory.get(key_of(number)) is not None:
            return True
        memory.put(entry_of(number, b"", wall=0))
        return False

    ours, theirs = hit_permille(ask, asked), hit_permille(lru.ask, asked)
    print(f"scans={scans} skew={skew} fits={share:.0%}: S3-FIFO {ours / 10} %, LRU {theirs / 10} %")
    assert ours >= theirs + better
