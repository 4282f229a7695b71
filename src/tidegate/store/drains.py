"""Accounts that are out of service: scopes of providers, and single keys by their fingerprints.

Every function works within its caller's transaction. Moments are microseconds since 1970.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sqlalchemy import BigInteger, Column, ColumnElement, Connection, String, Table, delete, insert, select

from tidegate.model.directory import PutDrain
from tidegate.store.metadata import METADATA, NAME

LONGEST: Final = 500  # characters of a reason

DRAINS: Final = Table(
    "drains",
    METADATA,
    Column("provider", NAME, primary_key=True),
    Column("scope", NAME, primary_key=True),
    Column("fingerprint", String(16), primary_key=True, comment="of one of its keys; empty: all of the scope"),
    Column("since_us", BigInteger, nullable=False),
    Column("actor", NAME, nullable=False),
    Column("reason", String(LONGEST), nullable=False),
    comment="Accounts that an operator has taken out of service",
)


class StoredDrain(NamedTuple):
    """One account. `key` "" = all of the scope."""

    provider: str
    scope: str
    key: str
    since_us: int
    by: str
    reason: str

    @property
    def change(self) -> PutDrain:
        """What the directory log is told of it."""
        return PutDrain(self.provider, self.scope, self.key)


def all_of(connection: Connection) -> Iterator[StoredDrain]:
    """All, in their order."""
    order = (DRAINS.c.provider, DRAINS.c.scope, DRAINS.c.fingerprint)
    for row in connection.execute(select(DRAINS).order_by(*order)):
        yield StoredDrain(*row)


def drain(connection: Connection, provider: str, scope: str, key: str) -> StoredDrain | None:
    """Whether it is out of service, None = it is not."""
    row = connection.execute(select(DRAINS).where(_is(provider, scope, key))).one_or_none()
    return None if row is None else StoredDrain(*row)


def put(connection: Connection, one: StoredDrain) -> None:
    """It is out of service, or was and is for another reason now."""
    remove(connection, one.provider, one.scope, one.key)
    connection.execute(
        insert(DRAINS).values(
            provider=one.provider,
            scope=one.scope,
            fingerprint=one.key,
            since_us=one.since_us,
            actor=one.by,
            reason=one.reason,
        )
    )


def remove(connection: Connection, provider: str, scope: str, key: str) -> None:
    """It is in service. Harmless when it was."""
    connection.execute(delete(DRAINS).where(_is(provider, scope, key)))


def _is(provider: str, scope: str, key: str) -> ColumnElement[bool]:
    return (DRAINS.c.provider == provider) & (DRAINS.c.scope == scope) & (DRAINS.c.fingerprint == key)
