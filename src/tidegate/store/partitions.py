"""Days: partitions of calls, attempts, stories, postings, hits and notes on PostgreSQL, and what is too old.

A partition is made with the first batch that needs it, and a few days ahead, so that no batch has to wait for the lock
that making one takes. Retention drops whole partitions; on SQLite it deletes in small steps.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import Connection, Engine, Table, delete, select, text, tuple_

from tidegate.store.engine import Begin, is_sqlite, writing
from tidegate.store.hit_tables import HITS, NOTES
from tidegate.store.stories import STORIES
from tidegate.store.tables import ATTEMPTS, CALLS, POSTINGS

AHEAD: Final = 2  # days
_STEP: Final = 2_000  # rows deleted while nobody else can write
_TABLES: Final = (CALLS, ATTEMPTS, HITS, NOTES, STORIES, POSTINGS)
_LOCK: Final = 0x7469_6467


def ensure(connection: Connection, days: Iterable[int], tables: Sequence[Table] = _TABLES) -> None:
    """Make what these days need, on PostgreSQL. O(days).

    Nodes take turns: two that made the same one at once would fail. Each kind of table has a turn of its own, since
    who has written sums must not wait for who is about to.
    """
    for table in tables:
        for day in days:
            if connection.scalar(text("SELECT to_regclass(:name)"), {"name": partition(table.name, day)}) is not None:
                continue
            turn = {"lock": _LOCK, "table": _TABLES.index(table)}
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock, :table)"), turn)
            made = f"CREATE TABLE IF NOT EXISTS {partition(table.name, day)} PARTITION OF {table.name}"
            connection.execute(text(f"{made} FOR VALUES FROM ({day:d}) TO ({day + 1:d})"))


def ahead(engine: Engine, today: int, begin: Begin = writing) -> None:
    """Make today's and the next days' partitions, on PostgreSQL."""
    if not is_sqlite(engine):
        with begin(engine) as connection:
            ensure(connection, range(today, today + AHEAD + 1))


def partition(table: str, day: int) -> str:
    """Its name: sorts by day."""
    return f"{table}_d{day:06d}"


def drop_before(engine: Engine, day: int, begin: Begin = writing) -> int:
    """Let go of the rows of earlier days; returns how many partitions (SQLite: rows) went.

    Sums stay. Each step is a transaction of its own, so that writers hardly wait. Raises what `begin` raises.
    """
    return _delete_before(engine, day) if is_sqlite(engine) else _drop_partitions(engine, day, begin)


def known(connection: Connection, table: str) -> dict[str, int]:
    """The days of a table's partitions by their names, on PostgreSQL."""
    found = connection.scalars(
        text(
            "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
            "JOIN pg_class p ON p.oid = i.inhparent WHERE p.relname = :table AND pg_table_is_visible(p.oid)"
        ),
        {"table": table},
    )
    days = ((one, one.removeprefix(f"{table}_d")) for one in found)
    return {one: int(day) for one, day in days if day.isdecimal()}


def _drop_partitions(engine: Engine, before: int, begin: Begin) -> int:
    dropped = 0
    for table in _TABLES:
        with engine.connect() as connection:
            old = [one for one, day in known(connection, table.name).items() if day < before]
        for one in old:
            with begin(engine) as connection:
                connection.execute(text(f"DROP TABLE IF EXISTS {one}"))
            dropped += 1
    return dropped


def _delete_before(engine: Engine, before: int) -> int:
    deleted = 0
    for table in _TABLES:
        key = tuple_(*table.primary_key.columns)
        old = select(*table.primary_key.columns).where(table.c.day < before).limit(_STEP)
        while True:
            with writing(engine) as connection:
                count = connection.execute(delete(table).where(key.in_(old))).rowcount
            deleted += count
            if count < _STEP:
                break
    return deleted
