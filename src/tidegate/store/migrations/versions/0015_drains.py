"""Accounts that an operator has taken out of service."""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "drains",
        sa.Column("provider", sa.String(128), nullable=False),
        sa.Column("scope", sa.String(128), nullable=False),
        sa.Column("fingerprint", sa.String(16), nullable=False, comment="of one of its keys; empty: all of the scope"),
        sa.Column("since_us", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.PrimaryKeyConstraint("provider", "scope", "fingerprint", name=op.f("pk_drains")),
        comment="Accounts that an operator has taken out of service",
    )


def downgrade() -> None:
    """As it was."""
    op.drop_table("drains")
