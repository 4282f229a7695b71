"""Files of bodies."""

from pathlib import Path

import pytest

from tests.journal.test_bodies import sample
from tidegate.journal import parcels


def test_as_written_so_read(tmp_path: Path) -> None:
    """All of it, in its order."""
    samples = [sample(number, bytes([number]) * number) for number in range(50)]
    path = parcels.write(tmp_path, 7, samples)
    assert list(parcels.read(path)) == samples
    assert (parcels.number_of(path), parcels.count_of(path)) == (7, 50)
    assert parcels.parcels(tmp_path) == [path]


@pytest.mark.parametrize("at", [0, 4, 12, 40, 90, -1])
def test_what_is_damaged_ends_a_parcel(tmp_path: Path, at: int) -> None:
    """What stands before it is read; cut or changed, nothing is made up."""
    samples = [sample(1), sample(2), sample(3)]
    path = parcels.write(tmp_path, 1, samples)
    data = path.read_bytes()
    for broken in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[len(data) + at + 1 if at < 0 else at + 1 :]):
        path.write_bytes(broken)
        found = list(parcels.read(path))
        assert found == samples[: len(found)]
        assert len(found) < 3


def test_other_files_are_nobody_s(tmp_path: Path) -> None:
    """Neither read nor deleted."""
    for name in ("x.bodies", "1.bodies", "a-1.bodies", "1-b.bodies", "notes"):
        (tmp_path / name).write_bytes(b"")
    assert parcels.parcels(tmp_path) == []
    assert parcels.make_room(tmp_path, 0, 0) == 0
    assert len(list(tmp_path.iterdir())) == 5


def test_nothing_is_left_where_there_was_no_room(tmp_path: Path) -> None:
    """The directory is gone: an error, and no half of a parcel."""
    with pytest.raises(OSError, match="No such file"):
        parcels.write(tmp_path / "gone", 1, [sample()])
    assert list(tmp_path.iterdir()) == []
