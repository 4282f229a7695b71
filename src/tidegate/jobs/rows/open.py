"""Opening the rows: which database, and its schema brought up."""

from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from tidegate.jobs.rows.rows import JobRows
from tidegate.jobs.rows.tables import VERSION
from tidegate.model.jobs import DATABASE, JobSettings
from tidegate.store.engine import is_sqlite, open_engine
from tidegate.store.schema import Schema, recorded

NEWEST: Final = "0003_hooks"
SCHEMA: Final = Schema(Path(__file__).parent / "migrations", VERSION)
_SQLITE: Final = ("busy_timeout=15000", "cache_size=-4000")
# Who is frozen in the middle of a transaction loses it before others give up waiting for its rows.
_POSTGRES: Final = ("idle_in_transaction_session_timeout = '5s'",)


def open_rows(settings: JobSettings, ledger_database: str, state_dir: Path) -> JobRows:
    """The rows, their schema brought to this version: its own database, else the ledger's PostgreSQL, else `jobs.db`.

    Raises `store.engine.BadDatabase`, `store.upgrade.NewerSchema`, `sqlalchemy.exc.SQLAlchemyError`.
    """
    database, field = settings.database, "jobs.database"
    if not database and ledger_database.startswith("postgres"):
        database, field = ledger_database, "ledger.database"
    engine = prepared(open_engine(database, state_dir, DATABASE, field))
    if recorded(engine, SCHEMA) != NEWEST:
        from tidegate.store.upgrade import upgrade  # noqa: PLC0415 - alembic: a third of what a runner would import

        upgrade(engine, schema=SCHEMA)
    return JobRows(engine, settings.max_queued)


def prepared(engine: Engine) -> Engine:
    """The engine, its connections set for many short transactions of many processes."""
    event.listen(engine, "connect", _prepare_sqlite if is_sqlite(engine) else _prepare_postgres)
    return engine


def _prepare_sqlite(connection: Any, _entry: ConnectionPoolEntry) -> None:
    for pragma in _SQLITE:
        connection.execute(f"PRAGMA {pragma}")


def _prepare_postgres(connection: Any, _entry: ConnectionPoolEntry) -> None:
    for setting in _POSTGRES:
        connection.execute(f"SET {setting}")
    connection.commit()
