"""A namespace leaves: what it has of jobs, batches and files becomes nobody's, and no more of it is run.

Its rows are given a name that no namespace can have, so that whoever has the old one next finds nothing there.
"""

from collections import Counter
from typing import Final

from sqlalchemy import Connection

from tidegate.jobs.rows.names import cut
from tidegate.jobs.rows.settle import closed
from tidegate.jobs.rows.statement import Statement
from tidegate.jobs.rows.tables import LATER, READY, SENT
from tidegate.model.jobs import CANCELLED

GONE: Final = "!"  # what the names of those who left begin with; no name of the configuration or the admin API does
_PIECE: Final = 2_000  # rows of one transaction: some 20 ms
_WAITING: Final = (LATER, READY, SENT)

# Before the jobs: a batch that ends feeds no more of them. Who is at work on one is overtaken by its version.
_BATCHES = Statement(
    """
    UPDATE job_batches SET namespace = :gone, version = version + 1,
        state = CASE WHEN state IN ('validating', 'in_progress') AND ending = '' THEN 'cancelling' ELSE state END,
        cancelling_us = CASE WHEN state IN ('validating', 'in_progress') AND ending = '' THEN :wall
            ELSE cancelling_us END,
        ending = CASE WHEN state IN ('validating', 'in_progress') AND ending = '' THEN 'cancelled' ELSE ending END
    WHERE kind IN (:kinds) AND namespace = :namespace
    """
)
_FILES = Statement("UPDATE job_files SET namespace = :gone, expires_us = :wall WHERE namespace = :namespace")
_TENANT = Statement("SELECT id FROM job_tenants WHERE name = :name {lock}")
_ROWS = Statement(
    """
    SELECT number, phase, backend FROM jobs WHERE tenant = :tenant AND number > :after
    ORDER BY number LIMIT :most {lock}
    """
)
_CANCELLED = Statement(
    """
    UPDATE jobs SET namespace = :gone, state = 'cancelled', reason = '', phase = 0, finished_us = :wall, sent_us = 0,
        hook_state = CASE WHEN webhook <> '' THEN 'due' ELSE '' END,
        hook_next_us = CASE WHEN webhook <> '' THEN :wall ELSE 0 END, hook_attempts = 0, version = version + 1
    WHERE number IN (:numbers)
    """
)
_NAMED = Statement(
    """
    UPDATE jobs SET namespace = :gone, cancelling = CASE WHEN phase = 4 THEN 1 ELSE cancelling END,
        version = version + 1
    WHERE number IN (:numbers)
    """
)
_RENAMED = Statement("UPDATE job_tenants SET name = :name WHERE id = :tenant")


def leave(connection: Connection, namespace: str, wall: int, after: int) -> int:
    """A piece: the jobs behind the number `after`. Behind which the next one begins; 0: that was all of it.

    The tenant is locked, so that nobody submits between the last piece and its new name. O(piece · log n).
    """
    name = cut(namespace)
    tenant = int(_TENANT.on(connection, name=f"n:{name}").scalar() or 0)
    gone = cut(f"{GONE}{tenant}.{name}")
    if not after:
        _BATCHES.on(connection, gone=gone, wall=wall, kinds=["openai", "anthropic"], namespace=name)
        _FILES.on(connection, gone=gone, wall=wall, namespace=name)
    if not tenant:
        return 0
    rows = _ROWS.on(connection, tenant=tenant, after=after, most=_PIECE).all()
    waiting = [row for row in rows if row.phase in _WAITING]
    others = [row.number for row in rows if row.phase not in _WAITING]
    _CANCELLED.on(connection, gone=gone, wall=wall, numbers=[row.number for row in waiting])
    _NAMED.on(connection, gone=gone, numbers=others)
    if waiting:
        ends = Counter((row.backend, CANCELLED) for row in waiting)
        closed(connection, Counter({tenant: len(waiting)}), ends, waiting[0].number)
    if len(rows) == _PIECE:
        return int(rows[-1].number)
    _RENAMED.on(connection, name=f"n:{gone}", tenant=tenant)
    return 0
