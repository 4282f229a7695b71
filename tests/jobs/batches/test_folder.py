"""Files on disk."""

import stat
from pathlib import Path

from tidegate.jobs.batches.folder import Folder

HOUR_US = 3_600_000_000


def touched_us(path: Path) -> int:
    return path.stat().st_mtime_ns // 1_000


def test_a_folder_says_whose_it_is(tmp_path: Path) -> None:
    """The same to each process that shares it, another for another folder; nobody else's to look into."""
    one, same, other = Folder(tmp_path / "a"), Folder(tmp_path / "a"), Folder(tmp_path / "b")
    assert one.place == same.place != other.place
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o700
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["place"]


def test_only_what_nobody_knows_is_swept_and_not_at_once(tmp_path: Path) -> None:
    """What has a row stays, and so does what was touched within an hour: its row may be on its way."""
    folder = Folder(tmp_path)
    for name in ("known", "orphan"):
        part = folder.part()
        part.write(b"x")
        part.keep(name)
    left = folder.part()
    left.write(b"x")
    left.read()
    now = touched_us(tmp_path / "orphan")
    assert folder.sweep(now, lambda _: {"known"}) == 0
    assert folder.sweep(now + 2 * HOUR_US, lambda names: {"known"} & set(names)) == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["known", "place"]
    left.drop()


def test_a_part_is_whole_or_nothing(tmp_path: Path) -> None:
    """0600 under its name once it is kept; dropped, nothing is left."""
    folder = Folder(tmp_path)
    part = folder.part()
    part.write(b"data")
    part.keep("name")
    part.drop()
    with folder.open("name") as kept:
        assert kept.read() == b"data"
    assert stat.S_IMODE((tmp_path / "name").stat().st_mode) == 0o600
    folder.part().drop()
    folder.delete(["name", "none"])
    assert [path.name for path in tmp_path.iterdir()] == ["place"]
