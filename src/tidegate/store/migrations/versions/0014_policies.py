"""Configurations that were in force."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """One table."""
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    whose = "whose file it was, empty: that of all nodes of the cluster"
    op.create_table(
        "policies",
        sa.Column("id", number, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("node", sa.String(128), nullable=False, comment=whose),
        sa.Column("actor", sa.String(128), nullable=False, comment="empty: it was changed outside of the gate"),
        sa.Column("comment", sa.String(500), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, comment="of the text with its secrets, keyed"),
        sa.Column("added", sa.Integer(), nullable=False, comment="lines"),
        sa.Column("removed", sa.Integer(), nullable=False, comment="lines"),
        sa.Column("text", sa.LargeBinary(), nullable=False, comment="zlib, UTF-8, with masks in the place of secrets"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_policies")),
        comment="Configurations that were in force",
    )
    op.create_index("ix_policies_node_id", "policies", ["node", "id"])


def downgrade() -> None:
    """As it was."""
    op.drop_index("ix_policies_node_id", table_name="policies")
    op.drop_table("policies")
