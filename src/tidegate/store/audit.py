"""Who changed what: one row for each change, written in the transaction of the change itself.

What is changed elsewhere than in the database is written down before, as asked for, and completed afterwards.
"""

from dataclasses import dataclass

import msgspec
from sqlalchemy import Connection, Row, delete, insert, select, update

from tidegate.store.identity_tables import AUDIT


@dataclass(frozen=True, slots=True)
class Entry:
    """One change. `before` and `after` are JSON without anything secret, "" = there was nothing."""

    at_us: int
    actor: str  # the name of the token
    role: str
    address: str
    action: str  # KIND.VERB
    namespace: str
    target: str
    before: str = ""
    after: str = ""
    id: int = 0  # as the store counts


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries: empty and 0 = any. `before_id` is where the page before ended."""

    namespace: str = ""
    actor: str = ""
    action: str = ""
    from_us: int = 0
    to_us: int = 0
    before_id: int = 0
    limit: int = 100


def write(connection: Connection, entry: Entry) -> int:
    """Add one entry; returns its number."""
    made = connection.execute(
        insert(AUDIT).values(
            at_us=entry.at_us,
            actor=entry.actor,
            role=entry.role,
            address=entry.address,
            action=entry.action,
            namespace=entry.namespace,
            target=entry.target,
            before=entry.before,
            after=entry.after,
        )
    ).inserted_primary_key
    return int(made[0]) if made is not None else 0


def complete(connection: Connection, number: int, target: str, after: str) -> None:
    """Say what became of what was asked for."""
    connection.execute(update(AUDIT).where(AUDIT.c.id == number).values(target=target, after=after))


def asked(connection: Connection, action: str, target: str) -> Entry | None:
    """The last one whose action begins so and that names this target."""
    query = select(AUDIT).where(AUDIT.c.target == target, AUDIT.c.action.startswith(action, autoescape=True))
    row = connection.execute(query.order_by(AUDIT.c.id.desc()).limit(1)).first()
    return None if row is None else _entry(row)


def entries(connection: Connection, wanted: Wanted) -> list[Entry]:
    """The newest first."""
    query = select(AUDIT).order_by(AUDIT.c.id.desc()).limit(wanted.limit)
    for column, value in ((AUDIT.c.namespace, wanted.namespace), (AUDIT.c.actor, wanted.actor)):
        query = query.where(column == value) if value else query
    if wanted.action:
        query = query.where(AUDIT.c.action.startswith(wanted.action, autoescape=True))
    if wanted.from_us:
        query = query.where(AUDIT.c.at_us >= wanted.from_us)
    if wanted.to_us:
        query = query.where(AUDIT.c.at_us < wanted.to_us)
    if wanted.before_id:
        query = query.where(AUDIT.c.id < wanted.before_id)
    return [_entry(row) for row in connection.execute(query)]


def forget(connection: Connection, before_us: int) -> int:
    """Remove what is older; returns how many."""
    return connection.execute(delete(AUDIT).where(AUDIT.c.at_us < before_us)).rowcount


def as_json(record: object) -> str:
    """A record as it is told in an entry."""
    return msgspec.json.encode(record).decode()


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(
        row.at_us,
        row.actor,
        row.role,
        row.address,
        row.action,
        row.namespace,
        row.target,
        row.before,
        row.after,
        row.id,
    )
