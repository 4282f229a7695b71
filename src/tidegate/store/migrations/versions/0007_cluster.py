"""Several nodes on one database: what changed, in order, and who does what is done once for all."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_NAME = sa.String(128)


def upgrade() -> None:
    """Two tables."""
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "news",
        sa.Column("id", serial, autoincrement=True, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("origin", sa.String(32), nullable=False, comment="the process that brought it about"),
        sa.Column(
            "kind",
            sa.String(16),
            nullable=False,
            comment="namespace, user, key: see its row. purge: of kept answers",
        ),
        sa.Column("namespace", _NAME, nullable=False),
        sa.Column("name", sa.String(4_096), nullable=False, comment="purge: the value that is purged"),
        sa.Column("what", sa.String(16), nullable=False, comment="purge: what is purged; else empty"),
        sa.Column("gone", sa.Boolean(), nullable=False, comment="it was removed, if only to be made again"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_news")),
        comment="What changed at run time, in the order of its transactions: every node follows it",
        sqlite_autoincrement=True,
    )
    op.create_table(
        "duties",
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("holder", sa.String(160), nullable=False, comment="node and process"),
        sa.Column("fence", sa.BigInteger(), nullable=False, comment="grows with every holder"),
        sa.Column("until_us", sa.BigInteger(), nullable=False, comment="the database's clock"),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_duties")),
        comment="What one process of a cluster does for all",
    )


def downgrade() -> None:
    """As it was."""
    op.drop_table("duties")
    op.drop_table("news")
