"""The journal on real files."""

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tidegate.journal.segment as segment_module
from tests.journal.facts import FixedClock, intent, record
from tidegate.journal.journal import Journal, read
from tidegate.journal.segment import numbers, path_of
from tidegate.model.facts import Fact
from tidegate.model.shadow import Compared
from tidegate.model.snapshot import JournalSettings

SMALL = JournalSettings(segment_bytes=4_096, keep_bytes=1_000_000)


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Callable[..., Journal]]:
    """Opens journals in one directory and closes what is still open."""
    journals: list[Journal] = []

    def open_journal(journal_settings: JournalSettings = SMALL, clock: FixedClock | None = None) -> Journal:
        journals.append(Journal(tmp_path / "journal", journal_settings, clock or FixedClock()))
        return journals[-1]

    yield open_journal
    for journal in journals:
        journal.close()


FACTS = st.lists(
    st.one_of(
        st.builds(
            intent, st.integers(1, 30), tokens=st.integers(0, 10**12), lane=st.sampled_from(["d/s/a", "d/s/b/c"])
        ),
        st.builds(record, st.integers(1, 30), client=st.text(max_size=30)),
    ),
    max_size=150,
)


@settings(max_examples=40, deadline=None)
@given(facts=FACTS)
def test_what_was_appended_is_read_in_order(tmp_path_factory: pytest.TempPathFactory, facts: list[Fact]) -> None:
    """Over any number of segments and while the journal is still open, every fact is there once and in order."""
    directory = tmp_path_factory.mktemp("journal")
    journal = Journal(directory, SMALL, FixedClock())
    for fact in facts:
        journal.append(fact)
    assert list(read(directory)) == facts
    journal.close()
    assert list(read(directory)) == facts


def test_segments_rotate_and_no_record_straddles_two(tmp_path: Path, opened: Callable[..., Journal]) -> None:
    """Each segment is whole on its own: reading each by itself gives all records."""
    journal = opened()
    for call in range(200):
        journal.append(record(call))
    known = numbers(tmp_path / "journal")
    assert len(known) > 3
    assert known == list(range(1, len(known) + 1))
    assert all(path_of(tmp_path / "journal", number).stat().st_size <= 4_096 for number in known)
    assert [fact.call_id for fact in read(tmp_path / "journal")] == list(range(200))


def test_old_segments_go_beyond_keep_bytes(tmp_path: Path, opened: Callable[..., Journal]) -> None:
    """The journal's size stays bounded, the newest records stay."""
    journal = opened(JournalSettings(segment_bytes=4_096, keep_bytes=20_000))
    for call in range(2_000):
        journal.append(record(call))
    assert sum(path.stat().st_size for path in (tmp_path / "journal").iterdir()) <= 20_000 + 4_096
    kept = [fact.call_id for fact in read(tmp_path / "journal")]
    assert kept == list(range(kept[0], 2_000))
    assert kept[0] > 1_000


def test_a_torn_tail_ends_its_segment_only(tmp_path: Path, opened: Callable[..., Journal]) -> None:
    """A record that a dying kernel left half-written is not read; what came before it and later segments are."""
    first = opened()
    for call in range(3):
        first.append(record(call))
    first.close()
    path = path_of(tmp_path / "journal", 1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 0xFF
    path.write_bytes(data)
    second = opened()
    second.append(record(9))
    assert [fact.call_id for fact in read(tmp_path / "journal")] == [0, 1, 9]


@pytest.mark.parametrize("junk", [b"", b"TIDEGTJ1", bytes(4_096), b"no journal at all"])
def test_a_newest_segment_without_a_checkpoint_is_stepped_over(
    tmp_path: Path, opened: Callable[..., Journal], junk: bytes
) -> None:
    """After a power cut the newest file may hold nothing: the state comes from the one before it."""
    first = opened()
    first.append(intent(1))
    first.close()
    path_of(tmp_path / "journal", 2).write_bytes(junk)
    assert [call.call_id for call in opened().open_calls] == [1]


def test_two_writers_cannot_share_a_journal(opened: Callable[..., Journal]) -> None:
    """The second is refused at once and the first goes on."""
    first = opened()
    with pytest.raises(BlockingIOError):
        opened()
    first.append(record(1))


def test_a_fact_larger_than_a_segment_is_refused_and_the_journal_goes_on(
    tmp_path: Path, opened: Callable[..., Journal]
) -> None:
    """No endless rotation, nothing written of it."""
    journal = opened()
    with pytest.raises(ValueError, match="segment_bytes=4096"):
        journal.append(record(1, client="x" * 5_000))
    journal.append(record(2))
    assert [fact.call_id for fact in read(tmp_path / "journal")] == [2]


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


class FullDisk:
    """Stands for the disk: preallocation fails while `full`."""

    def __init__(self) -> None:
        self.full = False
        self.asked = 0

    def preallocate(self, descriptor: int, size: int) -> None:
        self.asked += 1
        if self.full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.ftruncate(descriptor, size)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    disk = FullDisk()
    monkeypatch.setattr(segment_module, "_preallocate", disk.preallocate)
    return disk


def fill(journal: Journal, fact: Callable[[int], Fact], limit: int = 1_000) -> int:
    """Appends until the disk is full; returns how many facts went in."""
    for count in range(limit):
        try:
            journal.append(fact(count))
        except OSError as error:
            return count if error.errno == errno.ENOSPC else -1
    raise AssertionError("the disk never was full")


def test_a_full_disk_refuses_intents_while_records_still_fit(
    tmp_path: Path, opened: Callable[..., Journal], disk: FullDisk
) -> None:
    """A quarter of the segment is left to the calls in flight; a full journal says ENOSPC and loses nothing."""
    journal = opened()
    disk.full = True
    accepted = fill(journal, intent)
    booked = fill(journal, record)
    assert booked >= 8
    facts = list(read(tmp_path / "journal"))
    assert len(facts) == accepted + booked


def test_a_disk_with_room_again_is_used_again_and_asked_once_a_second(
    opened: Callable[..., Journal], disk: FullDisk
) -> None:
    """While full, one preallocation a second; afterwards intents are accepted."""
    clock = FixedClock()
    journal = opened(clock=clock)
    disk.full = True
    fill(journal, intent)
    asked = disk.asked
    for _ in range(5):
        with pytest.raises(OSError, match="no room"):
            journal.append(intent(1))
    assert disk.asked == asked
    disk.full = False
    clock.advance(1_000_000)
    journal.append(intent(2))
    assert disk.asked == asked + 1


@pytest.mark.parametrize("policy", ["never", "interval", "always"])
def test_every_policy_keeps_every_fact(tmp_path: Path, opened: Callable[..., Journal], policy: str) -> None:
    """Rotation, `sync` and `close` lose nothing and leak no descriptor under any fsync policy."""
    before = descriptors()
    journal = opened(JournalSettings(fsync=policy, segment_bytes=4_096))
    for call in range(120):
        journal.append(record(call))
        if call % 50 == 49:
            journal.sync()
    assert [fact.call_id for fact in read(tmp_path / "journal")] == list(range(120))
    journal.sync()
    assert descriptors() <= before + 5  # its lock, two segments, and the next two as they are made


def test_a_closed_journal_leaves_no_unused_space(tmp_path: Path, opened: Callable[..., Journal]) -> None:
    """Preallocated bytes go back to the disk, by `close` or, after a crash, by the next run."""
    journal = opened(JournalSettings())
    journal.append(record(1))
    path = path_of(tmp_path / "journal", 1)
    assert path.stat().st_size == 4_194_304
    journal.close()
    assert path.stat().st_size < 300
    os.truncate(path, 4_194_304)
    opened()
    assert path.stat().st_size < 300


def test_what_came_of_a_candidate_is_a_fact_like_others(tmp_path: Path, opened: Callable[..., Journal]) -> None:
    """It is read again, and changes nothing of what is in flight."""
    journal = opened()
    compared = Compared(1, 2, 3, "chat", "new", "answered", 900, True, 10, 20, 30, 40, 50, 60)
    for fact in (intent(7), compared, record(7)):
        journal.append(fact)
    assert list(read(tmp_path / "journal")) == [intent(7), compared, record(7)]
    journal.close()
    assert opened().last_id == 7
