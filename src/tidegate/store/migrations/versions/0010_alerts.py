"""Alerts: what is on, who was told, what has still to be said, and how each node stands."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_ID = sa.String(32)
_WORD = sa.String(16)


def upgrade() -> None:
    """Eight tables."""
    _state()
    _history()
    op.create_table(
        "alert_silences",
        sa.Column("id", _ID, nullable=False),
        sa.Column("from_us", sa.BigInteger(), nullable=False),
        sa.Column("until_us", sa.BigInteger(), nullable=False),
        sa.Column("silence", sa.Text(), nullable=False, comment="JSON: model/alerts.AlertSilence"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_silences")),
        comment="Made at run time, beside those of the file",
    )
    op.create_table(
        "alert_keeper",
        sa.Column("one", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "holder",
            sa.String(64),
            nullable=False,
            comment="the process that judges; what others remember is old",
        ),
        sa.PrimaryKeyConstraint("one", name=op.f("pk_alert_keeper")),
        comment="Whose memory the state is",
    )
    op.create_table(
        "standings",
        sa.Column("node", _NAME, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False, comment="the database's clock, where it has one"),
        sa.Column("standing", sa.LargeBinary(), nullable=False, comment="MessagePack: model/standing.NodeStanding"),
        sa.PrimaryKeyConstraint("node", name=op.f("pk_standings")),
        comment="How each node stood a moment ago",
    )


def _state() -> None:
    op.create_table(
        "alerts",
        sa.Column("id", _ID, nullable=False),
        sa.Column("rule", _NAME, nullable=False),
        sa.Column("stage", _WORD, nullable=False, comment="pending, firing, clearing, resolved"),
        sa.Column("severity", _WORD, nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="JSON: model/alert_state.Alert"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alerts")),
        comment="Alerts of which there is something to say; only the leader writes them",
    )
    op.create_table(
        "alert_takes",
        sa.Column("alert", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("by", _NAME, nullable=False, comment="the name of a token"),
        sa.PrimaryKeyConstraint("alert", name=op.f("pk_alert_takes")),
        comment="Who has taken an alert, as the admin API noted it",
    )
    op.create_table(
        "alert_groups",
        sa.Column("key", _ID, nullable=False),
        sa.Column("state", sa.Text(), nullable=False, comment="JSON: model/alert_state.Group"),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_alert_groups")),
        comment="What each channel was told; only the leader writes it",
    )


def _history() -> None:
    op.create_table(
        "alert_events",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("alert", _ID, nullable=False),
        sa.Column("change", _WORD, nullable=False),
        sa.Column("rule", _NAME, nullable=False),
        sa.Column("severity", _WORD, nullable=False),
        sa.Column("event", sa.Text(), nullable=False, comment="JSON: model/alert_state.AlertEvent"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_alert_events")),
        comment="What became of alerts",
    )
    op.create_index("ix_alert_events_at_us", "alert_events", ["at_us"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "alert_notices",
        sa.Column("number", serial, autoincrement=True, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("channel", _NAME, nullable=False),
        sa.Column("at_us", sa.BigInteger(), nullable=False),
        sa.Column("notice", sa.Text(), nullable=False, comment="JSON: model/alerts.Notice"),
        sa.Column("stage", _WORD, nullable=False, comment="waiting, claimed, sent, failed"),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "next_us",
            sa.BigInteger(),
            nullable=False,
            comment="not before; of a claimed one: it is somebody else's then",
        ),
        sa.Column("done_us", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column(
            "repeated", sa.Boolean(), nullable=False, comment="who claimed it died; it may have been sent before"
        ),
        sa.Column("problem", sa.String(512), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_alert_notices")),
        comment="What channels are told, in order; kept for a while when it is done",
        sqlite_autoincrement=True,
    )
    op.create_index("uq_alert_notices_id_channel", "alert_notices", ["id", "channel"], unique=True)
    op.create_index("ix_alert_notices_stage_channel", "alert_notices", ["stage", "channel"])
    op.create_index("ix_alert_notices_at_us", "alert_notices", ["at_us"])


def downgrade() -> None:
    """As it was."""
    for table in (
        "standings", "alert_keeper", "alert_silences", "alert_notices", "alert_events", "alert_groups", "alert_takes",
        "alerts",
    ):  # fmt: skip
        op.drop_table(table)
