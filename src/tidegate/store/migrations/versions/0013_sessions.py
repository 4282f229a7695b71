"""Who is signed in to the control room."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    op.create_table(
        "sessions",
        sa.Column("digest", sa.LargeBinary(32), nullable=False, comment="SHA-256 of what the browser keeps"),
        sa.Column("name", sa.String(128), nullable=False, comment="whom the audit names"),
        sa.Column("token", sa.String(128), nullable=False, comment="whose it is; empty: an identity provider's"),
        sa.Column("basis", sa.LargeBinary(32), nullable=False, comment="digest of the token, or of the settings"),
        sa.Column("subject", sa.String(255), nullable=False, comment="as the identity provider names it"),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("namespace", sa.String(128), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("agent", sa.String(200), nullable=False, comment="what the browser says that it is"),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("seen_us", sa.BigInteger(), nullable=False, comment="the last use, to the minute"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_sessions")),
        comment="Who is signed in to the control room",
    )
    op.create_index(op.f("ix_sessions_name"), "sessions", ["name"])


def downgrade() -> None:
    """As it was."""
    op.drop_table("sessions")
