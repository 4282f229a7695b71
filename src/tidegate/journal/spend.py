"""What was spent of budgets, in a file beside the journal: with the journal's later records it is the whole truth.

A row of frames (`model/frames.py`) behind 8 bytes of magic. Each is what has changed since the one before, with the
position in the journal up to which it counts: so a save costs what calls have changed, however many budgets there are,
and what a death leaves half-written is as if it had never been begun. When the file has grown to several times of what
it holds it is written anew, and renamed.
"""

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tidegate.journal.follow import JournalReader, Position
from tidegate.journal.segment import numbers, path_of
from tidegate.model.facts import CallRecord
from tidegate.model.frames import Corrupt, frame, unframe
from tidegate.model.spending import Spent

MAGIC: Final = b"TIDEGTS1"
MOST_BYTES: Final = 1 << 28  # of a frame
UNKNOWN_BYTES: Final = 1 << 25  # of the journal are read where nothing was saved: some 200,000 calls, in a second
_SMALL: Final = 1 << 16
_GROWTH: Final = 4
_KEPT_US: Final = 7 * 86_400_000_000  # of a period that is over: calls may last into the next one


class Saved(msgspec.Struct, frozen=True, array_like=True):
    """One frame."""

    segment: int
    offset: int
    spent: list[Spent]


class Loaded(NamedTuple):
    """What an earlier run left, and how far in the journal it goes; None = nothing was saved."""

    spent: list[Spent]
    position: Position | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Saved).decode
_Name = tuple[str, str, str, str, str]


class SpendFile:
    """One worker's. `save` blocks: in a thread, one at a time."""

    __slots__ = ("_descriptor", "_least", "_path", "_size", "_state")

    def __init__(self, path: Path) -> None:
        """Nothing is written yet. The directory exists."""
        self._path = path
        self._descriptor = -1
        self._size = 0
        self._least = 0
        self._state: dict[_Name, list[Spent]] = {}

    def load(self) -> Loaded:
        """What was saved, as far as it is whole. Once, at first. O(file)."""
        position: Position | None = None
        try:
            data = self._path.read_bytes()
        except OSError:
            return Loaded([], None)
        at = len(MAGIC) if data.startswith(MAGIC) else len(data)
        try:
            while (payload := unframe(data, at, MOST_BYTES)) is not None:
                saved = _decode(payload)
                self._follow(saved.spent)
                position = Position(saved.segment, saved.offset)
                at += len(frame(payload))
        except (Corrupt, msgspec.DecodeError):
            pass  # what follows is in the journal
        return Loaded(self._all(), position)

    def save(self, position: Position, changed: list[Spent], wall: int) -> None:
        """What has changed, up to this position. Raises `OSError`: then it is as before. O(changed), amortised."""
        self._follow(changed)
        data = frame(_encode(Saved(position.segment, position.offset, changed)))
        if self._descriptor < 0 or self._size + len(data) > max(_SMALL, _GROWTH * self._least):
            self._rewrite(position, wall)
            return
        if os.write(self._descriptor, data) != len(data):
            self.close()  # the next one is written whole
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self._path))
        self._size += len(data)

    def close(self) -> None:
        """Let go of the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _follow(self, spent: list[Spent]) -> None:
        """All that is known of a budget's periods comes together."""
        fresh: dict[_Name, list[Spent]] = {}
        for one in spent:
            fresh.setdefault((one.namespace, one.user, one.key, one.model, one.what), []).append(one)
        self._state.update(fresh)

    def _all(self) -> list[Spent]:
        return [one for spent in self._state.values() for one in spent]

    def _rewrite(self, position: Position, wall: int) -> None:
        late = wall - _KEPT_US
        self._state = {name: spent for name, spent in self._state.items() if any(one.end_us > late for one in spent)}
        data = MAGIC + frame(_encode(Saved(position.segment, position.offset, self._all())))
        fresh = self._path.with_suffix(".tmp")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            _write(descriptor, data)
            os.fdatasync(descriptor)
            fresh.replace(self._path)
        except BaseException:
            os.close(descriptor)
            raise
        self.close()
        self._descriptor, self._size, self._least = descriptor, len(data), len(data)


def since(directory: Path, position: Position | None) -> Iterator[CallRecord]:
    """The calls behind a position of the journal; where there is none, the newest. Raises `OSError`. O(their bytes)."""
    follower = JournalReader(directory)
    at = newest(directory) if position is None else position
    while True:
        piece = follower.read(at)
        for fact in piece.facts:
            if isinstance(fact, CallRecord):
                yield fact
        at = piece.position
        if not piece.more:
            return


def newest(directory: Path) -> Position:
    """Where the newest of the journal begins."""
    known, left = numbers(directory), UNKNOWN_BYTES
    first = known[-1] if known else 0
    for number in reversed(known):
        left -= path_of(directory, number).stat().st_size
        if left < 0:
            break
        first = number
    return Position(first)


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
