"""The folder of files: written under another name, synced, and only then called by their id. Blocks: for threads.

All files are 0600. A death between a file and its row leaves an orphan, which `sweep` deletes later.
"""

import contextlib
import os
import secrets
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, Final

FOLDER: Final = "files"
_PLACE: Final = "place"
_PART: Final = ".part"
_NEW_US: Final = 3_600_000_000  # what was touched within an hour may be on its way to a row
_STEP: Final = 500


class Part:
    """A file that is being written."""

    __slots__ = ("_file", "_folder", "_path", "size")

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._path = folder / f"{secrets.token_hex(12)}{_PART}"
        self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "w+b")
        self.size = 0

    def write(self, data: bytes) -> None:
        """Raises `OSError` where the disk is full."""
        self._file.write(data)
        self.size += len(data)

    def read(self) -> BinaryIO:
        """What was written, from its beginning."""
        self._file.flush()
        self._file.seek(0)
        return self._file

    def keep(self, name: str) -> None:
        """It is complete: on disk, name and all, when this returns."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._path.rename(self._folder / name)
        _sync(self._folder)

    def drop(self) -> None:
        """Leave nothing of it. Harmless when it was kept."""
        with contextlib.suppress(OSError):  # what could not be written out is not wanted any more
            self._file.close()
        self._path.unlink(missing_ok=True)


class Folder:
    """Where files are. `place` tells this folder from that of another gate with the same database."""

    __slots__ = ("path", "place")

    def __init__(self, path: Path) -> None:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path = path
        self.place = _place(path)

    def part(self) -> Part:
        """Begin a file."""
        return Part(self.path)

    def open(self, name: str) -> BinaryIO:
        """Raises `FileNotFoundError`."""
        return (self.path / name).open("rb")

    def delete(self, names: Iterable[str]) -> None:
        """Those that are there."""
        for name in names:
            (self.path / name).unlink(missing_ok=True)

    def sweep(self, wall: int, known: Callable[[list[str]], set[str]]) -> int:
        """Delete what nobody knows and nobody has touched for an hour; how many. `known`: which of these have a row."""
        old = [entry.name for entry in os.scandir(self.path) if entry.name != _PLACE and _is_old(entry, wall)]
        gone = 0
        for start in range(0, len(old), _STEP):
            names = old[start : start + _STEP]
            orphans = set(names) - known([name for name in names if not name.endswith(_PART)])
            self.delete(orphans)
            gone += len(orphans)
        return gone


def _is_old(entry: "os.DirEntry[str]", wall: int) -> bool:
    try:
        return entry.is_file(follow_symlinks=False) and entry.stat().st_mtime_ns // 1_000 < wall - _NEW_US
    except FileNotFoundError:
        return False


def _place(folder: Path) -> str:
    """Who comes first says it: a link is made whole or not at all."""
    path = folder / _PLACE
    if not path.exists():
        part = Part(folder)
        part.write(secrets.token_hex(8).encode())
        part.keep(own := secrets.token_hex(12) + _PART)
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(folder / own)
        (folder / own).unlink()
        _sync(folder)
    return path.read_text(encoding="ascii")


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
