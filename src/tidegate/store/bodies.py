"""What calls said, for as long as their namespaces want it kept and there is room. Nothing is stored unredacted."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects import postgresql, sqlite

from tidegate.store.engine import Begin, is_sqlite, writing
from tidegate.store.metadata import METADATA, NAME

_STEP: Final = 100  # rows deleted while nobody else can write; one may have two megabytes

BODIES: Final = Table(
    "bodies",
    METADATA,
    Column("call_id", BigInteger, primary_key=True, autoincrement=False),
    Column("journal", String(32), primary_key=True, comment="the identity of the journal that has its record"),
    Column("at_us", BigInteger, nullable=False, comment="when its answer ended"),
    Column("expires_us", BigInteger, nullable=False),
    Column("size", BigInteger, nullable=False, comment="bytes of both texts"),
    Column("namespace", NAME, nullable=False),
    Column("key", NAME, nullable=False),
    Column("status", Integer, nullable=False, comment="as the client was told"),
    Column("why", String(16), nullable=False, comment="sample or error"),
    Column("complete", Boolean, nullable=False, comment="the answer came to its end"),
    Column("request_bytes", BigInteger, nullable=False, comment="as it was sent"),
    Column("answer_bytes", BigInteger, nullable=False, comment="as it was sent"),
    Column("redactions", Integer, nullable=False, comment="how often something was taken out"),
    Column("request", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Index("ix_bodies_expires_us", "expires_us"),
    Index("ix_bodies_at_us_size", "at_us", "size"),
    comment="What calls said, redacted, of a sample and of errors where a namespace asks for it",
)


def write(connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Add rows by the names of columns; what stands there already is left as it is. O(rows log rows)."""
    make = sqlite.insert if is_sqlite(connection) else postgresql.insert
    if rows:
        connection.execute(make(BODIES).on_conflict_do_nothing(), list(rows))


def body(connection: Connection, call_id: int) -> Row[Any] | None:
    """What a call said; None when it was not kept, or not for so long. Of two gates' calls with one id, the later's."""
    query = select(BODIES).where(BODIES.c.call_id == call_id).order_by(BODIES.c.at_us.desc()).limit(1)
    return connection.execute(query).one_or_none()


def forget(engine: Engine, now_us: int, most_bytes: int, begin: Begin = writing) -> int:
    """Delete what has expired, then the oldest until `most_bytes` are left at most; returns how many rows went.

    In small steps, each a transaction of its own. O(rows that go), and one look at an index.
    Raises what `begin` raises.
    """
    gone = 0
    while True:
        with begin(engine) as connection:
            _thoroughly(connection)
            old = select(*_KEY).where(BODIES.c.expires_us <= now_us).limit(_STEP)
            count = connection.execute(delete(BODIES).where(tuple_(*_KEY).in_(old))).rowcount
        gone += count
        if count < _STEP:
            return gone + _shrink(engine, most_bytes, begin)


_KEY: Final = (BODIES.c.call_id, BODIES.c.journal)


def _shrink(engine: Engine, most_bytes: int, begin: Begin) -> int:
    with engine.connect() as connection:
        over = (connection.scalar(select(func.sum(BODIES.c.size))) or 0) - most_bytes
    gone = 0
    while over > 0:
        with begin(engine) as connection:
            _thoroughly(connection)
            oldest = select(*_KEY, BODIES.c.size).order_by(BODIES.c.at_us).limit(_STEP)
            going = []
            for call_id, journal, size in connection.execute(oldest):
                if over <= 0:
                    break
                going.append((call_id, journal))
                over -= size
            if not going:
                return gone
            connection.execute(delete(BODIES).where(tuple_(*_KEY).in_(going)))
        gone += len(going)
    return gone


def _thoroughly(connection: Connection) -> None:
    """What is deleted is overwritten: SQLite would leave it in its file until the place is used again."""
    if is_sqlite(connection):
        connection.exec_driver_sql("PRAGMA secure_delete=ON")
