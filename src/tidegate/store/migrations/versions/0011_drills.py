"""What drills found out of fallbacks."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_MODEL = sa.String(256)


def upgrade() -> None:
    """One table."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "drill_runs",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="when it ended"),
        sa.Column("drill", _NAME, nullable=False),
        sa.Column("strategy", _MODEL, nullable=False),
        sa.Column("target", _MODEL, nullable=False, comment="the model that was asked"),
        sa.Column("state", sa.String(16), nullable=False, comment="passed, failed or not_judged"),
        sa.Column("permille", sa.Integer(), nullable=False, comment="the score, the least that it can be"),
        sa.Column("until_us", sa.BigInteger(), nullable=False, comment="so long it is a proof; 0 = it is none"),
        sa.Column("asked", sa.Integer(), nullable=False, comment="questions"),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.String(1_024), nullable=False, comment="what was not as expected"),
        sa.Column("detail", sa.Text(), nullable=False, comment="verdicts on its answers, JSON; no answers"),
        sa.Column("digest", sa.String(64), nullable=False, comment="of the drill as it was"),
        sa.Column("cause", sa.String(16), nullable=False, comment="schedule or demand"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drill_runs")),
        comment="What drills found out of the targets of strategies",
        sqlite_autoincrement=True,
    )
    op.create_index("ix_drill_runs_drill_strategy_target", "drill_runs", ["drill", "strategy", "target", "id"])


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_drill_runs_drill_strategy_target", table_name="drill_runs")
    op.drop_table("drill_runs")
