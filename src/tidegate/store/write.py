"""Writing a batch of facts: calls, tries, sums and the journal's position in one transaction.

Each fact counts once, whatever dies when: the position says what was taken, and a call that stands in the table already
(a journal put back from a copy) is not counted again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tidegate.ledger.follow import Position
from tidegate.model.facts import CallRecord, Fact, Intent, tries_of
from tidegate.store import partitions
from tidegate.store.engine import is_sqlite
from tidegate.store.rows import Row, call_row, day_of, try_row
from tidegate.store.sums import Key, Sums, Words
from tidegate.store.tables import CALLS, HOURLY, JOURNALS, TRIES


class Moved(Exception):
    """Somebody else has taken from this journal since: look where it stands."""


class Journal(NamedTuple):
    """A row of `journals`."""

    id: int
    position: Position
    taken_calls: int
    damaged_records: int
    missed_segments: int


class Batch(NamedTuple):
    """What was read between two positions."""

    facts: Sequence[Fact]
    position: Position
    damaged: int = 0
    missed: int = 0


def journal(connection: Connection, identity: str, name: str) -> Journal:
    """How far a journal has been taken; a new one has been taken not at all."""
    known = _journal(connection, identity)
    if known is None:
        values = {"identity": identity, "name": name}
        connection.execute(_insert(connection, JOURNALS).values(values).on_conflict_do_nothing())
        known = _journal(connection, identity)
    if known is None:
        raise LookupError(f"the journal {identity} was removed from the database")
    return known


def write(connection: Connection, at: Journal, batch: Batch, words: Words) -> Journal:
    """Add a batch that was read at `at`; returns where the journal stands now. O(facts log facts).

    Raises `Moved`, when the database says otherwise.
    """
    held = connection.execute(
        select(JOURNALS.c.segment, JOURNALS.c.position).where(JOURNALS.c.id == at.id).with_for_update()
    ).one_or_none()
    if held is None or tuple(held) != tuple(at.position):
        raise Moved
    records = [fact for fact in batch.facts if isinstance(fact, CallRecord)]
    new = _new(connection, at.id, records)
    sums = Sums(words)
    rows: list[Row] = []
    for record in new:
        tries = tries_of(record)
        sums.called(record, tries)
        rows += [try_row(at.id, record, number, one) for number, one in enumerate(tries, 1)]
    for fact in batch.facts:
        if isinstance(fact, Intent):
            sums.intended(fact)
    if rows:
        connection.exec_driver_sql(_insert_text(connection, TRIES), rows)
    _add(connection, sums.rows())
    return _move(connection, at, batch, len(new))


def _new(connection: Connection, id_: int, records: Sequence[CallRecord]) -> Sequence[CallRecord]:
    """Insert the calls that are new; these. Usually all are, which their number shows."""
    if not records:
        return records
    if not is_sqlite(connection):
        days = {day_of(record.at_us) for record in records}
        partitions.ensure(connection, sorted(days))
    statement = _insert_text(connection, CALLS) + " ON CONFLICT DO NOTHING"
    with connection.begin_nested() as point:
        found = connection.exec_driver_sql(statement, [call_row(id_, record) for record in records])
        if found.rowcount == len(records):
            return records
        point.rollback()
    return [
        record
        for record in records
        if connection.exec_driver_sql(statement, [call_row(id_, record)]).rowcount  # rare: one by one
    ]


def _add(connection: Connection, rows: list[Row]) -> None:
    if not rows:
        return
    quoted = connection.dialect.identifier_preparer.quote
    keys = ", ".join(quoted(name) for name in Key._fields)
    added = ", ".join(f"{quoted(name)} = hourly.{quoted(name)} + excluded.{quoted(name)}" for name in Sums.NAMES)
    statement = f"{_insert_text(connection, HOURLY)} ON CONFLICT ({keys}) DO UPDATE SET {added}"
    connection.exec_driver_sql(statement, rows)


def _move(connection: Connection, at: Journal, batch: Batch, calls: int) -> Journal:
    moved = Journal(
        at.id,
        batch.position,
        at.taken_calls + calls,
        at.damaged_records + batch.damaged,
        at.missed_segments + batch.missed,
    )
    values = {
        "segment": moved.position.segment,
        "position": moved.position.offset,
        "taken_calls": JOURNALS.c.taken_calls + calls,
        "damaged_records": JOURNALS.c.damaged_records + batch.damaged,
        "missed_segments": JOURNALS.c.missed_segments + batch.missed,
    }
    connection.execute(update(JOURNALS).where(JOURNALS.c.id == at.id).values(values))
    return moved


def _journal(connection: Connection, identity: str) -> Journal | None:
    table = JOURNALS.c
    row = connection.execute(select(JOURNALS).where(table.identity == identity)).one_or_none()
    if row is None:
        return None
    position = Position(row.segment, row.position)
    return Journal(row.id, position, row.taken_calls, row.damaged_records, row.missed_segments)


def _insert_text(connection: Connection, table: Table) -> str:
    """An insertion as the driver takes it, many rows at once: SQLAlchemy's own costs ten times as much a row."""
    quoted = connection.dialect.identifier_preparer.quote
    names = ", ".join(quoted(column.name) for column in table.columns)
    place = "?" if is_sqlite(connection) else "%s"
    return f"INSERT INTO {table.name} ({names}) VALUES ({', '.join([place] * len(table.columns))})"  # noqa: S608 - our names


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both have the same words for what to do on a conflict."""
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)
