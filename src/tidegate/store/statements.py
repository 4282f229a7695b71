"""Statements as the driver takes them, many rows at once: SQLAlchemy's own cost ten times as much a row."""

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import Boolean, Column, Connection, String, Table

from tidegate.store.rows import Row

PLACES: Final = {"sqlite": "?", "postgresql": "%s"}
_Item = TypeVar("_Item")


def insertion(table: Table, dialect: str) -> str:
    """A row in the order of the table's columns."""
    names = ", ".join(f'"{column.name}"' for column in table.columns)
    values = ", ".join(_value(column, PLACES[dialect]) for column in table.columns)
    return f"INSERT INTO {table.name} ({names}) VALUES ({values})"  # noqa: S608 - our names


def if_new(table: Table, dialect: str) -> str:
    """The same, unless its key is there."""
    return f"{insertion(table, dialect)} ON CONFLICT DO NOTHING"


def addition(table: Table, dialect: str, counts: Sequence[str]) -> str:
    """The same, and where its key is there these columns are added to."""
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key.columns)
    added = ", ".join(f"{name} = {table.name}.{name} + excluded.{name}" for name in counts)
    return f"{insertion(table, dialect)} ON CONFLICT ({keys}) DO UPDATE SET {added}"


def execute(connection: Connection, statement: str, rows: Sequence[Row]) -> None:
    """For each of the rows, if there are any."""
    if rows:
        connection.exec_driver_sql(statement, list(rows))


def add_new(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    """Insert those that are not there. PostgreSQL is sent a list of each column, which takes a tenth of the time."""
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(if_new(table, "sqlite"), list(rows))
        return
    lists = ", ".join(f"%s::{_kind(column)}[]" for column in table.columns)
    said = f"INSERT INTO {table.name} SELECT * FROM unnest({lists}) ON CONFLICT DO NOTHING"  # noqa: S608 - our names
    connection.exec_driver_sql(said, tuple(list(values) for values in zip(*rows, strict=True)))


def inserted(
    connection: Connection, statement: str, items: Sequence[_Item], row_of: Callable[[_Item], Row]
) -> Sequence[_Item]:
    """Insert what is new (`if_new`); these. Usually all are, which their number shows."""
    if not items:
        return items
    connection.exec_driver_sql("SAVEPOINT many")
    rows = [row_of(item) for item in items]
    if connection.exec_driver_sql(statement, rows).rowcount == len(rows):
        return items
    connection.exec_driver_sql("ROLLBACK TO SAVEPOINT many")
    alone = (connection.exec_driver_sql(statement, row).rowcount for row in rows)  # rare: one by one
    return [item for item, taken in zip(items, alone, strict=True) if taken]


def _kind(column: Column[Any]) -> str:
    return "text" if isinstance(column.type, String) else "integer"


def _value(column: Column[Any], place: str) -> str:
    """Rows have numbers where PostgreSQL has a type of its own for what is true."""
    return f"{place}::integer::boolean" if isinstance(column.type, Boolean) and place == "%s" else place
