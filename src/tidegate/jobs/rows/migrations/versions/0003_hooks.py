"""What webhooks were told, and the ends of batches that they are told of."""

import sqlalchemy as sa
from alembic import op

revision = "0003_hooks"
down_revision = "0002_batches"
branch_labels = None
depends_on = None

_NAME = sa.String(128)


def upgrade() -> None:
    """Tables of webhooks."""
    due = sa.text("hook_state = 'due'")
    op.create_table(
        "hook_events",
        sa.Column("id", _NAME, primary_key=True),
        sa.Column("tenant", sa.String(160), nullable=False),
        sa.Column("finished_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("webhook", sa.Text, nullable=False),
        sa.Column("hook_state", sa.String(16), nullable=False),
        sa.Column("hook_next_us", sa.BigInteger, nullable=False),
        sa.Column("hook_attempts", sa.Integer, nullable=False),
    )
    op.create_index("ix_hook_events_due", "hook_events", ["hook_next_us"], sqlite_where=due, postgresql_where=due)
    op.create_index("ix_hook_events_finished_us", "hook_events", ["finished_us"])
    op.create_table(
        "hook_deliveries",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("about", _NAME, nullable=False),
        sa.Column("attempt", sa.SmallInteger, nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("took_us", sa.BigInteger, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("error", sa.String(64), nullable=False),
    )
    op.create_index("ix_hook_deliveries_about", "hook_deliveries", ["about", "number"])
    op.create_index("ix_hook_deliveries_at_us", "hook_deliveries", ["at_us"])


def downgrade() -> None:
    """Take them away."""
    op.drop_table("hook_deliveries")
    op.drop_table("hook_events")
