"""Purges of kept answers that other nodes were told: taken from the store's news into this node's purge log."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import Connection, Engine

from tidegate.cache.purge_log import NAME, Purge, PurgeLog
from tidegate.store import news

SEEN: Final = "cache.seen"  # in the state directory: the last of the news that was looked at


class Purging:
    """`follow` is called by one thread. What is taken twice purges nothing more."""

    __slots__ = ("_log", "_origin", "_path", "_seen", "_wall")

    def __init__(self, state_dir: Path, origin: str, wall: Callable[[], int]) -> None:
        """`origin`: whose purges are in the log already; `wall` tells microseconds since 1970."""
        self._log = PurgeLog(state_dir / NAME)
        self._path = state_dir / SEEN
        self._origin = origin
        self._wall = wall
        self._seen = -1

    def follow(self, engine: Engine) -> int:
        """Returns how many were new. Answers that were stored here up to now count as older: clocks differ.

        Who missed what is not kept any more purges everything. Raises `OSError`, `SQLAlchemyError`.
        """
        if self._seen < 0:
            self._seen = self._known()
        with engine.connect() as connection:
            newest = news.newest(connection)
            purges = self._purges(connection) if self._seen >= 0 else []  # else it has kept nothing by this database
        for purge in purges:
            self._log.append(purge)
        if newest != self._seen:
            self._note(newest)
        return len(purges)

    def _purges(self, connection: Connection) -> list[Purge]:
        now = self._wall()
        try:
            items = news.since(connection, self._seen)
        except news.Behind:
            return [Purge("all", "", "", now)]
        return [
            Purge(item.what, item.name, item.namespace, now)
            for item in items
            if item.kind == news.PURGE and item.origin != self._origin
        ]

    def _known(self) -> int:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(self._path.read_text(encoding="ascii"))
        return -1

    def _note(self, seen: int) -> None:
        new = self._path.with_name(SEEN + ".new")
        new.write_text(f"{seen}\n", encoding="ascii")
        new.replace(self._path)
        self._seen = seen
