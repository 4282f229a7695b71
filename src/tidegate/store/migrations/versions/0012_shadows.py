"""What candidates answered beside strategies, by day."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    sums = ("primary_us", "candidate_us", "primary_nano", "candidate_nano", "primary_chars", "candidate_chars")
    said = {
        "calls": "of the sample, for which there was a place",
        "unasked": "no money was left for the day, or no quota",
        "permille": "of those answered, how much alike the answers are",
        "primary_us": "of those answered, as all sums below",
        "candidate_nano": "of all, also of those that failed",
    }
    counted = ("calls", "answered", "failed", "unasked", "agreed", "permille", *sums)
    op.create_table(
        "shadow_days",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("strategy", sa.String(128), nullable=False),
        sa.Column("candidate", sa.String(256), nullable=False, comment="the model"),
        *(sa.Column(name, sa.BigInteger(), nullable=False, comment=said.get(name)) for name in counted),
        sa.PrimaryKeyConstraint("day", "strategy", "candidate", name=op.f("pk_shadow_days")),
        comment="What candidates answered beside strategies, by day",
    )


def downgrade() -> None:
    """As it was."""
    op.drop_table("shadow_days")
