"""What a member writes down of its cluster."""

from pathlib import Path

import msgspec

from tidegate.cluster.remembered import NAME, Remembered, load, save

ONE = Remembered("n/0", 250_000, 1_000_000, 4, 1_000)


def test_what_was_written_is_read(tmp_path: Path) -> None:
    """Nothing else of it stays; what cannot be read is nothing, and what cannot be written costs only that."""
    assert load(tmp_path) is None
    save(tmp_path, ONE)
    assert load(tmp_path) == ONE
    assert [path.name for path in tmp_path.iterdir()] == [NAME]
    (tmp_path / NAME).write_bytes(b"[]")
    assert load(tmp_path) is None
    save(tmp_path / "nowhere", ONE)


def test_it_is_written_when_it_says_something_new() -> None:
    """Another share, or the same one heard of long after."""
    assert not ONE.worth(msgspec.structs.replace(ONE, heard_wall_us=1_999), 1_000)
    assert ONE.worth(msgspec.structs.replace(ONE, heard_wall_us=2_000), 1_000)
    assert ONE.worth(msgspec.structs.replace(ONE, share_ppm=1, heard_wall_us=1_001), 1_000)
