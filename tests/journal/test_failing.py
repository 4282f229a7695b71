"""A journal that cannot be written: full, failing or silent disks, by either policy."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import tidegate.journal.segment as segment_module
from tests.journal.facts import FixedClock, intent, record
from tidegate.journal import keeper as keeper_module
from tidegate.journal.follow import tell_taken
from tidegate.journal.journal import Journal, read
from tidegate.journal.segment import numbers, path_of
from tidegate.model.facts import CallRecord
from tidegate.model.snapshot import JournalSettings

SMALL = JournalSettings(segment_bytes=4_096, keep_bytes=1_000_000)


class Disk:
    """Stands for the disk: it has no room while `full`, and does the background's work when it is told to."""

    def __init__(self) -> None:
        self.full = False
        self.silent = False
        self.waiting: list[Callable[[], None]] = []

    def preallocate(self, descriptor: int, size: int) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.ftruncate(descriptor, size)

    def work(self, work: Callable[[], None]) -> None:
        if self.silent:
            self.waiting.append(work)
        else:
            work()

    def answer(self) -> None:
        self.silent = False
        for work in self.waiting:
            work()
        self.waiting.clear()


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk()
    monkeypatch.setattr(segment_module, "_preallocate", disk.preallocate)
    return disk


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


Open = Callable[[str], Journal]


@pytest.fixture
def opened(tmp_path: Path, disk: Disk, clock: FixedClock) -> Iterator[Open]:
    journals: list[Journal] = []

    def make(policy: str) -> Journal:
        journals.append(Journal(tmp_path, SMALL, clock, policy, disk.work))
        return journals[-1]

    yield make
    for journal in journals:
        journal.close()


def ids(directory: Path) -> list[int]:
    return [fact.call_id for fact in read(directory) if isinstance(fact, CallRecord)]


def test_stop_refuses_and_loses_nothing(tmp_path: Path, opened: Open, disk: Disk, clock: FixedClock) -> None:
    """Intents are refused first; a record that finds no room is refused too, and written when there is room again."""
    journal, wanted, refused = opened("stop"), 100, 0
    disk.full = True
    with pytest.raises(OSError, match="no room"):
        for call in range(wanted):
            journal.append(intent(call))
    for call in range(wanted):
        try:
            journal.append(record(call))
        except OSError:
            refused += 1
    assert 0 < refused == journal.keeper.kept < wanted
    assert not journal.catch_up()
    disk.full = False
    clock.advance(1_000_000)
    assert journal.catch_up()
    assert sorted(ids(tmp_path)) == list(range(wanted))
    assert (journal.keeper.kept, journal.keeper.failing) == (0, "")


def test_continue_goes_on_and_counts(tmp_path: Path, opened: Open, disk: Disk, clock: FixedClock) -> None:
    """No call is told; attempts without an intent are counted, records are kept and written later."""
    journal, wanted = opened("continue"), 100
    disk.full = True
    for call in range(wanted):
        journal.append(intent(call))
        journal.append(record(call))
    keeper = journal.keeper
    assert keeper.kept > 0
    assert keeper.unwritten_intents > 0
    assert keeper.failing
    disk.full = False
    clock.advance(1_000_000)
    assert journal.catch_up()
    assert sorted(ids(tmp_path)) == list(range(wanted))
    assert keeper.dropped == 0


def test_what_is_kept_is_bounded(opened: Open, disk: Disk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the bound records are dropped, and counted."""
    monkeypatch.setattr(keeper_module, "MOST_KEPT", 5)
    journal = opened("continue")
    disk.full = True
    for call in range(100):
        journal.append(record(call))
    assert journal.keeper.kept == 5
    assert journal.keeper.dropped == journal.keeper.failures - 5 > 0


def test_a_record_that_is_lost_with_the_process_is_booked_by_its_intent(
    tmp_path: Path, opened: Open, disk: Disk, clock: FixedClock
) -> None:
    """Its intent stands in the journal and it stays open."""
    journal = opened("continue")
    journal.append(intent(1_000))
    disk.full = True
    for call in range(60):
        journal.append(record(call))
    journal.append(record(1_000))
    assert journal.keeper.kept
    journal.close()
    disk.full = False
    again = Journal(tmp_path, SMALL, clock)
    assert [one.call_id for one in again.open_calls] == [1_000]
    again.close()


def test_a_disk_that_does_not_answer_holds_up_nobody(tmp_path: Path, opened: Open, disk: Disk) -> None:
    """The next segment is made in the background; until then it is as if the disk were full."""
    journal = opened("stop")
    disk.silent = True
    with pytest.raises(OSError, match="does not answer"):
        for call in range(100):
            journal.append(intent(call))
    assert len(disk.waiting) == 1
    disk.answer()
    journal.append(intent(100))
    journal.append(record(100))
    assert ids(tmp_path) == [100]


@pytest.mark.parametrize("policy", ["stop", "continue"])
def test_a_suspect_disk(opened: Open, policy: str) -> None:
    """A sync that fails or hangs: by `stop` no attempt begins, records of calls in flight are written all the same."""
    journal = opened(policy)
    journal.append(intent(1))
    journal.suspect(OSError(errno.EIO, "Input/output error"))
    assert not journal.catch_up()
    if policy == "stop":
        with pytest.raises(OSError, match="Input/output"):
            journal.append(intent(2))
    else:
        journal.append(intent(2))
    journal.append(record(1))
    journal.suspect(None)
    assert journal.catch_up()
    journal.append(intent(3))


def test_what_is_in_the_database_makes_room_first(tmp_path: Path, opened: Open, disk: Disk) -> None:
    """On a full disk segments that were taken go before anything is refused."""
    journal = opened("stop")
    for call in range(200):
        journal.append(record(call))
    old = numbers(tmp_path)
    tell_taken(tmp_path, old[-2])
    room = iter([False, True])

    def preallocate(descriptor: int, size: int) -> None:
        disk.full = not next(room, True)
        disk.preallocate(descriptor, size)

    segment_module._preallocate = preallocate
    for call in range(200, 250):
        journal.append(record(call))
    assert not set(old[:-1]) & set(numbers(tmp_path))
    assert ids(tmp_path)[-1] == 249


def test_segments_that_go_before_they_are_taken_are_counted(tmp_path: Path, clock: FixedClock) -> None:
    """Those that were taken are not."""
    journal = Journal(tmp_path, JournalSettings(segment_bytes=4_096, keep_bytes=20_000), clock)
    for call in range(200):
        journal.append(record(call))
    tell_taken(tmp_path, numbers(tmp_path)[-1] - 1)
    assert journal.catch_up()
    before = journal.keeper.deleted_unread
    for call in range(200, 280):
        journal.append(record(call))
    assert journal.catch_up()
    assert journal.keeper.deleted_unread == before
    for call in range(280, 1_000):
        journal.append(record(call))
    assert journal.catch_up()
    assert journal.keeper.deleted_unread > before
    journal.close()


def test_ids_go_on_behind_those_of_the_last_run(tmp_path: Path, opened: Open) -> None:
    """Also through a checkpoint alone."""
    for _ in range(2):
        journal = opened("stop")
        journal.close()
    journal = opened("stop")
    assert journal.last_id == 0
    journal.append(intent(70))
    journal.append(record(71))
    journal.close()
    for _ in range(3):
        journal = opened("stop")
        assert journal.last_id == 71
        journal.close()
    assert path_of(tmp_path, 1).exists()
