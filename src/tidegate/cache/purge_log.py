"""What was purged, in `state_dir/cache.log`: control writes it, every worker of the node follows it.

8 bytes of magic, then a frame (`model/frames.py`) of msgpack for each purge. It is only appended to, or replaced as a
whole by another file of the same name: beyond `MOST` purges the older half becomes one of everything that was stored
until then, so that neither the file nor what a worker remembers grows. Purging twice changes nothing, so a reader may
begin again at any time.
"""

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tidegate.model.frames import HEADER, Corrupt, frame, unframe
from tidegate.model.record import Record

NAME: Final = "cache.log"
MAGIC: Final = b"TIDEGTP1"
MOST: Final = 4_096  # purges in the file
MAX_RECORD: Final = 1 << 14  # bytes
MAX_VALUE: Final = 4_096  # characters of what is named
WHAT: Final = ("all", "key", "tag", "model", "strategy", "namespace", "source")


class Purge(Record, frozen=True, array_like=True):
    """What was stored up to `wall_us` (µs since 1970) and fits is not there any more; in `namespace` only, if named."""

    what: str  # one of `WHAT`
    value: str
    namespace: str
    wall_us: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Purge).decode


def purges(data: bytes) -> Iterator[tuple[Purge, int]]:
    """Each whole purge and where it ends, in a file's bytes behind the magic. Raises `ValueError` at a damaged one."""
    at = 0
    while (payload := unframe(data, at, MAX_RECORD)) is not None:
        at += HEADER.size + len(payload)
        yield _decode(payload), at


class PurgeLog:
    """The writing side. Several processes may write: each append is made alone."""

    __slots__ = ("_most", "_path")

    def __init__(self, path: Path, most: int = MOST) -> None:
        """Nothing is opened or written yet. The directory of `path` exists; `most` purges is the file's bound."""
        self._path = path
        self._most = most

    def append(self, purge: Purge) -> None:
        """Say it: all workers of this node know within a second, and those that start later. One fsync.

        Raises `ValueError` for what no purge may name, and `OSError`, and then nothing is said.
        """
        if purge.what not in WHAT:
            raise ValueError(f"a purge names one of {', '.join(WHAT)}")
        if len(purge.value) > MAX_VALUE or len(purge.namespace) > MAX_VALUE:
            raise ValueError(f"a purge names at most {MAX_VALUE:,} characters")
        with self._alone():
            known, end, whole = self._read(purge.wall_us)
            if whole and known and len(known) < self._most:
                self._extend(purge, end)
            else:
                self._replace([*_fewer(known, self._most), purge])

    def _read(self, wall_us: int) -> tuple[list[Purge], int, bool]:
        """What the file says, where that ends, and whether it can be gone on with."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return [], 0, False
        known, end = [], len(MAGIC)
        try:
            if data[: len(MAGIC)] != MAGIC:
                raise Corrupt(0, len(data))
            for purge, behind in purges(data[len(MAGIC) :]):
                known.append(purge)
                end = len(MAGIC) + behind
        except ValueError:
            # Nobody knows what was purged: so everything was.
            return [Purge("all", "", "", wall_us)], 0, False
        return known, end, True

    def _extend(self, purge: Purge, end: int) -> None:
        """Behind the last whole one; what a death left there is cut off."""
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.ftruncate(descriptor, end)
            _write(descriptor, frame(_encode(purge)), end)
        except OSError:
            with contextlib.suppress(OSError):
                os.ftruncate(descriptor, end)
            raise
        finally:
            os.close(descriptor)

    def _replace(self, known: Iterable[Purge]) -> None:
        new = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(descriptor, MAGIC + b"".join([frame(_encode(purge)) for purge in known]), 0)
            new.replace(self._path)
            _sync_directory(self._path.parent)
        except BaseException:
            new.unlink(missing_ok=True)
            raise
        finally:
            os.close(descriptor)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        lock = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


def _fewer(known: list[Purge], most: int) -> list[Purge]:
    """Half of them, when they are too many: the older ones as one of everything, as of the last of them."""
    if len(known) < most:
        return known
    older, newer = known[: most // 2], known[most // 2 :]
    return [Purge("all", "", "", max(purge.wall_us for purge in older)), *newer]


def _write(descriptor: int, data: bytes, at: int) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        at += written
        view = view[written:]
    os.fsync(descriptor)


def _sync_directory(path: Path) -> None:
    """A name survives the death of the kernel when its directory does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
