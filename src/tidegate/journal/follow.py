"""Following a journal that another process writes: what is new behind a position, in pieces of bounded size.

It reads the files only, and may run while they are written: a record that is not whole yet in the newest segment is
waited for; in an older one, or with a whole one behind it, it is damaged.
"""

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from tidegate.journal.scan import Damage, gather, resume
from tidegate.journal.segment import HEADER, MAGIC, numbers, path_of
from tidegate.model.facts import Fact

PIECE_BYTES: Final = 1 << 20
_LITTLE: Final = 1 << 15
TAKEN: Final = "taken"
JOURNAL: Final = "journal"
WORKERS: Final = "workers"  # isolated ones, each in a directory of its name
_IDENTITY: Final = "identity"
_DIGITS: Final = 32


class Position(NamedTuple):
    """Everything before `offset` of `segment` was taken."""

    segment: int = 0
    offset: int = 0


class Piece(NamedTuple):
    """What was read: its facts, and where the next piece begins. `missed` segments were gone before they were read."""

    facts: list[Fact]
    damages: list[Damage]
    position: Position
    missed: int = 0
    more: bool = False  # there may be more to read now


class JournalReader:
    """Reads one journal. Memory is one piece, or the largest record."""

    __slots__ = ("_doubt", "directory")

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._doubt = Position()  # where the newest segment seemed damaged when it was last looked at

    def read(self, position: Position) -> Piece:
        """What stands behind `position`; nothing new is an empty piece. Raises `OSError`. O(piece + segments)."""
        known = numbers(self.directory)
        if not known:
            return Piece([], [], position)
        segment = position.segment
        if segment not in known:
            later = next((number for number in known if number > segment), known[0])
            missed = max(0, later - max(segment, 1)) if position.offset or segment else 0
            return Piece([], [], Position(later), missed, more=True)
        sealed = segment != known[-1]
        try:
            with path_of(self.directory, segment).open("rb") as file:
                piece = self._read(file.fileno(), position, sealed=sealed)
        except FileNotFoundError:  # it went between the two looks
            return Piece([], [], position, more=True)
        if sealed and not piece.more:
            return Piece([], [], Position(known[known.index(segment) + 1]), more=True)
        return piece

    def lag_bytes(self, position: Position) -> int:
        """How much of the journal has not been taken, as far as the files tell: in the newest one up to its size."""
        later = [number for number in numbers(self.directory) if number >= position.segment]
        total = sum(_size(path_of(self.directory, number)) for number in later)
        return total - position.offset if position.segment in later else total

    def _read(self, descriptor: int, position: Position, *, sealed: bool) -> Piece:
        segment, offset = position
        if offset == 0 and os.pread(descriptor, len(MAGIC), 0) == MAGIC:
            offset = len(MAGIC)
        facts, damages, end = gather(self._data(descriptor, offset))
        if end == 0:
            end, damages = self._stuck(descriptor, Position(segment, offset), sealed=sealed)
        elif offset:
            damages = [Damage(one.offset + offset, one.size) for one in damages]
        return Piece(facts, damages, Position(segment, offset + end), more=end > 0)

    def _data(self, descriptor: int, offset: int) -> bytes:
        """A piece from here on, which holds at least the first record. Little where little is new."""
        data = os.pread(descriptor, _LITTLE, offset)
        if len(data) == _LITTLE and any(data[-HEADER.size :]):
            data = os.pread(descriptor, PIECE_BYTES, offset)
        if len(data) < HEADER.size:
            return data
        need = HEADER.size + int(HEADER.unpack_from(data)[0])
        left = os.fstat(descriptor).st_size - offset
        return os.pread(descriptor, need, offset) if len(data) < need <= left else data

    def _stuck(self, descriptor: int, position: Position, *, sealed: bool) -> tuple[int, list[Damage]]:
        """No whole record begins here: how many bytes to step over, and what they are."""
        offset = position.offset
        head = os.pread(descriptor, HEADER.size, offset)
        if not sealed and not any(head):
            return 0, []
        rest = os.pread(descriptor, os.fstat(descriptor).st_size - offset, offset)
        if rest.count(0) == len(rest):
            return 0, []
        begin = resume(rest, 0)
        if not sealed and (begin == len(rest) or self._doubt != position):
            self._doubt = position  # perhaps it is only being written
            return 0, []
        return begin, [Damage(offset, begin)]


def journals(state_dir: Path) -> Iterator[tuple[Path, str]]:
    """Directory and name of each journal of a state directory."""
    if (state_dir / JOURNAL).is_dir():
        yield state_dir / JOURNAL, "main"
    for directory in sorted((state_dir / WORKERS).glob(f"*/{JOURNAL}")):
        yield directory, directory.parent.name


def identity(directory: Path) -> str:
    """The journal's own name, made at the first look: another directory in this place is another journal.

    Raises `OSError`.
    """
    path = directory / _IDENTITY
    try:
        known = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        known = ""
    if len(known) == _DIGITS:
        return known
    fresh = secrets.token_hex(_DIGITS // 2)
    _replace(path, fresh)
    return fresh


def tell_taken(directory: Path, segment: int) -> None:
    """Let the journal know that all segments up to this one may go. Raises `OSError`."""
    _replace(directory / TAKEN, str(segment))


def taken(directory: Path) -> int:
    """The last segment that is in the database; 0 when nobody has said so."""
    try:
        return int((directory / TAKEN).read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


def _replace(path: Path, text: str) -> None:
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_text(text, encoding="ascii")
    fresh.replace(path)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
