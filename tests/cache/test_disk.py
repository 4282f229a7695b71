"""The SQLite file: its bound, who shares it, and what becomes of it when the disk does what disks do."""

import asyncio
import random
import sqlite3
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from tidegate.cache.answers import Answers
from tidegate.cache.disk import MAX_JOBS, NAME, Disk
from tidegate.cache.memory import Memory
from tidegate.cache.shelf import LEAST_BYTES, Shelf
from tidegate.clock import SystemClock
from tidegate.model.caching import CacheSettings
from tidegate.ports import StoreError
from tidegate.testing.clock import SECOND, ManualClock
from tidegate.testing.kept import HOUR, NothingPurged, Told, entry_of, key_of

MIB = 1 << 20


async def fill(disk: Disk, clock: ManualClock, numbers: range, size: int = 10_000) -> None:
    luck = random.Random(numbers.start)
    for number in numbers:
        await disk.put(key_of(number), luck.randbytes(size), clock.wall() + HOUR)
        clock.stall(1_000)


async def there(disk: Disk, numbers: range) -> list[int]:
    return [number for number in numbers if await disk.get(key_of(number)) is not None]


def on_disk(path: Path) -> int:
    return sum(one.stat().st_size for one in path.parent.glob(NAME + "*"))


@pytest.fixture
async def small(tmp_path: Path, clock: ManualClock, told: Told) -> AsyncIterator[Disk]:
    store = Disk(tmp_path / NAME, 4 * MIB, clock, told)
    yield store
    await store.close()


async def test_the_file_stays_within_its_bound(small: Disk, clock: ManualClock, tmp_path: Path) -> None:
    """However much is put; those that were not used for longest have gone, the youngest are there."""
    await fill(small, clock, range(1_500))
    entries, held = small.holds
    assert held <= 4 * MIB
    assert (tmp_path / NAME).stat().st_size <= 4 * MIB
    assert on_disk(tmp_path / NAME) <= 9 * MIB  # with its log
    found = await there(small, range(1_500))
    assert len(found) == entries > 200
    assert found == list(range(1_500 - entries, 1_500))


async def test_what_is_used_stays(small: Disk, clock: ManualClock) -> None:
    """An answer that is asked for now and then outlives those that are not."""
    await fill(small, clock, range(100))
    for start in range(1_000, 2_000, 50):
        assert await small.get(key_of(7)) is not None
        await fill(small, clock, range(start, start + 50))
    assert await there(small, range(100)) == [7]


async def test_what_is_past_goes_first(small: Disk, clock: ManualClock) -> None:
    """Before anything that could still be used."""
    await fill(small, clock, range(100))
    for number in range(100, 300):
        await small.put(key_of(number), bytes(10_000), clock.wall() + SECOND)
    await clock.advance(2 * SECOND)
    await fill(small, clock, range(1_000, 1_100))
    assert await there(small, range(100)) == list(range(100))
    assert await there(small, range(100, 300)) == []


async def test_one_that_would_take_a_quarter_is_not_kept(small: Disk, clock: ManualClock) -> None:
    """It would push out too many others."""
    await small.put(key_of(1), bytes(MIB + 1), clock.wall() + HOUR)
    assert await small.get(key_of(1)) is None
    await small.put(key_of(1), bytes(MIB), clock.wall() + HOUR)
    assert await small.get(key_of(1)) is not None


async def test_it_outlives_the_process(small: Disk, clock: ManualClock, told: Told, tmp_path: Path) -> None:
    """What was put is there after a restart; nobody but its owner may read the file."""
    await fill(small, clock, range(10))
    await small.close()
    again = Disk(tmp_path / NAME, 4 * MIB, clock, told)
    assert await there(again, range(10)) == list(range(10))
    assert again.holds[0] == 10
    await again.close()
    assert (tmp_path / NAME).stat().st_mode & 0o777 == 0o600
    assert told.lines == []


async def test_a_smaller_bound_holds_after_a_restart(tmp_path: Path, clock: ManualClock, told: Told) -> None:
    """The file shrinks, and keeps what fits."""
    large = Disk(tmp_path / NAME, 8 * MIB, clock, told)
    await fill(large, clock, range(600))
    await large.close()
    assert (tmp_path / NAME).stat().st_size > 5 * MIB
    small = Disk(tmp_path / NAME, 2 * MIB, clock, told)
    assert len(await there(small, range(600))) > 100
    assert (tmp_path / NAME).stat().st_size <= 2 * MIB
    await fill(small, clock, range(700, 800))
    await small.close()
    assert (tmp_path / NAME).stat().st_size <= 2 * MIB


async def test_workers_share_the_file(small: Disk, clock: ManualClock, told: Told, tmp_path: Path) -> None:
    """What one puts the other has; both write at the same time."""
    other = Disk(tmp_path / NAME, 4 * MIB, clock, told)
    await asyncio.gather(fill(small, clock, range(50), 100), fill(other, clock, range(50, 100), 100))
    assert await there(small, range(100)) == await there(other, range(100)) == list(range(100))
    await other.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from tidegate.cache.disk import Disk
from tidegate.clock import SystemClock
from tidegate.testing.kept import HOUR, Told, key_of
async def main():
    clock = SystemClock()
    disk = Disk(Path(sys.argv[1]), 1 << 24, clock, Told())
    number = 0
    while True:
        await disk.put(key_of(number), b"%d" % number * 1_000, clock.wall() + HOUR)
        number += 1
        if number == 50:
            print("fifty", flush=True)
asyncio.run(main())
"""


def kill_in_the_middle(path: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE)
    assert child.stdout is not None
    assert child.stdout.readline() == b"fifty\n"
    child.kill()
    child.wait()
    child.stdout.close()


def remove(folder: Path) -> None:
    for path in folder.glob(NAME + "*"):
        path.unlink()


async def test_kill_9_in_the_middle_of_a_write_harms_nothing(tmp_path: Path, told: Told) -> None:
    """What was put is there, each byte of it, and the file goes on."""
    kill_in_the_middle(tmp_path / NAME)
    clock = SystemClock()
    disk = Disk(tmp_path / NAME, 1 << 24, clock, told)
    for number in range(50):
        assert await disk.get(key_of(number)) == b"%d" % number * 1_000
    await disk.put(key_of(1), b"again", clock.wall() + HOUR)
    assert await disk.get(key_of(1)) == b"again"
    await disk.close()
    assert told.lines == []


async def test_a_locked_file_is_read_and_not_written(disk: Disk, clock: ManualClock, tmp_path: Path) -> None:
    """By somebody who does not let go: `StoreError`, soon, and all is well when they do."""
    await disk.put(key_of(1), b"one", clock.wall() + HOUR)
    other = sqlite3.connect(tmp_path / NAME, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="locked"):
        await disk.put(key_of(2), b"two", clock.wall() + HOUR)
    assert await disk.get(key_of(1)) == b"one"
    other.execute("ROLLBACK")
    other.close()
    await disk.put(key_of(2), b"two", clock.wall() + HOUR)
    assert await disk.get(key_of(2)) == b"two"


FULL = """
import asyncio, resource, sys
from pathlib import Path
from tidegate.cache.disk import Disk
from tidegate.clock import SystemClock
from tidegate.ports import StoreError
from tidegate.testing.kept import HOUR, Told, key_of
async def main():
    clock, told = SystemClock(), Told()
    disk = Disk(Path(sys.argv[1]), 1 << 26, clock, told)
    await disk.put(key_of(0), b"first" * 1_000, clock.wall() + HOUR)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 30))
    refused = 0
    for number in range(1, 200):
        try:
            await disk.put(key_of(number), bytes(20_000), clock.wall() + HOUR)
        except StoreError:
            refused += 1
    kept = await disk.get(key_of(0)) == b"first" * 1_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 30, 1 << 30))
    await disk.put(key_of(500), b"last", clock.wall() + HOUR)
    print(refused > 100, kept, await disk.get(key_of(500)) == b"last", told.lines)
    await disk.close()
asyncio.run(main())
"""


def test_a_disk_that_takes_no_more_is_read_and_goes_on(tmp_path: Path) -> None:
    """The kernel refuses to make the file longer: `StoreError`, reads go on, and so do writes when there is room."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path / NAME)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "True", "True", "[]"]


@pytest.mark.parametrize("how", ["noise", "cut", "text", "pages"])
async def test_a_damaged_file_is_moved_aside(how: str, tmp_path: Path, clock: ManualClock, told: Told) -> None:
    """A new one is made, once, and it is said once in the log; nothing wrong is ever given back."""
    path = tmp_path / NAME
    disk = Disk(path, 16 * MIB, clock, told)
    await fill(disk, clock, range(100))
    await disk.close()
    data = bytearray(path.read_bytes())
    if how == "noise":
        path.write_bytes(random.Random(1).randbytes(len(data)))
    elif how == "cut":
        path.write_bytes(data[: len(data) // 3])
    elif how == "text":
        path.write_text("this is no database")
    else:
        data[4_096 : 4_096 * 40] = random.Random(2).randbytes(4_096 * 39)
        path.write_bytes(data)
    again = Disk(path, 16 * MIB, clock, told)
    luck = random.Random(0)
    for number in range(100):
        expected = luck.randbytes(10_000)
        found = await again.get(key_of(number))
        assert found is None or found == expected or how == "pages"
    await fill(again, clock, range(200, 300))
    assert await there(again, range(200, 300)) == list(range(200, 300))
    await again.close()
    assert (tmp_path / (NAME + ".damaged")).exists()
    assert len(told.lines) == 1
    assert told.lines[0][0] == "warning"
    assert "moved aside" in told.lines[0][1]


async def test_a_file_that_is_damaged_in_use_is_replaced_for_all_who_share_it(
    disk: Disk, clock: ManualClock, told: Told, tmp_path: Path
) -> None:
    """Whoever finds it moves it aside; the other goes on with the new one, and nothing is said twice."""
    other = Disk(tmp_path / NAME, 16 * MIB, clock, told)
    await fill(disk, clock, range(300), 2_000)
    await fill(other, clock, range(300, 400), 2_000)
    with sqlite3.connect(tmp_path / NAME) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    data = bytearray((tmp_path / NAME).read_bytes())
    data[4_096:] = random.Random(1).randbytes(len(data) - 4_096)
    with (tmp_path / NAME).open("r+b") as file:
        file.write(data)
    for number in range(500, 520):
        await disk.put(key_of(number), b"new", clock.wall() + HOUR)
        await other.put(key_of(number + 100), b"new", clock.wall() + HOUR)
    numbers = range(500, 700)
    assert await there(disk, numbers) == await there(other, numbers) == [*range(500, 520), *range(600, 620)]
    await other.close()
    assert len(told.lines) == 1


async def test_what_a_damaged_file_left_beside_it_is_not_taken_over(
    disk: Disk, clock: ManualClock, told: Told, tmp_path: Path
) -> None:
    """A log that a killed process left belongs to the file that is moved aside."""
    await fill(disk, clock, range(100), 5_000)
    with sqlite3.connect(tmp_path / NAME) as base:
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    base.close()
    await fill(disk, clock, range(100, 120), 5_000)
    left = (tmp_path / (NAME + "-wal")).read_bytes()
    size = (tmp_path / NAME).stat().st_size
    assert left
    path = tmp_path / "again" / NAME
    path.parent.mkdir()
    path.write_bytes(random.Random(1).randbytes(size))
    path.with_name(NAME + "-wal").write_bytes(left)
    again = Disk(path, 16 * MIB, clock, told)
    assert await there(again, range(100)) == []
    await fill(again, clock, range(500, 520))
    assert await there(again, range(1_000)) == list(range(500, 520))
    await again.close()
    assert len(told.lines) == 1


def test_who_finds_the_damage_second_moves_nothing(tmp_path: Path, clock: ManualClock, told: Told) -> None:
    """The new file that stands there is somebody else's, and good."""
    first, second = (Shelf(tmp_path / NAME, 16 * MIB, clock, told) for _ in range(2))
    for shelf in (first, second):
        shelf.put(key_of(1), b"old", clock.wall() + HOUR)
    first._move_aside("it is damaged")
    first.put(key_of(1), b"new", clock.wall() + HOUR)
    second._move_aside("it is damaged")
    assert second.get(key_of(1)) == b"new"
    assert len(told.lines) == 1
    first.close()
    second.close()


async def test_nobody_who_reads_waits_behind_what_is_written(disk: Disk, clock: ManualClock) -> None:
    """When both wait for the disk, reads go first; one whose caller has gone is not made."""
    moves, done = threading.Event(), list[str]()
    loop = asyncio.get_running_loop()
    works = [disk._do(disk._writes, moves.wait)]
    works += [disk._do(disk._writes, partial(done.append, "write")) for _ in range(3)]  # type: ignore[list-item]
    works += [disk._do(disk._reads, partial(done.append, "read")) for _ in range(3)]  # type: ignore[list-item]
    tasks = []
    for work in works:
        tasks.append(loop.create_task(work))
        await asyncio.sleep(0)
    tasks[-1].cancel()
    await asyncio.sleep(0)
    moves.set()
    await asyncio.gather(*tasks[:-1])
    assert done == ["read"] * 2 + ["write"] * 3


async def test_a_file_of_another_version_is_moved_aside(tmp_path: Path, clock: ManualClock, told: Told) -> None:
    """A cache is not migrated."""
    base = sqlite3.connect(tmp_path / NAME)
    base.execute("PRAGMA user_version = 99")
    base.close()
    disk = Disk(tmp_path / NAME, MIB, clock, told)
    await disk.put(key_of(1), b"one", clock.wall() + HOUR)
    assert await disk.get(key_of(1)) == b"one"
    await disk.close()
    assert len(told.lines) == 1


async def test_a_file_that_is_removed_is_made_again(disk: Disk, clock: ManualClock, tmp_path: Path) -> None:
    """Whoever empties the cache with `rm` gets what they want."""
    await disk.put(key_of(1), b"one", clock.wall() + HOUR)
    remove(tmp_path)
    assert await disk.get(key_of(1)) is None
    await disk.put(key_of(1), b"two", clock.wall() + HOUR)
    assert await disk.get(key_of(1)) == b"two"


async def test_a_place_that_cannot_be_written_is_told(tmp_path: Path, clock: ManualClock, told: Told) -> None:
    """Each time, as the error of a layer."""
    disk = Disk(tmp_path / "none" / NAME, MIB, clock, told)
    for _ in range(2):
        with pytest.raises(StoreError, match="No such file"):
            await disk.get(key_of(1))
    await disk.close()


async def test_a_disk_that_stands_still_is_not_asked_for_more(disk: Disk, clock: ManualClock, tmp_path: Path) -> None:
    """Too many jobs are refused; those whose callers have gone are skipped when it goes on."""
    await disk.put(key_of(1), b"one", clock.wall() + HOUR)
    await disk.get(key_of(1))
    begun, moves = threading.Event(), threading.Event()

    def stand() -> bool:
        begun.set()
        return moves.wait()

    stands = asyncio.get_running_loop().create_task(disk._do(disk._writes, stand))
    try:
        assert await asyncio.to_thread(begun.wait, 30)
        waiting = [asyncio.get_running_loop().create_task(disk.get(key_of(1))) for _ in range(MAX_JOBS + 5)]
        for _ in range(3):
            await asyncio.sleep(0)
        refused = [task for task in waiting if task.done()]
        assert len(refused) == 5
        for task in waiting[:-6]:
            task.cancel()
    finally:
        moves.set()
    await stands
    found = await asyncio.gather(*waiting, return_exceptions=True)
    assert found.count(b"one") >= 1
    assert sum(isinstance(one, StoreError) for one in found) == len(refused)


async def test_what_the_disk_kept_is_found_after_a_restart(tmp_path: Path, told: Told) -> None:
    """Through `Answers`, as a worker has it, at real time."""
    clock, settings = SystemClock(), CacheSettings(redis_timeout_us=5_000_000)
    entry = entry_of(1, b'{"a":1}' * 10_000, wall=clock.wall())
    for turn in range(2):
        answers = Answers(
            Memory(1 << 20), [Disk(tmp_path / NAME, LEAST_BYTES, clock, told)], settings, NothingPurged(), clock, told
        )
        found = await answers.later(entry.key, clock.now() + 10 * SECOND)
        assert (found is not None and found.body == entry.body) == bool(turn)
        if not turn:
            answers.keep(entry)
        await answers.close()
    assert told.lines == []
