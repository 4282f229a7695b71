"""Arrivals in the order in which they came, however many: in a file of SQLite's, which sorts them within little memory.

The ledger has calls in the order of its keys, which is about that of their arrival at each worker.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from itertools import islice
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Final, Self

import msgspec

from tidegate.model.arrivals import Arrival

_BATCH: Final = 2_000
_CACHE_KB: Final = 16_384


class Spool:
    """Arrivals that are written once and read as often as one likes. It is a file, until it is left."""

    __slots__ = ("_connection", "_decode", "_encode", "_folder", "count", "first_us", "last_us")

    def __init__(self) -> None:
        """Raises `OSError`: there is no place for it."""
        self._folder = TemporaryDirectory(prefix="tidegate-arrivals-")
        self._connection = sqlite3.connect(f"{self._folder.name}/arrivals.db")
        self._connection.executescript(
            f"PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-{_CACHE_KB};"
            "CREATE TABLE arrivals (at INTEGER, body BLOB)"
        )
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(Arrival).decode
        self.count = 0
        self.first_us = self.last_us = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        self._folder.cleanup()

    def fill(self, arrivals: Iterable[Arrival]) -> None:
        """Take all of them. O(n log n), a few microseconds each. Raises `sqlite3.Error` when the disk is full."""
        given = iter(arrivals)
        while batch := list(islice(given, _BATCH)):
            rows = [(one.at_us, self._encode(one)) for one in batch]
            self._connection.executemany("INSERT INTO arrivals VALUES (?, ?)", rows)
            self.count += len(rows)
        self._connection.execute("CREATE INDEX IF NOT EXISTS by_moment ON arrivals (at)")
        self._connection.commit()
        first, last = self._connection.execute("SELECT min(at), max(at) FROM arrivals").fetchone()
        self.first_us, self.last_us = first or 0, last or 0

    def __iter__(self) -> Iterator[Arrival]:
        """All, the earliest first."""
        for (body,) in self._connection.execute("SELECT body FROM arrivals ORDER BY at, rowid"):
            yield self._decode(body)
