"""One file of the journal: preallocated, mapped, append-only.

Layout: 8 bytes of magic, then records. A record is the payload's length (u32), its CRC-32 (u32) and the payload, one
msgpack array; a length of 0 ends the segment. The payload is written before its header, so a reader never sees a
record that is not whole, and the checksum finds what a dying kernel left half-written (`journal/scan.py` reads).

The first record of each segment is a `Checkpoint`, so that recovery never needs more than the newest segment.
"""

import mmap
import os
from pathlib import Path

import msgspec

from tidegate.model.facts import Fact, Intent
from tidegate.model.frames import HEADER as HEADER
from tidegate.model.frames import frame as frame

MAGIC = b"TIDEGTJ1"
SUFFIX = ".journal"
_READ_WRITE_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0)


class Checkpoint(msgspec.Struct, frozen=True, array_like=True, tag="k"):
    """What a segment inherits from those before it."""

    open: tuple[Intent, ...]  # one per call in flight, the charges of all its attempts summed
    lanes: tuple[Intent, ...]  # the last one of each lane
    last_id: int = 0  # the highest of a call


Record = Fact | Checkpoint


def path_of(directory: Path, number: int) -> Path:
    """The file of segment `number`."""
    return directory / f"{number:016d}{SUFFIX}"


def numbers(directory: Path) -> list[int]:
    """The segments of a journal in order; none when there is no such directory."""
    try:
        names = os.listdir(directory)  # noqa: PTH208 - looked at several times a second
    except (FileNotFoundError, NotADirectoryError):
        return []
    stems = [name.removesuffix(SUFFIX) for name in names if name.endswith(SUFFIX)]
    return sorted(int(stem) for stem in stems if stem.isdecimal())


class Segment:
    """A preallocated file, mapped for writing. The descriptor stays open for `fdatasync`."""

    __slots__ = ("descriptor", "memory", "path", "size")

    def __init__(self, path: Path, size: int) -> None:
        """Create and preallocate the file. Raises `OSError` (disk full, path exists) and leaves nothing behind."""
        self.path = path
        self.size = size
        self.descriptor = os.open(path, _READ_WRITE_NEW, 0o600)
        try:
            _preallocate(self.descriptor, size)
            self.memory = mmap.mmap(self.descriptor, size)
        except BaseException:
            os.close(self.descriptor)
            path.unlink(missing_ok=True)
            raise

    def begin(self, path: Path, checkpoint: bytes) -> int:
        """Write the checkpoint's record and take the final name: the segment is part of the journal or it is not.

        Returns the offset behind it. Raises `OSError`.
        """
        end = len(MAGIC) + len(checkpoint)
        self.memory[:end] = MAGIC + checkpoint
        self.path = self.path.rename(path)
        return end

    def discard(self) -> None:
        """Remove a segment that never became part of the journal."""
        self.memory.close()
        os.close(self.descriptor)
        self.path.unlink(missing_ok=True)


def _preallocate(descriptor: int, size: int) -> None:
    # A hole in a mapped file would turn a full disk into SIGBUS; blocks that exist turn it into ENOSPC, here.
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(descriptor, 0, size)
        return
    block = bytes(1 << 20)
    for offset in range(0, size, len(block)):
        os.pwrite(descriptor, block[: size - offset], offset)
