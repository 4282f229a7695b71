"""Trends: what each lane used by minute and hour, and the limits in force. Hours are filled from what is known."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

_NAME = sa.String(128)
_COUNTS = (
    "calls", "errors", "attempts", "throttled", "refused", "queued_us", "prompt_tokens", "completion_tokens",
    "charged_tokens", "reserved_tokens",
)  # fmt: skip
_KNOWN = ("calls", "errors", "attempts", "prompt_tokens", "completion_tokens", "charged_tokens", "reserved_tokens")


def upgrade() -> None:
    """Three tables; the hours of lanes from the sums that there are."""
    text = "Use by the minute since 1970: attempts where and when they left, calls where and when they ended"
    _table("lane_minutes", "minute", _counts(*_COUNTS), text)
    _table("lane_hours", "hour", _counts(*_COUNTS), "The same by the hour since 1970")
    source = "configured, headers, refusals; of the token limit, or of the other"
    told = sa.Column("source", _NAME, nullable=False, comment=source)
    text = "From this minute on these limits were in force, 0 = none; a row where they changed"
    _table("lane_limits", "minute", [*_counts("tpm", "rpm"), told], text)
    names = ", ".join(_KNOWN)
    sums = ", ".join(f"SUM({name})" for name in _KNOWN)
    op.execute(
        f"INSERT INTO lane_hours (hour, provider, scope, model, {names}) "  # noqa: S608 - nothing comes from outside
        f"SELECT hour, provider, scope, model, {sums} FROM hourly WHERE provider <> '' "
        "GROUP BY hour, provider, scope, model"
    )


def _table(name: str, unit: str, columns: list[sa.Column[Any]], comment: str) -> None:
    op.create_table(
        name,
        sa.Column(unit, sa.Integer(), autoincrement=False, nullable=False),
        *(sa.Column(part, _NAME, nullable=False) for part in ("provider", "scope", "model")),
        *columns,
        sa.PrimaryKeyConstraint(unit, "provider", "scope", "model", name=op.f(f"pk_{name}")),
        comment=comment,
        sqlite_with_rowid=False,
    )


def _counts(*names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, sa.BigInteger(), server_default="0", nullable=False) for name in names]


def downgrade() -> None:
    """Take them away."""
    for name in ("lane_limits", "lane_hours", "lane_minutes"):
        op.drop_table(name)
