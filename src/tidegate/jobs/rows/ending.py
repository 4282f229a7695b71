"""How jobs end, and how they begin anew."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Connection, Row

from tidegate.jobs.records import End, Owner, Reaped
from tidegate.jobs.rows.lock import locked
from tidegate.jobs.rows.names import is_of
from tidegate.jobs.rows.settle import Settled, opened, settle
from tidegate.jobs.rows.statement import Statement
from tidegate.jobs.rows.tables import HELD, OVER
from tidegate.model.jobs import CANCELLED, DEAD, DONE, QUEUED

PIECE: Final = 500  # rows of one transaction
_STALE = Statement("SELECT * FROM jobs WHERE phase = 4 AND until_us <= :wall ORDER BY until_us LIMIT :most {skip}")
_LATE = Statement(
    """
    SELECT * FROM jobs WHERE phase > 0 AND phase < 4 AND deadline_us <= :wall ORDER BY deadline_us LIMIT :most {skip}
    """
)
_OF_BATCH = Statement(
    """
    SELECT id FROM jobs
    WHERE batch = :batch AND batch <> '' AND state IN ('queued', 'running') AND cancelling = 0 LIMIT :most
    """
)
_CANCELLING = Statement("UPDATE jobs SET cancelling = 1, version = version + 1 WHERE number IN (:numbers)")
_ANEW = Statement(
    """
    UPDATE jobs SET state = 'queued', reason = '', phase = 2, not_before_us = 0, deadline_us = :deadline,
        started_us = 0, finished_us = 0, attempts = 0, crashes = 0, status = 0, prompt_tokens = 0,
        completion_tokens = 0, cancelling = 0, hook_state = '', hook_next_us = 0, hook_attempts = 0,
        version = version + 1
    WHERE number = :number
    """
)
_OVER = Statement("SELECT number FROM jobs WHERE phase = 0 AND finished_us < :before AND batch = '' LIMIT :most {skip}")
_OVER_IN = Statement(
    """
    SELECT number FROM jobs
    WHERE batch = :batch AND batch <> '' AND state IN ('done', 'failed', 'dead', 'cancelled') LIMIT :most {skip}
    """
)
_GONE = tuple(
    Statement(f"DELETE FROM {table} WHERE number IN (:numbers)")  # noqa: S608 - our names
    for table in ("job_bodies", "job_answers", "job_attempts", "jobs")
)
_UNANSWERED = Statement("DELETE FROM job_answers WHERE number = :number")


def finish(connection: Connection, ends: Sequence[End], wall: int) -> list[bool]:
    """See `faces.Rows.finish`."""
    rows = locked(connection, sorted({end.id for end in ends}))
    settled, told = [], []
    for end in ends:
        row = rows.get(end.id)
        mine = row is not None and row.phase == HELD and row.fence == end.fence
        if row is not None and mine:
            settled.append(_ended(row, end))
            del rows[end.id]  # said twice, the first one counts
        told.append(mine)
    settle(connection, settled, wall)
    return told


def reap(connection: Connection, max_crashes: int, wall: int) -> Reaped:
    """See `faces.Rows.reap`: one piece."""
    settled = [_lost(row, max_crashes, wall) for row in _STALE.on(connection, wall=wall, most=PIECE)]
    settled += [
        Settled(row=row, state=DEAD, outcome=DEAD, reason=_TOO_LATE, attempts=row.attempts, crashes=row.crashes)
        for row in _LATE.on(connection, wall=wall, most=PIECE)
    ]
    settle(connection, settled, wall)
    again = tuple(one.row.id for one in settled if not one.ended)
    return Reaped(again, tuple(one.row.id for one in settled if one.ended))


def cancel(connection: Connection, job: str, owner: Owner | None, wall: int) -> bool:
    """See `faces.Rows.cancel`; whether there is such a job."""
    row = locked(connection, [job]).get(job)
    if row is None or not is_of(row, owner):
        return False
    if row.phase != OVER and not row.cancelling:
        _cancel(connection, [row], wall)
    return True


def cancel_batch(connection: Connection, batch: str, wall: int) -> list[str]:
    """As `cancel`, a piece of what has not ended of a batch; their ids."""
    rows: list[Row[Any]] = []
    while not rows and (ids := list(_OF_BATCH.on(connection, batch=batch, most=PIECE).scalars())):
        rows = [row for row in locked(connection, ids).values() if row.phase != OVER and not row.cancelling]
    _cancel(connection, rows, wall)
    return [row.id for row in rows]


def requeue(connection: Connection, job: str, deadline_us: int) -> bool:
    """See `faces.Rows.requeue`; whether there is such a job."""
    row = locked(connection, [job]).get(job)
    if row is None:
        return False
    if row.phase == OVER and row.state != DONE:
        _UNANSWERED.on(connection, number=row.number)
        _ANEW.on(connection, number=row.number, deadline=deadline_us)
        opened(connection, Counter([row.tenant]), row.number)
    return True


def forget(connection: Connection, before_us: int, most: int) -> int:
    """See `faces.Rows.forget`: one piece."""
    return _delete(connection, list(_OVER.on(connection, before=before_us, most=most).scalars()))


def forget_batch(connection: Connection, batch: str, most: int) -> int:
    """Those of a batch, whenever they ended."""
    return _delete(connection, list(_OVER_IN.on(connection, batch=batch, most=most).scalars()))


def _delete(connection: Connection, numbers: Sequence[int]) -> int:
    for statement in _GONE if numbers else ():
        statement.on(connection, numbers=numbers)
    return len(numbers)


_TOO_LATE = "deadline: it was not done in time"


def _ended(row: Row[Any], end: End) -> Settled:
    cancelled = end.state == QUEUED and bool(row.cancelling)
    return Settled(
        row=row,
        state=CANCELLED if cancelled else end.state,
        outcome="again" if end.state == QUEUED else end.state,
        reason=end.reason,
        attempts=row.attempts if end.counts else row.attempts - 1,
        crashes=row.crashes,
        not_before_us=end.not_before_us,
        call_id=end.call_id,
        began_us=end.began_us,
        prompt_tokens=end.prompt_tokens,
        completion_tokens=end.completion_tokens,
        result=end.result,
        passing=end.state == QUEUED and not end.counts and not cancelled,
    )


def _lost(row: Row[Any], max_crashes: int, wall: int) -> Settled:
    """What becomes of a job whose runner died. Its attempt counts as a crash, not as a failure."""
    crashes = row.crashes + 1
    state, why = QUEUED, "crashed: its runner said nothing more"
    if row.cancelling:
        state, why = CANCELLED, "cancelled: its runner said nothing more"
    elif crashes >= max_crashes:
        state, why = DEAD, f"crashed: {crashes} runners died over it"
    elif row.deadline_us <= wall:
        state, why = DEAD, _TOO_LATE
    return Settled(row=row, state=state, outcome="lost", reason=why, attempts=row.attempts - 1, crashes=crashes)


def _cancel(connection: Connection, rows: Sequence[Row[Any]], wall: int) -> None:
    if running := [row.number for row in rows if row.phase == HELD]:
        _CANCELLING.on(connection, numbers=running)
    waiting = [
        Settled(row=row, state=CANCELLED, outcome=CANCELLED, attempts=row.attempts, crashes=row.crashes)
        for row in rows
        if row.phase != HELD
    ]
    settle(connection, waiting, wall)
