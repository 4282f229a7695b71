"""Nonces that outlive the worker that used them."""

import errno
import os
from pathlib import Path

import pytest

from tidegate.journal import nonces
from tidegate.journal.nonces import NonceFile, boot_of_machine, name_of_past

BOOT = b"b" * 16
SECOND = 1_000_000
START = 1_790_000_000 * SECOND + 400_000
FLOOR = 1_790_000_000 * SECOND - 1


def mark(number: int) -> bytes:
    return number.to_bytes(16)


def opened(directory: Path, boot: bytes = BOOT, wall: int = START) -> NonceFile:
    return NonceFile(directory, wall, boot)


def test_what_was_used_is_recalled(tmp_path: Path) -> None:
    """By the next process, and the one after it, without anybody having closed the file."""
    first = opened(tmp_path)
    assert (first.recalled, first.floor_us) == ([], FLOOR)
    first.append(mark(1), START)
    first.append(mark(2), START + 1)
    second = opened(tmp_path, wall=START + SECOND)
    assert (second.recalled, second.floor_us) == ([(mark(1), START), (mark(2), START + 1)], FLOOR)
    second.append(mark(3), START + 2)
    third = opened(tmp_path, wall=START + 2 * SECOND)
    assert [used for used, _ in third.recalled] == [mark(1), mark(2), mark(3)]
    for each in (first, second, third):
        each.close()


def test_a_generation_that_is_too_old_goes(tmp_path: Path) -> None:
    """With the floor that it leaves behind."""
    file = opened(tmp_path)
    file.append(mark(1), START)
    file.turn(FLOOR)
    file.append(mark(2), START)
    file.turn(START)
    file.append(mark(3), START)
    file.close()
    again = opened(tmp_path)
    assert [used for used, _ in again.recalled] == [mark(2), mark(3)]
    assert again.floor_us == START
    again.close()


@pytest.mark.parametrize("boot", [b"c" * 16, bytes(16)])
def test_after_another_boot_nothing_older_is_taken(tmp_path: Path, boot: bytes) -> None:
    """What the kernel had not written is gone, so whatever was signed before the start may have been used."""
    file = opened(tmp_path, boot)
    file.append(mark(1), START)
    file.close()
    again = opened(tmp_path, BOOT if boot != bytes(16) else boot, START + 7 * SECOND)
    assert again.floor_us == FLOOR + 7 * SECOND
    again.close()


@pytest.mark.parametrize("damage", [b"", b"TIDEGTN1", b"x" * 100])
def test_a_damaged_file_is_none(tmp_path: Path, damage: bytes) -> None:
    """As if it were of another boot."""
    opened(tmp_path).close()
    (tmp_path / "nonces").write_bytes(damage)
    again = opened(tmp_path, wall=START + 9 * SECOND)
    assert again.floor_us == FLOOR + 9 * SECOND
    again.close()


def test_half_a_record_is_none(tmp_path: Path) -> None:
    """It was never said to be used."""
    file = opened(tmp_path)
    file.append(mark(1), START)
    file.close()
    path = tmp_path / "nonces"
    path.write_bytes(path.read_bytes() + b"half")
    again = opened(tmp_path)
    assert again.recalled == [(mark(1), START)]
    again.close()


@pytest.mark.parametrize("step", ["before", "between"])
def test_a_turn_that_was_interrupted_loses_nothing(tmp_path: Path, step: str) -> None:
    """Either nothing has happened, or the start counts as one without a file: the floor is the start."""
    file = opened(tmp_path)
    file.append(mark(1), START)
    file.close()
    (tmp_path / "nonces.new").write_bytes(b"")
    if step == "between":
        (tmp_path / "nonces").replace(tmp_path / "nonces.old")
    again = opened(tmp_path, wall=START + 5 * SECOND)
    assert again.recalled == [(mark(1), START)]
    assert again.floor_us == (FLOOR if step == "before" else FLOOR + 5 * SECOND)
    again.close()


def test_a_full_disk_is_an_error_and_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The request is refused, and the next record stands where it should."""
    file = opened(tmp_path)
    write = os.write
    monkeypatch.setattr(nonces.os, "write", lambda fd, data: write(fd, data[:10]))
    with pytest.raises(OSError, match="No space left") as caught:
        file.append(mark(1), START)
    assert caught.value.errno == errno.ENOSPC
    with pytest.raises(OSError, match="No space left"):
        file.turn(START)
    monkeypatch.undo()
    file.append(mark(2), START)
    file.close()
    again = opened(tmp_path)
    assert again.recalled == [(mark(2), START)]
    again.close()


def test_a_boot_has_a_name_of_16_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Or zeros, on a system that does not tell."""
    assert len(boot_of_machine()) == 16
    monkeypatch.setattr(nonces, "_BOOT", tmp_path / "none")
    assert boot_of_machine() == bytes(16)


def test_a_past_is_that_of_the_namespaces_that_came_in_here() -> None:
    """In whatever order they are told; without a boot there is none."""
    pasts = {name_of_past(boot, elsewhere) for boot in (BOOT, b"c" * 16) for elsewhere in ((), ("a",), ("a", "b"))}
    assert len(pasts) == 6
    assert {len(past) for past in pasts} == {16}
    assert name_of_past(BOOT, ("b", "a")) in pasts
    assert name_of_past(bytes(16), ("a",)) == bytes(16)
