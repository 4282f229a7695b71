"""The writing side of the directory log. One process, the control process, owns it; its threads may share a roll."""

import contextlib
import errno
import os
import threading
from collections.abc import Iterable, Iterator
from pathlib import Path

from tidegate.directory.layout import KEYS_WERE_MANAGED, MAGIC, concerns_keys, frames, payloads, whole
from tidegate.model.directory import Change, decode
from tidegate.model.frames import Corrupt

_BATCH = 1_000


class Roll:
    """Appends changes, each of which has survived the death of the kernel when `append` returns."""

    __slots__ = ("_descriptor", "_end", "_lock", "_path")

    def __init__(self, path: Path) -> None:
        """Nothing is opened or written yet. The directory of `path` exists."""
        self._path = path
        self._lock = threading.Lock()
        self._descriptor = -1
        self._end = 0

    def append(self, changes: Iterable[Change]) -> None:
        """Write the changes: all workers of this node know them within a second. One fsync.

        Raises `OSError`, and nothing was written then: the disk is full, or the file is damaged and must be rewritten.
        """
        data = frames(changes)
        if not data:
            return
        with self._lock:
            if self._descriptor == -1:
                self._open()
            try:
                _write(self._descriptor, data, self._end)
                os.fsync(self._descriptor)
            except OSError:
                with contextlib.suppress(OSError):
                    os.ftruncate(self._descriptor, self._end)
                raise
            self._end += len(data)

    def rewrite(self, changes: Iterable[Change]) -> None:
        """Put the whole managed state in the place of what stands there: a new file, renamed. O(changes).

        Where keys were ever managed and none is left, the file goes on saying so: no key is no open door.
        Raises `OSError`, and the old file stays.
        """
        with self._lock:
            self._replace(changes)

    def close(self) -> None:
        """Let go of the file. Harmless when it is not open."""
        with self._lock:
            self._forget()

    def _open(self) -> None:
        """Go on behind the last whole record; what a death left behind it is cut off."""
        if not self._path.exists():
            self._replace(())
            return
        descriptor = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        try:
            os.fchmod(descriptor, 0o600)
            end = whole(self._path.read_bytes())
            os.ftruncate(descriptor, end)
        except Corrupt as damage:
            os.close(descriptor)
            message = f"{damage}; restart the gate: its control process writes the file anew"
            raise OSError(errno.EIO, message, str(self._path)) from None
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor, self._end = descriptor, end

    def _replace(self, changes: Iterable[Change]) -> None:
        new = self._path.with_name(self._path.name + ".new")
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            end = _write(descriptor, MAGIC, 0)
            for batch in _batches(self._keeping(changes)):
                end = _write(descriptor, frames(batch), end)
            os.fsync(descriptor)
            new.rename(self._path)
        except BaseException:
            os.close(descriptor)
            new.unlink(missing_ok=True)
            raise
        self._forget()
        self._descriptor, self._end = descriptor, end
        _sync_directory(self._path.parent)

    def _keeping(self, changes: Iterable[Change]) -> Iterator[Change]:
        """The changes, and at the end that keys were managed, where nothing else says so."""
        keyed = False
        for change in changes:
            keyed = keyed or concerns_keys(change)
            yield change
        if not keyed and _had_keys(self._path):
            yield KEYS_WERE_MANAGED

    def _forget(self) -> None:
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor != -1:
            os.close(descriptor)


def _write(descriptor: int, data: bytes, at: int) -> int:
    """Write all of it; returns the offset behind it."""
    view = memoryview(data)
    while view:
        written = os.pwrite(descriptor, view, at)
        at += written
        view = view[written:]
    return at


def _batches(changes: Iterator[Change]) -> Iterator[list[Change]]:
    batch: list[Change] = []
    for change in changes:
        batch.append(change)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    yield batch


def _had_keys(path: Path) -> bool:
    """Whether the file says that keys are managed; a damaged one may have said so."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return False
    try:
        return any(concerns_keys(decode(payload)) for payload, _ in payloads(data))
    except ValueError:
        return True


def _sync_directory(path: Path) -> None:
    """A name survives the death of the kernel when its directory does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
