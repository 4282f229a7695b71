"""Hits in the call chain: who asked, for which model, under which ids, for how long; indexes by which one is found."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

_WORDS = (
    ("asked", 128, "the model that was asked for"),
    ("tier", 128, None),
    ("trace_id", 32, "of the client's trace"),
    ("request_id", 128, "the client's own; empty = it has the call's"),
)
_NAMED = ("trace_id", "request_id")


def upgrade() -> None:
    """Each with a default: what is there already has them at once, without being written anew."""
    for name, length, comment in _WORDS:
        op.add_column("hits", sa.Column(name, sa.String(length), nullable=False, server_default="", comment=comment))
    op.add_column("hits", sa.Column("streamed", sa.Boolean(), nullable=False, server_default=sa.false()))
    for name in ("read_us", "duration_us"):
        op.add_column("hits", sa.Column(name, sa.BigInteger(), nullable=False, server_default="0"))
    op.create_index("ix_hits_at_us", "hits", ["at_us"])
    op.create_index("ix_hits_namespace_at_us", "hits", ["namespace", "at_us"])
    for name in _NAMED:
        given = sa.text(f"{name} <> ''")
        op.create_index(f"ix_hits_{name}", "hits", [name], sqlite_where=given, postgresql_where=given)


def downgrade() -> None:
    """As it was."""
    for name in ("at_us", "namespace_at_us", *_NAMED):
        op.drop_index(f"ix_hits_{name}", table_name="hits")
    for name in ("streamed", "read_us", "duration_us", *(name for name, _, _ in _WORDS)):
        op.drop_column("hits", name)
