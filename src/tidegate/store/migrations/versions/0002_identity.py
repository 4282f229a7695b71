"""Namespaces, users and keys as they are managed at run time, admin tokens, and who changed what."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Tables of who may call, who may manage, and the audit."""
    _namespaces_and_users()
    _keys()
    op.create_table(
        "tokens",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("used_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("at_us", sa.BigInteger, nullable=False, index=True),
        sa.Column("actor", _NAME, nullable=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("action", sa.String(32), nullable=False),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("target", _NAME, nullable=False),
        sa.Column("before", sa.Text, nullable=False),
        sa.Column("after", sa.Text, nullable=False),
    )


def _namespaces_and_users() -> None:
    op.create_table(
        "namespaces",
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "users",
        sa.Column("namespace", _NAME, primary_key=True),
        sa.Column("name", _NAME, primary_key=True),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
    )


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", _SERIAL, primary_key=True, autoincrement=True),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("digest", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("signing_key", sa.LargeBinary(32), nullable=False),
        sa.Column("entry", sa.Text, nullable=False),
        sa.Column("hint", sa.String(16), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("changed_us", sa.BigInteger, nullable=False),
        sa.Column("revoked_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_keys_namespace_name", "keys", ["namespace", "name"])
    live = sa.text("revoked_us = 0")
    op.create_index("ix_keys_live", "keys", ["name"], unique=True, sqlite_where=live, postgresql_where=live)


def downgrade() -> None:
    """Take them away."""
    for table in ("audit", "tokens", "keys", "users", "namespaces"):
        op.drop_table(table)
