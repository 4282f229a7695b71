"""A call with one attempt is one row: its attempt is read from it.

What stands in `tries` is kept, as `attempts`; `tries` becomes a view of all.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_USED = "prompt_tokens, completion_tokens, cached_tokens, written_tokens, charged_tokens, cost_nano"
_LASTED = "duration_us - queued_us - waited_us"
_VIEW = f"""
CREATE VIEW tries AS
SELECT day, journal, call_id, number, at_us, duration_us, provider, scope, model, status, reason, estimated, {_USED}
FROM attempts
UNION ALL
SELECT day, journal, call_id, 1, at_us - ({_LASTED}), CASE WHEN {_LASTED} > 0 THEN {_LASTED} ELSE 0 END,
    provider, scope, served, CASE WHEN status IN (499, 502) THEN 200 ELSE status END,
    CASE status WHEN 0 THEN 'lost' WHEN 499 THEN 'stopped' WHEN 502 THEN 'cut' ELSE '' END, estimated, {_USED}
FROM calls
WHERE provider <> '' AND NOT EXISTS (
    SELECT 1 FROM attempts
    WHERE attempts.day = calls.day AND attempts.journal = calls.journal AND attempts.call_id = calls.call_id
)
"""  # noqa: S608 - nothing comes from outside


def upgrade() -> None:
    """Rename the table, and make the view."""
    op.rename_table("tries", "attempts")
    if op.get_bind().dialect.name == "postgresql":
        _rename_parts()
        op.execute("ALTER TABLE attempts RENAME CONSTRAINT pk_tries TO pk_attempts")
        op.create_table_comment(
            "attempts",
            "The attempts of calls whose own row does not tell them: of several, or of one that did not answer",
        )
    op.execute(_VIEW)


def _rename_parts() -> None:
    """The partitions are known by their names."""
    parts = sa.text(
        "SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid "
        "WHERE i.inhparent = CAST('attempts' AS regclass)"
    )
    for old in op.get_bind().scalars(parts).all():
        op.rename_table(old, old.replace("tries_d", "attempts_d"))
