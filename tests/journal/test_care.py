"""What is done for a journal once a second, and what the log is told."""

import asyncio
import errno
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.facts import FixedClock, intent, record
from tidegate.journal.care import STALLED_US, Care, tell_damage
from tidegate.journal.journal import Journal
from tidegate.journal.segment import path_of
from tidegate.model.snapshot import JournalSettings


class Said:
    def __init__(self) -> None:
        self.events: list[str] = []

    def info(self, event: str, **fields: object) -> None:
        self.events.append(event)

    warning = error = info


class Disk:
    """A journal whose `sync` ends when it is told to, as it is told to."""

    def __init__(self, journal: Journal) -> None:
        self.loop = asyncio.get_running_loop()
        self.result: asyncio.Future[None] = self.loop.create_future()
        self.asked = 0
        self.journal = journal

    def run_in_executor(self, _executor: object, _work: object) -> asyncio.Future[None]:
        self.asked += 1
        return self.result


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock()


@pytest.fixture
def journal(tmp_path: Path, clock: FixedClock) -> Iterator[Journal]:
    opened = Journal(tmp_path, JournalSettings(fsync="interval", segment_bytes=4_096), clock)
    yield opened
    opened.close()


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
async def disk(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Disk:
    disk = Disk(journal)
    monkeypatch.setattr(asyncio, "get_running_loop", lambda: disk)
    return disk


async def test_a_journal_that_works_is_synced_and_not_spoken_of(
    journal: Journal, clock: FixedClock, said: Said
) -> None:
    """Once for each look."""
    care = Care(journal, clock, said, syncs=True)
    for _ in range(3):
        journal.append(record(1))
        await care.look()
        clock.advance(1_000_000)
    assert said.events == []


async def test_a_sync_that_hangs_makes_the_journal_suspect(
    journal: Journal, clock: FixedClock, said: Said, disk: Disk
) -> None:
    """No second one is begun meanwhile; when it comes back all is well."""
    care = Care(journal, clock, said, syncs=True)
    await care.look()
    clock.advance(STALLED_US - 1)
    await care.look()
    assert said.events == []
    clock.advance(1)
    await care.look()
    assert disk.asked == 1
    assert said.events == ["the journal cannot be written: calls are refused"]
    with pytest.raises(OSError, match="does not answer"):
        journal.append(intent(1))
    disk.result.set_result(None)
    clock.advance(1_000_000)
    await care.look()
    assert said.events[1:] == ["the journal is written again"]
    journal.append(intent(1))


async def test_a_sync_that_fails_is_told_now_and_again(
    journal: Journal, clock: FixedClock, said: Said, disk: Disk
) -> None:
    """At once, and once a minute while it lasts."""
    care = Care(journal, clock, said, syncs=True)
    disk.result.set_exception(OSError(errno.EIO, "Input/output error"))
    for _ in range(63):
        await care.look()
        clock.advance(1_000_000)
    assert said.events == ["the journal cannot be written: calls are refused"] * 2


async def test_a_sync_that_fails_of_a_defect_is_a_disk_that_fails(
    journal: Journal, clock: FixedClock, said: Said, disk: Disk
) -> None:
    """It does not go on unsaid, nor end the looks: the policy applies, until a sync works again."""
    care = Care(journal, clock, said, syncs=True)
    disk.result.set_exception(RuntimeError("a defect"))
    await care.look()
    await care.look()
    assert said.events == ["the journal cannot be written: calls are refused"]
    with pytest.raises(OSError, match="a defect"):
        journal.append(intent(1))
    disk.result = asyncio.Future(loop=disk.loop)
    disk.result.set_result(None)
    await care.look()
    await care.look()
    assert said.events[1:] == ["the journal is written again"]


async def test_records_that_are_lost_are_told_each_time_more_are(
    journal: Journal, clock: FixedClock, said: Said
) -> None:
    """And segments that went before they were in the database."""
    care = Care(journal, clock, said, syncs=False)
    journal.keeper.dropped = 3
    await care.look()
    await care.look()
    journal.keeper.dropped = 4
    journal._stock.deleted_unread = 1
    await care.look()
    assert [event.partition(":")[0] for event in said.events] == [
        "records of calls are lost", "records of calls are lost", "the journal reached `keep_bytes`",
    ]  # fmt: skip


async def test_what_was_damaged_in_the_last_run_is_named(tmp_path: Path, clock: FixedClock, said: Said) -> None:
    """Each segment, once."""
    first = Journal(tmp_path, JournalSettings(segment_bytes=4_096), clock)
    first.append(record(1))
    first.append(record(2))
    first.close()
    path = path_of(tmp_path, 1)
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    second = Journal(tmp_path, JournalSettings(segment_bytes=4_096), clock)
    tell_damage(second, said)
    second.close()
    assert len(said.events) == 1
