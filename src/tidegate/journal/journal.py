"""The local journal: facts that survive the death of the process before `append` returns.

A record is copied into a shared mapping of a preallocated file: no system call, and the page belongs to the kernel,
so that `kill -9` loses nothing. What survives the death of the *kernel* is the fsync policy's business.

Old segments go beyond `keep_bytes`. Each segment begins with a checkpoint of what came before, so any number of old
ones may go, and recovery reads one. About 1.2 µs an append; memory is one segment.
"""

import fcntl
import os
from collections.abc import Iterator
from mmap import mmap
from pathlib import Path
from typing import Final
from zlib import crc32

import msgspec

from tidegate.journal.follow import Position
from tidegate.journal.keeper import WriteFailurePolicy
from tidegate.journal.scan import Damage, records, scan
from tidegate.journal.segment import HEADER, Checkpoint, Segment, frame, numbers, path_of
from tidegate.journal.state import JournalState
from tidegate.journal.stock import SPARE, Background, Stock, at_once
from tidegate.model.facts import CallRecord, Fact, Intent
from tidegate.model.snapshot import JournalSettings
from tidegate.ports import Clock

LEVELS_US = 120_000_000  # two windows of a minute: an older level has refilled whatever the profile
_PER_INTENT = 128  # bytes to expect of an intent in a checkpoint
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
        "_segment",
        "_settings",
        "_state",
        "_stock",
        "_suspect",
        "damaged",
        "keeper",
    )

    def __init__(
        self,
        directory: Path,
        settings: JournalSettings,
        clock: Clock,
        policy: str = "stop",
        background: Background = at_once,
    ) -> None:
        """Open the journal in a segment of its own that inherits what the last run left open.

        `policy` is `on_journal_failure`; `background` does in a thread what may take long.

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
        self._stock = Stock(directory, settings.segment_bytes, settings.keep_bytes, background)
        self._suspect: OSError | None = None
        self._retired: list[int] = []
        self.keeper = WriteFailurePolicy(policy)
        self.damaged: list[str] = []  # segments of the last runs that hold what is no record
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._lock = _locked(directory / "lock")
        try:
            (directory / SPARE).unlink(missing_ok=True)
            known = numbers(directory)
            self._number = known[-1] if known else 0
            self._state = _inherited(directory, known, self.damaged)
            self._open = self._state.open
            self._begin(self._stock.create(self._inherited_bytes()))
            self._stock.trim(self._number)
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

    @property
    def last_id(self) -> int:
        """The highest id of a call that is known from the last runs, 0 = none."""
        return self._state.last_id

    @property
    def position(self) -> Position:
        """Behind the last fact that was written."""
        return Position(self._number, self._position)

    def append(self, fact: Fact) -> None:
        """Write one fact; it survives this process when this returns. O(1).

        Where it cannot be written (the disk is full, fails or does not answer), `keeper` has the policy: it raises
        `OSError`, or the call goes on. Intents are refused first, while there is still room for the records of the
        calls in flight. Raises `ValueError` for a fact larger than a segment.
        """
        payload = self._encode(fact)
        size = len(payload)
        start = self._position
        if start + 8 + size > self._mark:
            if not self._make_room(fact, size):
                return
            start = self._position
        end = start + 8 + size
        memory = self._memory
        memory[start + 8 : end] = payload
        _pack_header(memory, start, size, _checksum(payload))
        self._position = end
        if type(fact) is Intent:
            self._state.intended(fact)
        elif type(fact) is CallRecord:
            self._open.pop(fact.call_id, None)
        if self._flush_always:
            self._flush(start, end)

    def catch_up(self) -> bool:
        """Write what could not be written before, as far as it goes now; True when nothing is left of it.

        Call it now and then: it also finds out whether the disk works again. O(records kept).
        """
        keeper = self.keeper
        kept, failures = list(keeper.records), keeper.failures
        keeper.records.clear()
        for number, record in enumerate(kept):
            try:
                self.append(record)
            except OSError:
                keeper.records.extend(kept[number + 1 :])
                break
            if keeper.failures > failures:
                keeper.records.extend(kept[number + 1 :])
                break
        keeper.kept = len(keeper.records)
        keeper.deleted_unread = self._stock.deleted_unread
        if keeper.failures == failures and self._suspect is None and self._works():
            keeper.failing = ""
        return not keeper.failing

    def suspect(self, error: OSError | None) -> None:
        """The disk fails or does not answer; None: it does again. Meanwhile `stop` lets no attempt begin."""
        self._suspect = error
        if error is None:
            return
        self.keeper.failures += 1
        self.keeper.failing = error.strerror or str(error)
        self._mark = 0

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
        self._stock.discard()
        self._retire(self._segment, self._position)
        for descriptor in self._retired:
            os.close(descriptor)
        self._retired = []
        os.close(self._lock)
        self._lock = -1

    def _make_room(self, fact: Fact, size: int) -> bool:
        """Whether the fact may be written at `_position` now; else its keeper has it."""
        if size > self._settings.segment_bytes // 2:
            limit = self._settings.segment_bytes
            raise ValueError(f"a fact of {size} bytes does not fit a journal of segment_bytes={limit}")
        try:
            self._find_room(size, intent=type(fact) is Intent)
        except OSError as error:
            self.keeper.failed(fact, error)
            return False
        return True

    def _find_room(self, size: int, *, intent: bool) -> None:
        """The spare is ordered at half of the segment; from three quarters on intents need to see it."""
        if intent and self._suspect is not None and self.keeper.stops:
            raise self._suspect
        stock, end, whole = self._stock, self._position + HEADER.size + size, self._segment.size
        if end * 2 > whole:
            stock.order(self._inherited_bytes(), self._number, self._clock.now())
        if stock.ready():
            self._mark = whole
        elif end * 4 > whole * 3:
            self._mark = 0
            if intent:
                raise stock.failure()
        else:
            self._mark = whole // 2 if end * 2 <= whole else whole * 3 // 4
        if end > whole:
            self._rotate()

    def _works(self) -> bool:
        """There is room for the next intents."""
        try:
            self._find_room(_PER_INTENT, intent=True)
        except OSError:
            return False
        return True

    def _inherited_bytes(self) -> int:
        """Room for a checkpoint and as much again."""
        return 2 * _PER_INTENT * (len(self._state.open) + len(self._state.lanes))

    def _rotate(self) -> None:
        old, used = self._segment, self._position
        spare = self._stock.take()
        try:
            self._begin(spare)
        except BaseException:
            if self._segment is not spare:
                spare.discard()
            raise
        self._retire(old, used)

    def _flush(self, start: int, end: int) -> None:
        """Policy `always`: to the disk before the call goes on."""
        page = start & -4096
        try:
            self._memory.flush(page, end - page)
        except OSError as error:
            self.keeper.failures += 1
            self.keeper.failing = error.strerror or str(error)
            if self.keeper.stops:
                raise

    def _begin(self, segment: Segment) -> None:
        self._state.forget_lanes(self._clock.wall() - LEVELS_US)
        checkpoint = frame(self._encode(self._state.checkpoint()))
        if len(checkpoint) > segment.size // 2:
            segment.discard()
            segment = self._stock.create(4 * len(checkpoint))
        self._position = segment.begin(path_of(self._directory, self._number + 1), checkpoint)
        self._number += 1
        self._segment: Segment = segment
        self._memory: mmap = segment.memory
        self._mark = segment.size // 2
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
