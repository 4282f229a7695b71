"""What webhooks were told, and the events that no job's row stands for. `*_us` are microseconds since 1970 or spans."""

from typing import Final

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, SmallInteger, String, Table, Text, text

from tidegate.jobs.rows.tables import METADATA
from tidegate.store.metadata import NAME

_SERIAL: Final = BigInteger().with_variant(Integer(), "sqlite")
_DUE: Final = text("hook_state = 'due'")

EVENTS: Final = Table(  # the ends of batches; those of jobs stand in `jobs`
    "hook_events",
    METADATA,
    Column("id", NAME, primary_key=True),  # of what ended
    Column("tenant", String(160), nullable=False),
    Column("finished_us", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),  # as it is sent
    Column("webhook", Text, nullable=False),
    Column("hook_state", String(16), nullable=False),  # as in `jobs`
    Column("hook_next_us", BigInteger, nullable=False),
    Column("hook_attempts", Integer, nullable=False),
    Index("ix_hook_events_due", "hook_next_us", sqlite_where=_DUE, postgresql_where=_DUE),
    Index("ix_hook_events_finished_us", "finished_us"),
)

DELIVERIES: Final = Table(
    "hook_deliveries",
    METADATA,
    Column("number", _SERIAL, primary_key=True, autoincrement=True),
    Column("about", NAME, nullable=False),  # a job or a batch
    Column("attempt", SmallInteger, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("took_us", BigInteger, nullable=False),
    Column("status", SmallInteger, nullable=False),  # 0 = there was none
    Column("error", String(64), nullable=False),
    Index("ix_hook_deliveries_about", "about", "number"),
    Index("ix_hook_deliveries_at_us", "at_us"),
)
