"""The local journal: facts that survive the death of the process before `append` returns.

A record is copied into a shared mapping of a preallocated file: no system call, and the page belongs to the kernel,
so that `kill -9` loses nothing. What survives the death of the *kernel* is the fsync policy's business.

Old segments go beyond `keep_bytes`. Each segment begins with a checkpoint of what came before, so any number of old
ones may go, and recovery reads one. About 1.2 µs an append; memory is one segment.
"""

import errno
import fcntl
import os
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from tidegate.ledger.scan import Damage, records, scan
from tidegate.ledger.segment import HEADER, Checkpoint, Segment, frame, numbers, path_of
from tidegate.ledger.state import JournalState
from tidegate.model.facts import Fact, Intent
from tidegate.model.snapshot import JournalSettings
from tidegate.ports import Clock

LEVELS_US = 120_000_000  # two windows of a minute: an older level has refilled whatever the profile
_RETRY_US = 1_000_000
_PER_INTENT = 128  # bytes to expect of an intent in a checkpoint
_SPARE = "spare.tmp"
# Bound once: they are on the path of every call.
_pack_header: Final = HEADER.pack_into
_checksum: Final = crc32


def read(directory: Path) -> Iterator[Fact]:
    """All facts of a journal in order, over its segments; also while it is being written."""
    for number in numbers(directory):
        try:
            data = path_of(directory, number).read_bytes()
        except FileNotFoundError:
            continue
        for record, _ in records(data):
            if not isinstance(record, Checkpoint):
                yield record


class Journal:
    """`ports.Journal` on one directory, which it owns alone."""

    __slots__ = (
        "_clock",
        "_directory",
        "_encode",
        "_flush_always",
        "_lock",
        "_mark",
        "_memory",
        "_number",
        "_open",
        "_position",
        "_retired",
        "_retry_at",
        "_segment",
        "_settings",
        "_spare",
        "_state",
        "damaged",
    )

    def __init__(self, directory: Path, settings: JournalSettings, clock: Clock) -> None:
        """Open the journal in a segment of its own that inherits what the last run left open.

        Raises `OSError`: disk full, no permission, or `BlockingIOError` while another process writes here.
        """
        self._directory = directory
        self._settings = settings
        self._clock = clock
        self._encode = msgspec.msgpack.Encoder().encode
        self._flush_always = settings.fsync == "always"
        self._position = 0
        self._mark = 0
        self._number = 0
        self._spare: Segment | None = None
        self._retired: list[int] = []
        self._retry_at = 0
        self.damaged: list[str] = []  # segments of the last runs that hold what is no record
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(directory / "lock")
        try:
            (directory / _SPARE).unlink(missing_ok=True)
            known = numbers(directory)
            self._number = known[-1] if known else 0
            self._state = _inherited(directory, known, self.damaged)
            self._open = self._state.open
            self._begin(self._prepared())
            self._trim()
        except BaseException:
            os.close(self._lock)
            raise

    @property
    def open_calls(self) -> tuple[Intent, ...]:
        """Calls with an intent and no record, charges summed: after opening, those the last run took with it."""
        return tuple(self._state.open.values())

    @property
    def last_intents(self) -> dict[str, Intent]:
        """Each lane's last intent, as far as it is young enough for its level to matter."""
        self._state.forget_lanes(self._clock.wall() - LEVELS_US)
        return dict(self._state.lanes)

    def append(self, fact: Fact) -> None:
        """Write one fact; it survives this process when this returns. O(1).

        Raises `OSError` when the disk is full. Intents are refused first, while there is still room for the records
        of the calls in flight. Raises `ValueError` for a fact larger than a segment.
        """
        payload = self._encode(fact)
        size = len(payload)
        start = self._position
        if start + 8 + size > self._mark:
            self._make_room(fact, size)
            start = self._position
        end = start + 8 + size
        memory = self._memory
        memory[start + 8 : end] = payload
        _pack_header(memory, start, size, _checksum(payload))
        self._position = end
        if self._flush_always:
            page = start & -4096
            memory.flush(page, end - page)
        if type(fact) is Intent:
            self._state.intended(fact)
        else:
            self._open.pop(fact.call_id, None)

    def sync(self) -> None:
        """Write everything appended so far to the disk (policy `interval`). Raises `OSError`.

        Blocks: call it in a thread, one at a time.
        """
        retired, self._retired = self._retired, []
        current = self._segment.descriptor
        for descriptor in retired:
            os.fdatasync(descriptor)
            os.close(descriptor)
        os.fdatasync(current)
        if retired:
            self._sync_directory()

    def close(self) -> None:
        """Give memory, descriptors and the unused space back, once. Calls in flight stay open for the next run."""
        if self._lock < 0:
            return
        if self._spare is not None:
            self._spare.discard()
            self._spare = None
        self._retire(self._segment, self._position)
        for descriptor in self._retired:
            os.close(descriptor)
        self._retired = []
        os.close(self._lock)
        self._lock = -1

    def _make_room(self, fact: Fact, size: int) -> None:
        if size > self._settings.segment_bytes // 2:
            limit = self._settings.segment_bytes
            raise ValueError(f"a fact of {size} bytes does not fit a journal of segment_bytes={limit}")
        if self._spare is None:
            self._prepare_early(fact)
        if self._position + HEADER.size + size > self._segment.size:
            self._rotate()

    def _prepare_early(self, fact: Fact) -> None:
        try:
            self._trim()
            self._spare = self._prepared()
            self._mark = self._segment.size
        except OSError:
            if type(fact) is Intent:
                raise

    def _prepared(self) -> Segment:
        """A segment not yet of the journal. Asks a full disk once a second, not once a call."""
        now = self._clock.now()
        if now < self._retry_at:
            raise OSError(errno.ENOSPC, "no room for the journal", str(self._directory))
        inherited = len(self._state.open) + len(self._state.lanes)
        try:
            return self._created(2 * _PER_INTENT * inherited)
        except OSError:
            self._retry_at = now + _RETRY_US
            raise

    def _created(self, least: int) -> Segment:
        return Segment(self._directory / _SPARE, max(self._settings.segment_bytes, least))

    def _rotate(self) -> None:
        old, used = self._segment, self._position
        spare = self._spare or self._prepared()
        self._spare = None
        self._begin(spare)
        self._retire(old, used)

    def _begin(self, segment: Segment) -> None:
        self._state.forget_lanes(self._clock.wall() - LEVELS_US)
        checkpoint = frame(self._encode(self._state.checkpoint()))
        if len(checkpoint) > segment.size // 2:
            segment.discard()
            segment = self._created(4 * len(checkpoint))
        self._position = segment.begin(path_of(self._directory, self._number + 1), checkpoint)
        self._number += 1
        self._segment: Segment = segment
        self._memory: mmap = segment.memory
        self._mark = segment.size * 3 // 4
        if self._flush_always:
            segment.memory.flush()
            self._sync_directory()

    def _retire(self, segment: Segment, used: int) -> None:
        segment.memory.close()
        os.ftruncate(segment.descriptor, used)
        if self._settings.fsync == "never":
            os.close(segment.descriptor)
        else:
            self._retired.append(segment.descriptor)

    def _trim(self) -> None:
        sizes = [(number, path_of(self._directory, number).stat().st_size) for number in numbers(self._directory)]
        excess = sum(size for _, size in sizes) + self._settings.segment_bytes - self._settings.keep_bytes
        for number, size in sizes:
            if excess <= 0 or number == self._number:
                return
            path_of(self._directory, number).unlink()
            excess -= size

    def _sync_directory(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _locked(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _inherited(directory: Path, known: list[int], damaged: list[str]) -> JournalState:
    """The state at the end of the last run, from the newest segment on whose checkpoint is whole.

    `damaged` is told where a segment could not be read.
    """
    state = JournalState()
    unread: list[bytes] = []
    for number in reversed(known):
        path = path_of(directory, number)
        data = path.read_bytes()
        unread.append(data)
        if not _reclaimed(path, data):
            damaged.append(str(path))
        if isinstance(next(records(data), (None, 0))[0], Checkpoint):
            break
    for data in reversed(unread):
        for record, _ in records(data):
            state.follow(record)
    return state


def _reclaimed(path: Path, data: bytes) -> bool:
    """Give a segment's unused space back; False when it holds what is no record."""
    end, good = 0, True
    for found, behind in scan(data):
        if isinstance(found, Damage):
            good = False
        end = behind
    if end < len(data):
        os.truncate(path, end)
    return good
