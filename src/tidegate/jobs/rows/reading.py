"""Answers read in pieces, so that a slow reader holds no more than one."""

import sqlite3
from typing import Any

import msgspec
from sqlalchemy import Connection, case, func, select

from tidegate.jobs.rows.tables import ANSWERS, JOBS
from tidegate.store.engine import is_sqlite

_BODY = ANSWERS.c.body


class Answer(msgspec.Struct, frozen=True):
    """The gate's answer. `body` is whole, or empty where it is longer than what was asked for."""

    number: int  # of its row
    status: int
    head: bytes  # header lines for the client, each with CRLF
    size: int  # bytes of the whole body
    body: bytes

    @property
    def whole(self) -> bool:
        """There is nothing more to read."""
        return len(self.body) == self.size


def answer(connection: Connection, job: str, most: int) -> Answer | None:
    """What it was answered, with a body of at most so many bytes. O(most): a longer body is not read."""
    size = func.length(_BODY)
    short = case((size <= most, _BODY), else_=b"")
    wanted = select(ANSWERS.c.number, ANSWERS.c.status, ANSWERS.c.head, size, short)
    row = connection.execute(wanted.join(JOBS, JOBS.c.number == ANSWERS.c.number).where(JOBS.c.id == job)).one_or_none()
    return None if row is None else Answer(row[0], row[1], row[2], row[3], row[4])


def piece(connection: Connection, number: int, start: int, most: int) -> bytes:
    """So many bytes of a body from there on; none at its end, or where it was deleted meanwhile."""
    if is_sqlite(connection):
        return _sqlite_piece(connection, number, start, most)
    wanted = select(func.substr(_BODY, start + 1, most)).where(ANSWERS.c.number == number)
    return bytes(connection.execute(wanted).scalar() or b"")


def _sqlite_piece(connection: Connection, number: int, start: int, most: int) -> bytes:
    """SQLite's `substr` would read the whole body into memory first."""
    if connection.execute(select(ANSWERS.c.number).where(ANSWERS.c.number == number)).scalar() is None:
        return b""
    driver: Any = connection.connection.driver_connection
    opened: sqlite3.Blob = driver.blobopen(ANSWERS.name, _BODY.name, number, readonly=True)
    with opened as blob:
        blob.seek(min(start, len(blob)))
        return blob.read(most)
