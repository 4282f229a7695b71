"""Writing a batch of facts: calls, attempts, hits, sums and the journal's position in one transaction.

Each fact counts once, whatever dies when: the position says what was taken, and a call that stands in the table already
(a journal put back from a copy) is not counted again.
"""

from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from tidegate.journal.follow import Position
from tidegate.model.facts import CallRecord, Fact, Intent
from tidegate.store import hits, partitions, shadows
from tidegate.store.engine import is_sqlite
from tidegate.store.lane_sums import LaneSums
from tidegate.store.lane_tables import LANE_HOURS, LANE_MINUTES
from tidegate.store.postings import Postings
from tidegate.store.rows import Row, attempt_row, call_row, day_of
from tidegate.store.statements import PLACES, add_new, addition, execute, if_new, inserted, insertion
from tidegate.store.stories import STORIES, story_row
from tidegate.store.sums import Place, Sums, Words
from tidegate.store.tables import ATTEMPTS, CALLS, HOURLY, JOURNALS, POSTINGS

_Calls = Sequence[tuple[CallRecord, Place]]


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
    said = _statements(connection.dialect.name)
    records = [fact for fact in batch.facts if isinstance(fact, CallRecord)]
    moved = _move(connection, at, batch, len(records))
    sums, lanes, postings = Sums(words), LaneSums(words), Postings()
    new = _inserted(connection, at.id, [(record, sums.place(record)) for record in records])
    if len(new) != len(records):
        connection.exec_driver_sql(said.uncount, (len(records) - len(new), at.id))
        moved = moved._replace(taken_calls=at.taken_calls + len(new))
    attempts: list[Row] = []
    told: list[Row] = []
    for record, place in new:
        sums.called(record, place)
        lanes.called(record)
        postings.called(record, place.names)
        if record.tries:
            attempts += [attempt_row(at.id, record, number, one) for number, one in enumerate(record.tries, 1)]
        if record.story:
            told.append(story_row(at.id, record))
    for fact in batch.facts:
        if isinstance(fact, Intent):
            sums.intended(fact)
            lanes.intended(fact)
    execute(connection, said.attempts, attempts)
    execute(connection, said.stories, told)
    add_new(connection, POSTINGS, postings.rows())
    execute(connection, said.hourly, sums.rows())
    execute(connection, said.minutes, lanes.minutes())
    execute(connection, said.hours, lanes.hours())
    hits.write(connection, at.id, batch.facts, [record for record, _ in new], words)
    shadows.write(connection, batch.facts)
    return moved


def _inserted(connection: Connection, id_: int, calls: _Calls) -> _Calls:
    """Insert the calls that are new; these."""
    if calls and not is_sqlite(connection):
        days = sorted({day_of(record.at_us) for record, _ in calls})
        partitions.ensure(connection, days, (CALLS, ATTEMPTS, STORIES, POSTINGS))
    said = _statements(connection.dialect.name)
    return inserted(connection, said.calls, calls, lambda call: call_row(id_, call[0], call[1].names))


def _move(connection: Connection, at: Journal, batch: Batch, calls: int) -> Journal:
    """The journal's new position, which nobody else can take meanwhile."""
    values = (*batch.position, calls, batch.damaged, batch.missed, at.id, *at.position)
    if not connection.exec_driver_sql(_statements(connection.dialect.name).move, values).rowcount:
        raise Moved
    return Journal(
        at.id,
        batch.position,
        at.taken_calls + calls,
        at.damaged_records + batch.damaged,
        at.missed_segments + batch.missed,
    )


def _journal(connection: Connection, identity: str) -> Journal | None:
    table = JOURNALS.c
    row = connection.execute(select(JOURNALS).where(table.identity == identity)).one_or_none()
    if row is None:
        return None
    position = Position(row.segment, row.position)
    return Journal(row.id, position, row.taken_calls, row.damaged_records, row.missed_segments)


class _Statements(NamedTuple):
    calls: str
    attempts: str
    stories: str
    hourly: str
    minutes: str
    hours: str
    move: str
    uncount: str


@cache
def _statements(dialect: str) -> _Statements:
    place = PLACES[dialect]
    counted = ", ".join(f"{name} = {name} + {place}" for name in ("taken_calls", "damaged_records", "missed_segments"))
    held = f"WHERE id = {place} AND segment = {place} AND position = {place}"
    return _Statements(
        if_new(CALLS, dialect),
        insertion(ATTEMPTS, dialect),
        insertion(STORIES, dialect),
        addition(HOURLY, dialect, Sums.NAMES),
        addition(LANE_MINUTES, dialect, LaneSums.NAMES),
        addition(LANE_HOURS, dialect, LaneSums.NAMES),
        f"UPDATE journals SET segment = {place}, position = {place}, {counted} {held}",  # noqa: S608 - our names
        f"UPDATE journals SET taken_calls = taken_calls - {place} WHERE id = {place}",  # noqa: S608
    )


def _insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Both have the same words for what to do on a conflict."""
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)
