"""The tables of alerts: what is on, who was told, what has still to be said, and how each node stands."""

from typing import Final

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, String, Table, Text

from tidegate.store.metadata import METADATA, NAME

_ID: Final = String(32)

ALERTS: Final = Table(
    "alerts",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("rule", NAME, nullable=False),
    Column("stage", String(16), nullable=False, comment="pending, firing, clearing, resolved"),
    Column("severity", String(16), nullable=False),
    Column("state", Text, nullable=False, comment="JSON: model/alert_state.Alert"),
    comment="Alerts of which there is something to say; only the leader writes them",
)

ALERT_TAKES: Final = Table(
    "alert_takes",
    METADATA,
    Column("alert", _ID, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("by", NAME, nullable=False, comment="the name of a token"),
    comment="Who has taken an alert, as the admin API noted it",
)

ALERT_GROUPS: Final = Table(
    "alert_groups",
    METADATA,
    Column("key", _ID, primary_key=True),
    Column("state", Text, nullable=False, comment="JSON: model/alert_state.Group"),
    comment="What each channel was told; only the leader writes it",
)

ALERT_EVENTS: Final = Table(
    "alert_events",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("at_us", BigInteger, nullable=False),
    Column("alert", _ID, nullable=False),
    Column("change", String(16), nullable=False),
    Column("rule", NAME, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("event", Text, nullable=False, comment="JSON: model/alert_state.AlertEvent"),
    Index("ix_alert_events_at_us", "at_us"),
    comment="What became of alerts",
)

ALERT_NOTICES: Final = Table(
    "alert_notices",
    METADATA,
    Column("number", BigInteger().with_variant(Integer(), "sqlite"), primary_key=True, autoincrement=True),
    Column("id", _ID, nullable=False),
    Column("channel", NAME, nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("notice", Text, nullable=False, comment="JSON: model/alerts.Notice"),
    Column("stage", String(16), nullable=False, comment="waiting, claimed, sent, failed"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("next_us", BigInteger, nullable=False, comment="not before; of a claimed one: it is somebody else's then"),
    Column("done_us", BigInteger, nullable=False, server_default="0"),
    Column("repeated", Boolean, nullable=False, comment="who claimed it died; it may have been sent before"),
    Column("problem", String(512), nullable=False, server_default=""),
    Index("uq_alert_notices_id_channel", "id", "channel", unique=True),
    Index("ix_alert_notices_stage_channel", "stage", "channel"),
    Index("ix_alert_notices_at_us", "at_us"),
    comment="What channels are told, in order; kept for a while when it is done",
    sqlite_autoincrement=True,
)

ALERT_SILENCES: Final = Table(
    "alert_silences",
    METADATA,
    Column("id", _ID, primary_key=True),
    Column("from_us", BigInteger, nullable=False),
    Column("until_us", BigInteger, nullable=False),
    Column("silence", Text, nullable=False, comment="JSON: model/alerts.AlertSilence"),
    comment="Made at run time, beside those of the file",
)

ALERT_KEEPER: Final = Table(
    "alert_keeper",
    METADATA,
    Column("one", Integer, primary_key=True, autoincrement=False),
    Column("holder", String(64), nullable=False, comment="the process that judges; what others remember is old"),
    comment="Whose memory the state is",
)

STANDINGS: Final = Table(
    "standings",
    METADATA,
    Column("node", NAME, primary_key=True),
    Column("at_us", BigInteger, nullable=False, comment="the database's clock, where it has one"),
    Column("standing", LargeBinary, nullable=False, comment="MessagePack: model/standing.NodeStanding"),
    comment="How each node stood a moment ago",
)
