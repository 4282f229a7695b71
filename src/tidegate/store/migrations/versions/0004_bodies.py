"""What calls said, where that is kept."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_NAME = sa.String(128)


def upgrade() -> None:
    """One table, of which rows go by their time and by their size."""
    op.create_table(
        "bodies",
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("journal", sa.String(32), nullable=False, comment="the identity of the journal that has its record"),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when its answer ended"),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False, comment="bytes of both texts"),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("status", sa.Integer(), nullable=False, comment="as the client was told"),
        sa.Column("why", sa.String(16), nullable=False, comment="sample or error"),
        sa.Column("complete", sa.Boolean(), nullable=False, comment="the answer came to its end"),
        sa.Column("request_bytes", sa.BigInteger(), nullable=False, comment="as it was sent"),
        sa.Column("answer_bytes", sa.BigInteger(), nullable=False, comment="as it was sent"),
        sa.Column("redactions", sa.Integer(), nullable=False, comment="how often something was taken out"),
        sa.Column("request", sa.Text(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("call_id", "journal", name=op.f("pk_bodies")),
        comment="What calls said, redacted, of a sample and of errors where a namespace asks for it",
    )
    op.create_index("ix_bodies_expires_us", "bodies", ["expires_us"])
    op.create_index("ix_bodies_at_us_size", "bodies", ["at_us", "size"])


def downgrade() -> None:
    """Take it away."""
    op.drop_table("bodies")
