"""Writing a batch of facts: calls, tries, sums and the journal's position in one transaction.

Each fact counts once, whatever dies when: the position says what was taken, and a call that stands in the table already
(a journal put back from a copy) is not counted again.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Table, select, update
from sqlalchemy.dialects import postgresql, sqlite

from tidegate.ledger.follow import Position
from tidegate.model.facts import CallRecord, Fact, tries_of
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
    new = _calls(connection, at.id, [fact for fact in batch.facts if isinstance(fact, CallRecord)])
    count = len(new)
    sums = Sums(words)
    rows: list[Row] = []
    for fact in batch.facts:
        if not isinstance(fact, CallRecord):
            sums.intended(fact)
        elif (key := (day_of(fact.at_us), fact.call_id)) in new:
            new.remove(key)
            sums.called(fact)
            rows += [try_row(at.id, fact, number, one) for number, one in enumerate(tries_of(fact), 1)]
    if rows:
        connection.execute(_insert(connection, TRIES), rows)
    _add(connection, sums.rows())
    return _move(connection, at, batch, count)


def _calls(connection: Connection, id_: int, records: Sequence[CallRecord]) -> set[tuple[int, int]]:
    """Insert those that are new; the days and ids of these."""
    if not records:
        return set()
    if not is_sqlite(connection):
        days = {day_of(record.at_us) for record in records}
        partitions.ensure(connection, sorted(days))
    statement = _insert(connection, CALLS).on_conflict_do_nothing().returning(CALLS.c.day, CALLS.c.call_id)
    rows = {(row["day"], row["call_id"]): row for row in (call_row(id_, record) for record in records)}
    return {(day, call_id) for day, call_id in connection.execute(statement, list(rows.values()))}


def _add(connection: Connection, rows: list[Row]) -> None:
    if not rows:
        return
    statement = _insert(connection, HOURLY)
    added = {name: HOURLY.c[name] + statement.excluded[name] for name in Sums.NAMES}
    connection.execute(statement.on_conflict_do_update(index_elements=list(Key._fields), set_=added), rows)


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


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both have the same words for what to do on a conflict."""
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)
