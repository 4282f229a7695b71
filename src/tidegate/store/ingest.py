"""From the journals on disk to the database: each fact once, whatever dies.

Nobody waits for it. A piece of one journal and its new position are one transaction; while the database is away, slow,
full or locked, pieces are tried again, less and less often, and the journals on disk grow to their bound. Memory is one
piece. A row that the database does not take (and no other can either) is put aside in a file, so that it stops nobody.
"""

import contextlib
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Engine
from sqlalchemy.exc import DataError, IntegrityError

from tidegate.journal.care import Teller
from tidegate.journal.follow import PIECE_BYTES, JournalReader, Piece, Position, identity, journals, tell_taken
from tidegate.journal.segment import path_of
from tidegate.model.facts import Fact
from tidegate.store import write
from tidegate.store.engine import writing
from tidegate.store.standing import JournalStanding
from tidegate.store.sums import Words
from tidegate.store.write import Batch, Moved

ASIDE: Final = "ledger-aside.jsonl"
_REFUSED: Final = (DataError, IntegrityError, OverflowError)  # the last is SQLite's driver's


class Source:
    """One journal, and what is known of it in the database."""

    __slots__ = ("_follower", "_known", "_last", "_told", "_up_to_date", "behind", "directory", "name")

    def __init__(self, name: str, directory: Path) -> None:
        self.name = name
        self.directory = directory
        self._follower = JournalReader(directory)
        self._known: write.Journal | None = None  # None: the database has to be asked
        self._last: write.Journal | None = None  # as it was known last, to be shown
        self._up_to_date = False
        self.behind = False  # the last piece was a large one: there is much to take
        self._told = 0

    def standing(self) -> JournalStanding:
        """As of the last piece."""
        last = self._last
        at = Position() if last is None else last.position
        lag = 0 if self._up_to_date else self._follower.lag_bytes(at)
        return JournalStanding(self.name, *at, lag, *((0, 0, 0) if last is None else last[2:]))

    def forget(self) -> None:
        """Look into the database again before the next piece."""
        self._known = None
        self._up_to_date = False

    def take(self, engine: Engine, words: Words, log: Teller, aside: Path) -> bool:
        """Take one piece; False when there is nothing new. Raises `SQLAlchemyError`, `OSError`."""
        known = self._known
        if known is None:
            with writing(engine) as connection:
                known = self._last = write.journal(connection, identity(self.directory), self.name)
        piece = self._follower.read(known.position)
        before, after = known.position, piece.position
        self.behind = after.segment != before.segment or after.offset - before.offset > PIECE_BYTES // 2
        self._known = None  # until it is certain what became of the transaction
        self._up_to_date = piece.position == known.position and not piece.more
        if piece.position == known.position:
            self._known = known
            return piece.more
        try:
            self._known = self._last = _written(engine, known, piece, words, aside, log)
        except Moved:
            return True
        self._alarm(piece, known.position, log)
        self._tell(piece.position.segment - 1)
        return piece.more

    def _alarm(self, piece: Piece, before: Position, log: Teller) -> None:
        path = path_of(self.directory, piece.position.segment)
        for damage in piece.damages:
            log.error("a record of the journal is damaged", file=str(path), offset=damage.offset, bytes=damage.size)
        if piece.missed:
            log.error(
                "segments of the journal were deleted before they were in the database: calls are missing from it",
                journal=str(self.directory), first=before.segment, segments=piece.missed,
            )  # fmt: skip

    def _tell(self, segment: int) -> None:
        """All segments up to this one are in the database. The journal does without this word when the disk is full."""
        if segment > self._told:
            with contextlib.suppress(OSError):
                tell_taken(self.directory, segment)
                self._told = segment


class Ingest:
    """All journals of a state directory."""

    __slots__ = ("_aside", "_engine", "_log", "_sources", "_state_dir", "_words")

    def __init__(self, engine: Engine, state_dir: Path, log: Teller) -> None:
        self._engine = engine
        self._state_dir = state_dir
        self._aside = state_dir / ASIDE
        self._log = log
        self._words = Words()
        self._sources: dict[Path, Source] = {}

    def step(self) -> bool:
        """Take a piece of each journal; False when nothing was new. Raises `SQLAlchemyError`, `OSError`."""
        more, problem = False, None
        for source in self._found():
            try:
                more |= source.take(self._engine, self._words, self._log, self._aside)
            except OSError as error:  # of this one's files: the others go on
                source.forget()
                problem = error
            except Exception:
                source.forget()
                raise
        if problem is not None:
            raise problem
        return more

    @property
    def behind(self) -> bool:
        """Whether there is so much to take that the next step should come at once: a few records cost what many do."""
        return any(source.behind for source in self._sources.values())

    def standings(self) -> tuple[JournalStanding, ...]:
        """How far each has been taken; asks the files, not the database. Raises `OSError`."""
        return tuple(source.standing() for source in self._found())

    def _found(self) -> Iterable[Source]:
        present = dict(journals(self._state_dir))
        for directory in [known for known in self._sources if known not in present]:
            del self._sources[directory]
        for directory, name in present.items():
            if directory not in self._sources:
                self._sources[directory] = Source(name, directory)
        return list(self._sources.values())


def untaken(state_dir: Path) -> tuple[JournalStanding, ...]:
    """All journals, while no database can tell how far they were taken. Raises `OSError`."""
    return tuple(Source(name, directory).standing() for directory, name in journals(state_dir))


def _written(engine: Engine, at: write.Journal, piece: Piece, words: Words, aside: Path, log: Teller) -> write.Journal:
    """Write a piece; what cannot be written at all is looked for and put aside."""
    batch = Batch(piece.facts, piece.position, len(piece.damages), piece.missed)
    try:
        with writing(engine) as connection:
            return write.write(connection, at, batch, words)
    except _REFUSED as error:
        refused = list(_refused(engine, at, piece.facts, words))
        _put_aside(aside, refused)
        log.error("records that the database refuses were put aside", file=str(aside), records=len(refused),
                  problem=str(getattr(error, "orig", error)))  # fmt: skip
        kept = [fact for fact in piece.facts if not any(fact is one for one in refused)]
        with writing(engine) as connection:
            return write.write(connection, at, batch._replace(facts=kept), words)


def _refused(engine: Engine, at: write.Journal, facts: list[Fact], words: Words) -> Iterable[Fact]:
    """Those that cannot be written even alone: each is tried, and taken back. O(facts) transactions, rarely."""
    for fact in facts:
        try:
            with writing(engine) as connection:
                write.write(connection, at, Batch([fact], at.position), words)
                connection.rollback()
        except _REFUSED:
            yield fact


def _put_aside(path: Path, facts: list[Fact]) -> None:
    with path.open("ab") as file:
        file.writelines(msgspec.json.encode(fact) + b"\n" for fact in facts)
