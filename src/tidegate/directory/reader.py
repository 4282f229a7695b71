"""The changes of one directory log, read from its beginning to wherever its writer has come."""

import os
from pathlib import Path

from tidegate.directory.layout import MAGIC, MAX_RECORD
from tidegate.model.directory import Change, decode
from tidegate.model.frames import HEADER, Corrupt, unframe

_READ = 1 << 16  # bytes; a longer record takes several reads


class Damaged(Exception):
    """What stands behind `at` cannot be read. The text says why, and nothing of what stands there."""

    def __init__(self, at: int, why: str) -> None:
        super().__init__(why)
        self.at = at


class Reader:
    """An open file. While it is, no other file can have its number, so that a replaced one is told from it."""

    __slots__ = ("_buffer", "_cursor", "_descriptor", "_device", "_inode", "at")

    def __init__(self, path: Path) -> None:
        """Raises `OSError`."""
        self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        shown = os.fstat(self._descriptor)
        self._device, self._inode = shown.st_dev, shown.st_ino
        self.at = 0  # behind the last change that was taken
        self._buffer = b""  # of the file, and `at` is at `_cursor` of it
        self._cursor = 0

    def reads(self, shown: os.stat_result) -> bool:
        """Whether this is the file that is shown, and all that was taken still stands there."""
        return shown.st_ino == self._inode and shown.st_dev == self._device and shown.st_size >= self.at

    def take(self, most: int) -> list[Change]:
        """The next changes; none when no more are whole. Raises `Damaged` once all before the damage were taken."""
        found: list[Change] = []
        try:
            if self.at == 0 and not self._begun():
                return found
            while len(found) < most:
                payload = unframe(self._buffer, self._cursor, MAX_RECORD)
                if payload is not None:
                    found.append(decode(payload))
                    self._pass(HEADER.size + len(payload))
                elif not self._read_on():
                    break
        except Corrupt as damage:
            if not found and not self._last(damage):
                raise Damaged(self.at, "a record is damaged") from None
        except ValueError:
            if not found:
                raise Damaged(self.at, "a record is of another version of Tidegate") from None
        if len(found) < most:
            self._buffer, self._cursor = b"", 0  # what is not whole may be cut off and written anew
        return found

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._descriptor)

    def _begun(self) -> bool:
        self._buffer = os.pread(self._descriptor, _READ, 0)
        if self._buffer[: len(MAGIC)] != MAGIC[: len(self._buffer)]:
            raise Damaged(0, "it is no directory log of this version of Tidegate")
        if len(self._buffer) < len(MAGIC):
            return False
        self._pass(len(MAGIC))
        return True

    def _pass(self, size: int) -> None:
        self.at += size
        self._cursor += size

    def _read_on(self) -> bool:
        """Have more of the file; False when there is no more of it, or what follows cannot become a record."""
        rest = self._buffer[self._cursor :]
        if len(rest) > HEADER.size + MAX_RECORD or (len(rest) >= HEADER.size and not any(rest[:4])):
            return False
        more = os.pread(self._descriptor, _READ, self.at + len(rest))
        self._buffer, self._cursor = rest + more, 0
        return bool(more)

    def _last(self, damage: Corrupt) -> bool:
        """Whether nothing stands behind it: then it may be one that is not whole."""
        end = self.at + damage.end - damage.at
        return damage.end - damage.at <= HEADER.size + MAX_RECORD and end >= os.fstat(self._descriptor).st_size
