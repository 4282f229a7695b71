"""Who does what is done once for all nodes: a lease in the database, with a fence that every write of it checks.

The lease and what is done by it are in one place, so that the check is exact: a transaction of a holder whose lease has
ended does not begin, and while one is open nobody else becomes the holder. A holder that is frozen within a transaction
is cut off by the database. The clock is the database's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from sqlalchemy import Connection, Engine, text

from tidegate.store.engine import is_sqlite, writing

LEASE_US: Final = 10_000_000
_IDLE_MS: Final = 5_000  # within a transaction of a duty: then the database ends it

_NOW: Final = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
_NEW: Final = "INSERT INTO duties (name, holder, fence, until_us) VALUES (:name, '', 0, 0) ON CONFLICT DO NOTHING"
_CLAIM: Final = (
    f"UPDATE duties SET holder = :holder, until_us = {_NOW} + :lease, "  # noqa: S608 - our words
    f"fence = fence + CASE WHEN holder = :holder AND until_us > {_NOW} THEN 0 ELSE 1 END "
    f"WHERE name = :name AND (holder = :holder OR until_us <= {_NOW}) RETURNING fence"
)
_LEAVE: Final = "UPDATE duties SET until_us = 0 WHERE name = :name AND holder = :holder"
_CHECK: Final = (
    f"SELECT 1 FROM duties WHERE name = :name AND holder = :holder AND fence = :fence AND until_us > {_NOW} FOR SHARE"  # noqa: S608
)


class Deposed(Exception):
    """Somebody else has the duty, or nobody: nothing of this transaction is done."""


class DutyLease(NamedTuple):
    """A duty that is held: proof of it for each transaction."""

    name: str
    holder: str
    fence: int

    @contextmanager
    def writing(self, engine: Engine) -> Iterator[Connection]:
        """A transaction that is this holder's, or is not at all. Raises `Deposed`."""
        with writing(engine) as connection:
            if not is_sqlite(connection):
                connection.execute(text(f"SET LOCAL idle_in_transaction_session_timeout = {_IDLE_MS}"))
                if connection.execute(text(_CHECK), self._asdict()).first() is None:
                    raise Deposed(f"{self.holder} has not the duty {self.name} any more")
            yield connection


def claim(engine: Engine, name: str, holder: str, lease_us: int = LEASE_US) -> DutyLease | None:
    """Take the duty, or renew its lease; None while another has it. A database of one gate asks nobody.

    Raises `SQLAlchemyError`.
    """
    if is_sqlite(engine):
        return DutyLease(name, holder, 0)
    with writing(engine) as connection:
        connection.execute(text(_NEW), {"name": name})
        row = connection.execute(text(_CLAIM), {"name": name, "holder": holder, "lease": lease_us}).first()
    return None if row is None else DutyLease(name, holder, int(row[0]))


def leave(engine: Engine, name: str, holder: str) -> None:
    """Whoever comes next need not wait for the lease to end. Raises `SQLAlchemyError`."""
    if not is_sqlite(engine):
        with writing(engine) as connection:
            connection.execute(text(_LEAVE), {"name": name, "holder": holder})
