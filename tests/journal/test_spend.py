"""What was spent, in its file, and the journal behind it."""

import os
from pathlib import Path

import pytest

from tests.journal.facts import FixedClock, intent, record
from tidegate.journal.follow import Position
from tidegate.journal.journal import Journal
from tidegate.journal.recover import recover
from tidegate.journal.spend import Loaded, SpendFile, since
from tidegate.model.snapshot import JournalSettings
from tidegate.model.spending import Spent

DAY = 86_400_000_000
AT = Position(1, 100)


def spent(amount: int, *, key: str = "ci", start: int = 0) -> Spent:
    return Spent("acme", "", key, "", "tokens_day", start, start + DAY, amount)


def load(path: Path) -> Loaded:
    return SpendFile(path).load()


def test_nothing_was_saved(tmp_path: Path) -> None:
    """Neither sums nor a position; the same for what is no such file."""
    path = tmp_path / "spend"
    assert load(path) == ([], None)
    path.write_bytes(b"{}")
    assert load(path) == ([], None)


def test_the_newest_sums_and_the_newest_position(tmp_path: Path) -> None:
    """Of each budget; others stand as they were saved."""
    file = SpendFile(tmp_path / "spend")
    file.save(AT, [spent(5), spent(7, key="cd")], 0)
    file.save(Position(2, 20), [spent(5), spent(2, start=DAY)], DAY)
    file.save(Position(2, 30), [], DAY)
    assert load(tmp_path / "spend") == ([spent(5), spent(2, start=DAY), spent(7, key="cd")], Position(2, 30))
    file.close()


@pytest.mark.parametrize("cut", [1, 5, 9])
def test_what_a_death_left_half_written_was_never_begun(tmp_path: Path, cut: int) -> None:
    """The position is the older one, so the journal has the rest."""
    path = tmp_path / "spend"
    file = SpendFile(path)
    file.save(AT, [spent(5)], 0)
    whole = path.stat().st_size
    file.save(Position(2, 20), [spent(6)], 0)
    file.close()
    os.truncate(path, path.stat().st_size - cut)
    assert path.stat().st_size > whole
    assert load(path) == ([spent(5)], AT)


def test_a_damaged_frame_is_the_end(tmp_path: Path) -> None:
    """What stands before it is right."""
    path = tmp_path / "spend"
    file = SpendFile(path)
    file.save(AT, [spent(5)], 0)
    whole = path.stat().st_size
    file.save(Position(2, 20), [spent(6)], 0)
    file.close()
    data = bytearray(path.read_bytes())
    data[whole + 12] ^= 1
    path.write_bytes(data)
    assert load(path) == ([spent(5)], AT)


def test_the_file_stays_small(tmp_path: Path) -> None:
    """However often it is saved; periods that are long over are left out."""
    path = tmp_path / "spend"
    file = SpendFile(path)
    file.save(AT, [spent(1, key="gone")], 0)
    for number in range(5_000):
        file.save(Position(2, number), [spent(number, start=30 * DAY)], 30 * DAY)
    file.close()
    assert path.stat().st_size < 100_000
    assert load(path) == ([spent(4_999, start=30 * DAY)], Position(2, 4_999))


def test_a_restart_goes_on_in_the_same_file(tmp_path: Path) -> None:
    """What the earlier run saved and this one has not changed stays."""
    path = tmp_path / "spend"
    SpendFile(path).save(AT, [spent(5), spent(7, key="cd")], 0)
    again = SpendFile(path)
    again.load()
    again.save(Position(3, 1), [spent(9)], 0)
    again.close()
    assert load(path) == ([spent(9), spent(7, key="cd")], Position(3, 1))


def test_a_file_that_cannot_be_written(tmp_path: Path) -> None:
    """Is said; the next save, when it can, has everything."""
    path = tmp_path / "away" / "spend"
    file = SpendFile(path)
    with pytest.raises(OSError, match="spend"):
        file.save(AT, [spent(5)], 0)
    path.parent.mkdir()
    file.save(Position(2, 2), [spent(6, key="cd")], 0)
    file.close()
    assert load(path) == ([spent(5), spent(6, key="cd")], Position(2, 2))


def test_calls_behind_a_position(tmp_path: Path) -> None:
    """Each once: those that were written after it, and those that were lost with the worker."""
    clock, settings = FixedClock(), JournalSettings(segment_bytes=65_536)
    journal = Journal(tmp_path, settings, clock)
    for number in range(1, 500):
        journal.append(intent(number))
        journal.append(record(number))
    position = journal.position
    for number in range(500, 1_000):
        journal.append(intent(number))
        journal.append(record(number))
    journal.append(intent(1_000))
    journal.close()
    again = Journal(tmp_path, settings, clock)
    recover(again)
    assert [call.call_id for call in since(tmp_path, position)] == list(range(500, 1_001))
    assert [call.call_id for call in since(tmp_path, again.position)] == []
    assert [call.call_id for call in since(tmp_path, None)] == list(range(1, 1_001))
    again.close()


def test_where_nothing_was_saved_only_the_newest_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A start does not take longer for an old journal."""
    monkeypatch.setattr("tidegate.journal.spend.UNKNOWN_BYTES", 150_000)
    journal = Journal(tmp_path, JournalSettings(segment_bytes=65_536), FixedClock())
    for number in range(1, 2_000):
        journal.append(record(number))
    journal.close()
    found = [call.call_id for call in since(tmp_path, None)]
    assert found == list(range(found[0], 2_000))
    assert 100 < len(found) < 1_500
    assert list(since(tmp_path / "none", None)) == []
