"""In which minutes calls ended that have a value; those that are there are taken up."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_NAMED = ("namespace", "user", "key", "plan", "model", "provider", "scope", "served", "account")
_SPLIT = (("tag", ", "), ("why", " "))
_MINUTE = "at_us / 60000000"
_PUT = "INSERT INTO postings (day, field, value, minute)"


def upgrade() -> None:
    """One table."""
    op.create_table(
        "postings",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False, comment="its minute's"),
        sa.Column("field", sa.String(16), nullable=False, comment="user, plan, tag …"),
        sa.Column(
            "value", sa.String(128), nullable=False, comment="of a duration or wait: how many bits the longest has"
        ),
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False, comment="since 1970"),
        sa.PrimaryKeyConstraint("day", "field", "value", "minute", name=op.f("pk_postings")),
        comment="In which minutes calls ended that have a value: all that a search by it looks into",
        postgresql_partition_by="RANGE (day)",
        sqlite_with_rowid=False,
    )
    for day in op.get_bind().execute(sa.text("SELECT DISTINCT day FROM calls")).scalars().all():
        _take_up(day)


def downgrade() -> None:
    """As it was."""
    op.drop_table("postings")


def _take_up(day: int) -> None:
    """One day at a time, since a statement may take a minute."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        op.execute(f"CREATE TABLE postings_d{day:06d} PARTITION OF postings FOR VALUES FROM ({day}) TO ({day + 1})")
    for name in _NAMED:
        said = f"{_PUT} SELECT DISTINCT day, '{name}', \"{name}\", {_MINUTE} FROM calls WHERE day = {day:d}"  # noqa: S608 - ours
        op.execute(said)
    rows = list(_rows(connection, day))
    if rows:
        connection.execute(sa.text(f"{_PUT} VALUES ({day:d}, :field, :value, :minute)"), rows)


def _rows(connection: sa.Connection, day: int) -> Iterator[dict[str, Any]]:
    """Those of which a column holds several, or that are written otherwise."""
    of = f"FROM calls WHERE day = {day:d}"
    for field, between in _SPLIT:
        found = connection.execute(sa.text(f"SELECT DISTINCT {_MINUTE}, {field} {of}"))
        have = {(minute, one) for minute, text in found for one in text.split(between) if text or field == "tag"}
        yield from ({"field": field, "value": one, "minute": minute} for minute, one in have)
    for minute, status in connection.execute(sa.text(f"SELECT DISTINCT {_MINUTE}, status {of}")):
        yield {"field": "status", "value": f"{status:03d}", "minute": minute}
    for field, what in (("duration", "duration_us"), ("wait", "queued_us + waited_us")):
        said = f"SELECT {_MINUTE}, max({what}) {of} GROUP BY {_MINUTE}"
        for minute, most in connection.execute(sa.text(said)):
            if most > 0:
                yield {"field": field, "value": f"{most.bit_length():02d}", "minute": minute}
