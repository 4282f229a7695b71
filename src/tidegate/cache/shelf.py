"""The table of kept answers in one SQLite file, as one thread uses it; other processes may use the same file.

The file is bounded by SQLite itself (`max_page_count`), and room is made in batches before that: what is past its time
goes first, then what was not used for longest. Uses are noted in memory and written with the next batch.

A cache may be lost, so nothing is synced (`synchronous = OFF`): the death of a process harms nothing, that of the
kernel may leave a damaged file. One that is damaged is moved aside, once, whoever finds it, and a new one is made;
what a damaged file gives back before that is told by the frames' checksums.
"""

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

from tidegate.cache.layer import Log
from tidegate.ports import Clock

PAGE_BYTES: Final = 4_096
LEAST_BYTES: Final = 1 << 20  # of a file that is worth having
BATCH: Final = 64  # answers that go at a time
MAX_USES: Final = 1_000  # that are noted before they are written
RECOUNT: Final = 1_000  # writes after which the answers are counted again: others write too
_ROOM_PERMILLE: Final = 950  # of the bound: above that, room is made
_BUSY_MS: Final = 5  # reads of this process wait behind a write that is locked out
_VERSION: Final = 1
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS answers (
    id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, until_us INTEGER NOT NULL, used_us INTEGER NOT NULL,
    frame BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS answers_used ON answers (used_us);
CREATE INDEX IF NOT EXISTS answers_until ON answers (until_us);
"""

T = TypeVar("T")


class Shelf:
    """Opened when it is first used. Raises `sqlite3.Error` and `OSError`; of one thread."""

    __slots__ = ("_base", "_clock", "_inode", "_log", "_max_bytes", "_path", "_uses", "_writes", "bytes", "entries")

    def __init__(self, path: Path, max_bytes: int, clock: Clock, log: Log) -> None:
        self._path = path
        self._max_bytes = max(max_bytes, LEAST_BYTES)
        self._clock = clock
        self._log = log
        self._base: sqlite3.Connection | None = None
        self._inode = 0
        self._uses: dict[int, int] = {}  # wall-clock µs by id
        self._writes = 0
        self.bytes = -1
        self.entries = -1

    def get(self, key: bytes) -> bytes | None:
        """The frame, unless its time is past."""
        return self._try(lambda base: self._get(base, key))

    def put(self, key: bytes, frame: bytes, until_us: int) -> None:
        """Keep it in the place of what was there. One that would take a quarter of the file is not kept."""
        if len(frame) <= self._max_bytes // 4:
            self._try(lambda base: self._put(base, key, frame, until_us))

    def drop(self, key: bytes) -> None:
        """Forget it."""
        self._try(lambda base: base.execute("DELETE FROM answers WHERE key = ?", (key,)))

    def close(self) -> None:
        """Let go of the file."""
        base, self._base = self._base, None
        if base is not None:
            base.close()

    def _try(self, work: Callable[[sqlite3.Connection], T]) -> T:
        """Do it; on a damaged file, on a new one instead."""
        try:
            return work(self._open())
        except sqlite3.DatabaseError as error:
            if not _damaged(error):
                raise
            self._move_aside(str(error))
            return work(self._open())

    def _get(self, base: sqlite3.Connection, key: bytes) -> bytes | None:
        found = base.execute("SELECT id, until_us, frame FROM answers WHERE key = ?", (key,)).fetchone()
        wall = self._clock.wall()
        if found is None or not isinstance(found[2], bytes) or found[1] <= wall:
            return None
        if len(self._uses) < MAX_USES:
            self._uses[found[0]] = wall
        frame: bytes = found[2]
        return frame

    def _put(self, base: sqlite3.Connection, key: bytes, frame: bytes, until_us: int) -> None:
        wall = self._clock.wall()
        with _at_once(base):
            self._make_room(base, len(frame), wall)
            uses, self._uses = self._uses, {}
            used = [(at, number) for number, at in uses.items()]
            base.executemany("UPDATE answers SET used_us = ? WHERE id = ?", used)
            known = base.execute("DELETE FROM answers WHERE key = ?", (key,)).rowcount
            base.execute(
                "INSERT INTO answers (key, until_us, used_us, frame) VALUES (?, ?, ?, ?)", (key, until_us, wall, frame)
            )
        self._writes += 1
        self.bytes = _used(base)
        self.entries = _count(base) if self._writes % RECOUNT == 0 else self.entries + 1 - known

    def _make_room(self, base: sqlite3.Connection, size: int, wall: int) -> None:
        most = self._max_bytes * _ROOM_PERMILLE // 1_000
        while _used(base) + size > most:
            before = base.total_changes
            base.execute(
                "DELETE FROM answers WHERE id IN (SELECT id FROM answers WHERE until_us <= ? LIMIT ?)", (wall, BATCH)
            )
            if base.total_changes == before:
                base.execute(
                    "DELETE FROM answers WHERE id IN (SELECT id FROM answers ORDER BY used_us LIMIT ?)", (BATCH,)
                )
            if base.total_changes == before:
                return  # it is empty
            self.entries -= base.total_changes - before

    def _open(self) -> sqlite3.Connection:
        """The file that stands at the path now: another worker may have moved a damaged one aside."""
        if self._base is not None and _inode(self._path) == self._inode:
            return self._base
        self.close()
        self._uses.clear()
        with self._alone():
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
            self._inode = _inode(self._path)
            base = _opened(self._path, self._max_bytes)
        self._base, self._writes = base, 0
        self.bytes, self.entries = _used(base), _count(base)
        if _pages(base) * PAGE_BYTES > self._max_bytes:
            self._shrink(base)
        return base

    def _shrink(self, base: sqlite3.Connection) -> None:
        """The file was larger than it may be now."""
        with _at_once(base):
            self._make_room(base, 0, self._clock.wall())
        base.executescript("PRAGMA incremental_vacuum")  # `execute` would free one page
        base.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        self.bytes = _used(base)

    def _move_aside(self, problem: str) -> None:
        """Unless somebody else did already."""
        with self._alone():
            self.close()
            if self._inode not in {0, _inode(self._path)}:
                return
            aside = self._path.with_name(self._path.name + ".damaged")
            if self._path.exists():
                self._path.replace(aside)
            for beside in ("-wal", "-shm"):  # they would be taken for the new file's
                self._path.with_name(self._path.name + beside).unlink(missing_ok=True)
        self._log.warning("the cache's file is damaged: it was moved aside, and a new one is made",
                          file=str(self._path), moved=str(aside), problem=problem)  # fmt: skip

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Of all processes that share the file."""
        lock = os.open(self._path.with_name(self._path.name + ".lock"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        finally:
            os.close(lock)


@contextmanager
def _at_once(base: sqlite3.Connection) -> Iterator[None]:
    """One transaction; a lock that somebody else holds is told before anything is read."""
    base.execute("BEGIN IMMEDIATE")
    try:
        yield
        base.execute("COMMIT")
    except BaseException:
        if base.in_transaction:
            base.execute("ROLLBACK")
        raise


def _opened(path: Path, max_bytes: int) -> sqlite3.Connection:
    base = sqlite3.connect(path, timeout=_BUSY_MS / 1_000, isolation_level=None, check_same_thread=False)
    try:
        version = base.execute("PRAGMA user_version").fetchone()[0]
        if version not in {0, _VERSION}:
            raise sqlite3.DatabaseError("file is not a database of this version")
        if version == 0:
            base.execute(f"PRAGMA page_size = {PAGE_BYTES}")
            base.execute("PRAGMA auto_vacuum = INCREMENTAL")
            base.execute("PRAGMA journal_mode = WAL")
            base.executescript(_SCHEMA)
            base.execute(f"PRAGMA user_version = {_VERSION}")
        base.execute("PRAGMA synchronous = OFF")
        base.execute("PRAGMA journal_size_limit = 4194304")
        base.execute(f"PRAGMA max_page_count = {max_bytes // PAGE_BYTES}")
    except BaseException:
        base.close()
        raise
    return base


def _pages(base: sqlite3.Connection) -> int:
    return int(base.execute("PRAGMA page_count").fetchone()[0])


def _used(base: sqlite3.Connection) -> int:
    """Bytes of the file that hold something: what was deleted is filled again before it grows."""
    return (_pages(base) - int(base.execute("PRAGMA freelist_count").fetchone()[0])) * PAGE_BYTES


def _count(base: sqlite3.Connection) -> int:
    return int(base.execute("SELECT count(*) FROM answers").fetchone()[0])


def _inode(path: Path) -> int:
    """0 = there is none."""
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return 0


def _damaged(error: sqlite3.DatabaseError) -> bool:
    """What a file says that cannot be used any more, and never one that is only locked or has no room."""
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return "of this version" in str(error)
    return (code & 0xFF) in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FORMAT}
