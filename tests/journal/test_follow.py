"""Following a journal that is being written."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.journal.facts import FixedClock, record
from tidegate.journal.follow import JournalReader, Position, identity, taken, tell_taken
from tidegate.journal.journal import Journal
from tidegate.journal.scan import Damage
from tidegate.journal.segment import numbers, path_of
from tidegate.model.facts import Fact
from tidegate.model.snapshot import JournalSettings

SMALL = JournalSettings(segment_bytes=4_096, keep_bytes=1_000_000)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = Journal(tmp_path, SMALL, FixedClock())
    yield opened
    opened.close()


def drain(follower: JournalReader, position: Position) -> tuple[list[Fact], list[Damage], Position, int]:
    """All there is now."""
    facts, damages, missed = [], [], 0
    while True:
        piece = follower.read(position)
        facts += piece.facts
        damages += piece.damages
        missed += piece.missed
        position = piece.position
        if not piece.more:
            return facts, damages, position, missed


def test_each_fact_once_however_reads_and_writes_meet(tmp_path: Path, journal: Journal) -> None:
    """Over segments, with looks in between and after nothing new."""
    follower, position, seen = JournalReader(tmp_path), Position(), []
    for call in range(300):
        journal.append(record(call))
        if call % 7 == 0:
            facts, damages, position, missed = drain(follower, position)
            seen += facts
            assert (damages, missed) == ([], 0)
    facts, _, position, _ = drain(follower, position)
    seen += facts
    assert [fact.call_id for fact in seen] == list(range(300))
    assert drain(follower, position)[0] == []
    assert position.segment == numbers(tmp_path)[-1]


def test_nothing_is_no_position(tmp_path: Path) -> None:
    """No directory, or an empty one."""
    assert drain(JournalReader(tmp_path / "none"), Position()) == ([], [], Position(), 0)


def test_what_is_half_written_is_waited_for(tmp_path: Path, journal: Journal) -> None:
    """In the newest segment a broken header is taken for one that is being written, whoever looks how often."""
    journal.append(record(1))
    follower = JournalReader(tmp_path)
    _, _, position, _ = drain(follower, Position())
    journal.append(record(2))
    path = path_of(tmp_path, position.segment)
    data = bytearray(path.read_bytes())
    data[position.offset + 4] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    for _ in range(3):
        assert drain(follower, position) == ([], [], position, 0)
    data[position.offset + 4] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    assert [fact.call_id for fact in drain(follower, position)[0]] == [2]


def test_a_damaged_record_is_told_once_a_whole_one_stands_behind_it(tmp_path: Path, journal: Journal) -> None:
    """At the second look, with its offset; the rest goes on."""
    journal.append(record(1))
    follower = JournalReader(tmp_path)
    _, _, position, _ = drain(follower, Position())
    for call in (2, 3):
        journal.append(record(call))
    path = path_of(tmp_path, position.segment)
    data = bytearray(path.read_bytes())
    data[position.offset + 20] ^= 1
    with path.open("r+b") as file:
        file.write(data)
    assert drain(follower, position)[:3] == ([], [], position)
    facts, damages, _, _ = drain(follower, position)
    assert [fact.call_id for fact in facts] == [3]
    assert [damage.offset for damage in damages] == [position.offset]


def test_damage_in_an_old_segment_is_told_at_once(tmp_path: Path, journal: Journal) -> None:
    """Also when it reaches to the segment's end, or the magic itself is gone."""
    for call in range(150):
        journal.append(record(call))
    first, second = (path_of(tmp_path, number) for number in numbers(tmp_path)[:2])
    first.write_bytes(first.read_bytes()[:-3] + b"abc")
    second.write_bytes(b"x" * 8 + second.read_bytes()[8:])
    facts, damages, _, missed = drain(JournalReader(tmp_path), Position())
    assert len(facts) == 149
    assert [damage.offset == 0 for damage in damages] == [False, True]
    assert missed == 0


def test_segments_that_went_before_they_were_read_are_counted(tmp_path: Path, journal: Journal) -> None:
    """Never silently."""
    for call in range(150):
        journal.append(record(call))
    known = numbers(tmp_path)
    follower = JournalReader(tmp_path)
    start = Position(known[0], 8)
    for number in known[:2]:
        path_of(tmp_path, number).unlink()
    facts, _, position, missed = drain(follower, start)
    assert missed == 2
    assert position.segment == known[-1]
    assert facts


def test_lag_is_what_lies_behind_the_position(tmp_path: Path, journal: Journal) -> None:
    """In bytes of files."""
    follower = JournalReader(tmp_path)
    assert follower.lag_bytes(Position()) == 4_096
    for call in range(150):
        journal.append(record(call))
    assert follower.lag_bytes(Position()) == sum(path.stat().st_size for path in tmp_path.glob("*.journal"))
    assert follower.lag_bytes(Position(numbers(tmp_path)[-1], 4_000)) == 96


def test_identity_and_what_is_taken_are_remembered(tmp_path: Path) -> None:
    """Both are small files beside the segments."""
    assert taken(tmp_path) == 0
    tell_taken(tmp_path, 7)
    assert taken(tmp_path) == 7
    first = identity(tmp_path)
    assert identity(tmp_path) == first
    assert len(first) == 32
