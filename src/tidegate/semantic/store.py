"""`state_dir/semantic.db`: questions, their vectors and what was learnt, for the process that comes after this one.

SQLite in one thread. It is written once a second and never waited for. What cannot be read is moved aside, and a new
file begun; what cannot be written is kept in memory and told once. Texts that are purged are overwritten.
"""

import contextlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

import numpy as np

from tidegate.model.cached import Labels
from tidegate.policy.caching.learnt import decode
from tidegate.semantic.known import Known, Question
from tidegate.semantic.outcomes import MOST, Outcome, Outcomes
from tidegate.semantic.unsaved import Batch
from tidegate.semantic.vectors import Vector

NAME: Final = "semantic.db"
_VERSION: Final = 1
_MOST_LATE: Final = 60  # batches that wait for the disk
_TABLES: Final = """
CREATE TABLE questions (
    number INTEGER PRIMARY KEY, scope BLOB NOT NULL, text TEXT NOT NULL, vector BLOB NOT NULL, key BLOB NOT NULL,
    call_id INTEGER NOT NULL, namespace TEXT NOT NULL, model TEXT NOT NULL, strategy TEXT NOT NULL, tags TEXT NOT NULL,
    stored_us INTEGER NOT NULL, until_us INTEGER NOT NULL, used_us INTEGER NOT NULL, served INTEGER NOT NULL,
    learnt BLOB NOT NULL
);
CREATE TABLE outcomes (
    call_id INTEGER PRIMARY KEY, at_us INTEGER NOT NULL, number INTEGER NOT NULL, source INTEGER NOT NULL,
    similarity REAL NOT NULL, served INTEGER NOT NULL, would INTEGER NOT NULL, why TEXT NOT NULL, judge TEXT NOT NULL,
    judged TEXT NOT NULL
);
CREATE INDEX outcomes_by_time ON outcomes (at_us);
CREATE TABLE about (embedder TEXT NOT NULL);
"""
_ADD: Final = f"INSERT OR REPLACE INTO questions VALUES ({', '.join('?' * 15)})"  # noqa: S608 - question marks
_TOUCH: Final = (
    "UPDATE questions SET key = ?, call_id = ?, namespace = ?, model = ?, strategy = ?, tags = ?, stored_us = ?, "
    "until_us = ?, used_us = ?, served = ?, learnt = ? WHERE number = ?"
)
_TELL: Final = f"INSERT OR REPLACE INTO outcomes VALUES ({', '.join('?' * 10)})"  # noqa: S608 - as above
_TRIM: Final = "DELETE FROM outcomes WHERE at_us < (SELECT at_us FROM outcomes ORDER BY at_us DESC LIMIT 1 OFFSET ?)"


class Log(Protocol):
    """Where trouble is told."""

    def info(self, event: str, **fields: object) -> None:
        """One line."""

    def warning(self, event: str, **fields: object) -> None:
        """One line."""

    def error(self, event: str, **fields: object) -> None:
        """One line."""


class Store:
    """One file. All of it in one thread, but the making."""

    __slots__ = ("_connection", "_late", "_log", "_path", "_trouble")

    def __init__(self, path: Path, log: Log) -> None:
        self._path = path
        self._log = log
        self._connection: sqlite3.Connection | None = None
        self._late: list[Batch] = []  # what could not be written, in its order
        self._trouble = ""

    def load(self, known: Known, outcomes: Outcomes, embedder: str, wall: int) -> None:
        """All that is still of use. Vectors of another embedder are of none."""
        gone: list[Question] = []
        try:
            connection = self._open(embedder)
            for question, vector in _questions(connection, wall):
                with contextlib.suppress(ValueError):  # of other dimensions
                    gone += known.add(question, vector)
            for row in connection.execute("SELECT * FROM outcomes ORDER BY at_us"):
                outcomes.put(_outcome(row))
            connection.execute("DELETE FROM questions WHERE until_us <= ?", (wall,))
            connection.executemany("DELETE FROM questions WHERE number = ?", [(one.number,) for one in gone])
            connection.commit()
        except (sqlite3.Error, OSError, ValueError) as error:
            self._complain("what was learnt of questions cannot be read", error)

    def write(self, batch: Batch) -> None:
        """All of it, with what could not be written before. Never raises for a disk that is full or gone."""
        if not batch.empty:
            self._late.append(batch)
        try:
            if self._late:
                self._write_all()
        except OverflowError:  # a number that no process of ours makes
            self._late.clear()
        except (sqlite3.Error, OSError) as error:
            self._complain("what was learnt of questions cannot be saved; it is kept in memory", error)
            del self._late[:-_MOST_LATE]
            if self._connection is not None:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.rollback()

    def close(self) -> None:
        """Let go of the file."""
        if self._connection is not None:
            with contextlib.suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None

    def _write_all(self) -> None:
        connection = self._connection
        if connection is None:
            return
        for batch in self._late:
            connection.executemany("DELETE FROM questions WHERE number = ?", batch.gone)
            connection.executemany(_ADD, batch.added)
            connection.executemany(_TOUCH, batch.touched)
            connection.executemany(_TELL, batch.outcomes)
        if any(batch.outcomes for batch in self._late):
            connection.execute(_TRIM, (MOST,))
        connection.commit()
        if any(batch.gone for batch in self._late):
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the log still has what was purged
        self._late.clear()
        self._trouble = ""

    def _open(self, embedder: str) -> sqlite3.Connection:
        try:
            connection = self._connected(embedder)
        except sqlite3.OperationalError:
            raise  # full, or no right to it: the file is not at fault
        except sqlite3.DatabaseError as error:
            self._log.warning("the file of questions is damaged: it is moved aside", problem=str(error))
            self.close()
            for ending in ("", "-wal", "-shm"):
                with contextlib.suppress(FileNotFoundError):
                    Path(f"{self._path}{ending}").replace(f"{self._path}.damaged{ending}")
            connection = self._connected(embedder)
        return connection

    def _connected(self, embedder: str) -> sqlite3.Connection:
        os.close(os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        connection = self._connection = sqlite3.connect(self._path, timeout=1.0, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA secure_delete = ON")
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise sqlite3.DatabaseError("it is of another version of Tidegate")
        if version == 0:
            connection.executescript(f"BEGIN; {_TABLES} PRAGMA user_version = {_VERSION}; COMMIT;")
        (problem,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        if problem != "ok":
            raise sqlite3.DatabaseError(problem)
        if [row[0] for row in connection.execute("SELECT embedder FROM about")] != [embedder]:
            connection.execute("DELETE FROM questions")
            connection.execute("DELETE FROM about")
            connection.execute("INSERT INTO about VALUES (?)", (embedder,))
            connection.commit()
        return connection

    def _complain(self, event: str, error: Exception) -> None:
        if self._trouble != event:
            self._trouble = event
            self._log.error(event, file=str(self._path), problem=str(error))


def _questions(connection: sqlite3.Connection, wall: int) -> Iterator[tuple[Question, Vector]]:
    for row in connection.execute("SELECT * FROM questions WHERE until_us > ? ORDER BY used_us", (wall,)):
        number, scope, text, half, key, call_id, namespace, model, strategy, tags, *rest = row
        stored_us, until_us, used_us, served, learnt = rest
        labels = Labels(namespace, model, strategy, tuple(tags.split("\0")) if tags else ())
        vector = np.frombuffer(half, "<f2").astype(np.float32)
        question = Question(
            number, scope, text, key, call_id, labels, stored_us, until_us, used_us, served, decode(learnt)
        )
        yield question, vector


def _outcome(row: tuple[int, int, int, int, float, int, int, str, str, str]) -> Outcome:
    call_id, at_us, number, source, similarity, served, would, why, judge, judged = row
    return Outcome(call_id, at_us, number, source, similarity, bool(served), bool(would), why, judge, judged)
