"""The changes of one log, however far it has been written."""

from pathlib import Path

import pytest

from tests.directory.scenes import many
from tidegate.directory.layout import MAGIC, MAX_RECORD, frames
from tidegate.directory.reader import Damaged, Reader
from tidegate.directory.roll import Roll
from tidegate.model.directory import Change, Gone, PutNamespace
from tidegate.model.frames import HEADER, frame
from tidegate.model.snapshot import Namespace

ACME, SHOP, GONE = PutNamespace(Namespace("acme")), PutNamespace(Namespace("shop")), Gone("key", "acme", "web")
HUGE = PutNamespace(Namespace("huge", models=tuple(f"model-{number}" for number in range(9_000))))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "directory.log"


def taken(reader: Reader, most: int = 3) -> list[Change]:
    found: list[Change] = []
    while changes := reader.take(most):
        found += changes
    return found


def test_read_while_it_is_written_at_every_byte(path: Path) -> None:
    """Each change is taken when its last byte is there, and once."""
    data = MAGIC + frames([ACME, SHOP, GONE])
    whole = {len(MAGIC + frames(changes)): changes for changes in ([], [ACME], [ACME, SHOP], [ACME, SHOP, GONE])}
    path.write_bytes(b"")
    reader, found, expected = Reader(path), [], []
    with path.open("ab", buffering=0) as file:
        for number in range(len(data)):
            file.write(data[number : number + 1])
            found += taken(reader)
            expected = whole.get(number + 1, expected)
            assert found == expected
    assert reader.at == len(data)


@pytest.mark.parametrize("size", [1, 7, 64, 1_000])
def test_in_slices_of_any_size(path: Path, size: int) -> None:
    """None are the last; also where one is longer than a read."""
    changes = [*many(300), HUGE, *many(300)]
    path.write_bytes(MAGIC + frames(changes))
    assert taken(Reader(path), size) == changes


def test_an_end_that_is_cut_off_and_written_anew(path: Path) -> None:
    """As a writer does that comes after one that died; what was read of the old end is not mixed with the new."""
    whole = MAGIC + frames([ACME])
    path.write_bytes(whole + frames([SHOP])[:-1])
    reader = Reader(path)
    assert taken(reader) == [ACME]
    with path.open("r+b") as file:
        file.truncate(len(whole))
        file.seek(len(whole))
        file.write(frames([GONE]))
    assert taken(reader) == [GONE]


def test_a_damaged_end_may_be_a_torn_one(path: Path) -> None:
    """The kernel died while it was written: nobody was told that it is there. What is followed by more is damage."""
    end = bytearray(frames([SHOP]))
    end[-1] ^= 1
    for last in (bytes(end), bytes(100), HEADER.pack(100, 7)):
        path.write_bytes(MAGIC + frames([ACME]) + last)
        reader = Reader(path)
        assert taken(reader) == [ACME]
        assert reader.at < path.stat().st_size
    path.write_bytes(MAGIC + frames([ACME]) + end + frames([GONE]))
    reader = Reader(path)
    assert reader.take(10) == [ACME]
    with pytest.raises(Damaged, match="a record is damaged"):
        reader.take(10)
    assert reader.at == len(MAGIC + frames([ACME]))


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"TIDEGTJ1" + frames([ACME]), "no directory log"),
        (b"x", "no directory log"),
        (MAGIC + HEADER.pack(MAX_RECORD + 1, 0), "damaged"),
        (MAGIC + frame(b"\xc1"), "another version"),
        (MAGIC + frame(b"\x82\xa4type\xa7unheard\xa1x\x01"), "another version"),
    ],
)
def test_what_cannot_be_read(path: Path, data: bytes, why: str) -> None:
    """A reason, and nothing of what stands there."""
    path.write_bytes(data)
    with pytest.raises(Damaged, match=why):
        Reader(path).take(10)


def test_which_file_it_reads(path: Path) -> None:
    """A replaced one is another, and so is one that is shorter than what was taken; one that has grown is not."""
    roll = Roll(path)
    roll.append([ACME, SHOP])
    reader = Reader(path)
    taken(reader)
    roll.append([GONE])
    assert reader.reads(path.stat())
    for _ in range(3):
        roll.rewrite([ACME, SHOP, GONE])
        assert not reader.reads(path.stat())
    reader = Reader(path)
    taken(reader)
    path.write_bytes(MAGIC)
    assert not reader.reads(path.stat())
    reader.close()
