"""Opening the database: SQLite in the state directory unless a URL names another.

Synchronous: the control process uses it in threads. Reading is `engine.connect()`, changing is `writing(engine)`, which
on SQLite takes the write lock at once (a reader that turns writer would be refused instead of waiting).
"""

import contextlib
import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import ArgumentError
from sqlalchemy.pool import ConnectionPoolEntry

FILE: Final = "tidegate.db"
_BUSY_SECONDS: Final = 5
_LOOK_MS: Final = 3
_DRIVERS: Final = {"sqlite": "sqlite", "postgresql": "postgresql+psycopg", "postgres": "postgresql+psycopg"}
_WRITES: Final = "tidegate_writes"
# A database that is frozen or cut off must end a statement some time, so that ingest can begin anew.
_POSTGRES: Final = {
    "connect_timeout": 5,
    "options": "-c statement_timeout=60000 -c lock_timeout=10000 -c idle_in_transaction_session_timeout=120000",
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
    "application_name": "tidegate",
}

Begin = Callable[[Engine], AbstractContextManager[Connection]]  # begins a transaction that may write, as `writing`


class _Hinting(SQLiteCompiler):
    """Says `with_hint` (INDEXED BY) behind the table's name, which SQLAlchemy leaves out for SQLite."""

    def get_from_hint_text(self, _table: object, text: str | None) -> str | None:
        """As it was given."""
        return text


class BadDatabase(ValueError):
    """`database` cannot be used at all; the text names the remedy and never the password."""


def open_engine(database: str, state_dir: Path, file: str = FILE, field: str = "ledger.database") -> Engine:
    """The engine for a URL, "" = SQLite at `state_dir/file`. Connects to nothing yet.

    Raises `BadDatabase`, which names the configuration's `field`.
    """
    url = URL.create("sqlite", database=str(state_dir / file)) if not database else _parsed(database)
    if url is None:
        raise BadDatabase(f"`{field}` is no URL of a known database: use sqlite:///PATH or postgresql://…")
    if url.get_backend_name() == "sqlite":
        engine = create_engine(url, connect_args={"timeout": _BUSY_SECONDS}, hide_parameters=True)
        engine.dialect.statement_compiler = _Hinting
        event.listen(engine, "do_connect", _make_sqlite)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
        return engine
    try:
        return create_engine(
            url,
            connect_args=dict(_POSTGRES),
            pool_pre_ping=True,
            pool_size=5,
            max_overflow=5,
            hide_parameters=True,  # an error is logged, and what a client said is not
        )
    except ModuleNotFoundError:
        raise BadDatabase(f"`{field}` names PostgreSQL: install its driver, tidegate[postgres]") from None


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that may write: committed at the end, rolled back by an exception."""
    with engine.connect() as opened:
        connection = opened.execution_options(**{_WRITES: True})
        with connection.begin():
            yield connection


def is_sqlite(connection: Connection | Engine) -> bool:
    """Whether this is SQLite; else it is PostgreSQL."""
    return connection.dialect.name == "sqlite"


def shown(engine: Engine) -> str:
    """The URL without its password, for logs."""
    return engine.url.render_as_string(hide_password=True)


def _parsed(database: str) -> URL | None:
    try:
        url = make_url(database)
        driver = _DRIVERS[url.drivername.partition("+")[0]]
    except (ArgumentError, KeyError):
        return None
    return url.set(drivername=driver)


def _make_sqlite(_dialect: Any, _entry: ConnectionPoolEntry, where: list[Any], _more: dict[str, Any]) -> None:
    """A file that only its owner can read, which SQLite would not make: it holds what checks signatures, and who spent.

    One that is there is not opened, since closing it would let go of the locks that this process has on it. What cannot
    be made SQLite says itself.
    """
    path = str(where[0])
    if path != ":memory:" and not path.startswith("file:"):
        with contextlib.suppress(OSError):
            os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _entry: ConnectionPoolEntry) -> None:
    connection.isolation_level = None  # the driver must not begin transactions of its own: DDL would escape them
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    options: Any = connection.get_execution_options()
    if options.get(_WRITES):
        _begin_writing(connection)
    else:
        connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock, looking every few milliseconds.

    SQLite's own patience looks ever more seldom, up to every 0.1 s: who has much to write kept others out for seconds.
    """
    driver: Any = connection.connection.driver_connection
    (patience,) = driver.execute("PRAGMA busy_timeout").fetchone()
    driver.execute(f"PRAGMA busy_timeout={_LOOK_MS}")
    try:
        for _ in range(patience // _LOOK_MS):
            with contextlib.suppress(sqlite3.OperationalError):
                driver.execute("BEGIN IMMEDIATE")
                return
        connection.exec_driver_sql("BEGIN IMMEDIATE")
    finally:
        driver.execute(f"PRAGMA busy_timeout={patience}")
