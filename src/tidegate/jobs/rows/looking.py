"""Looking at jobs: nothing is changed, and nobody waits for who looks."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, text

from tidegate.jobs.records import Attempt, Depth, Filter, Job, Owner, Result
from tidegate.jobs.rows.names import cut, is_of, job_of, pieces, tags_text, tenant_name
from tidegate.jobs.rows.statement import Statement
from tidegate.jobs.rows.tables import ANSWERS, ATTEMPTS, BODIES, ENDED, HELD, JOBS, TENANTS
from tidegate.model.jobs import CANCELLED, DEAD, FAILED, QUEUED, RUNNING

_PIECE = 500
_OPEN_STATES = frozenset({QUEUED, RUNNING})
_AMISS = frozenset({FAILED, DEAD, CANCELLED})


def row_of(connection: Connection, job: str) -> Row[Any] | None:
    """Its row."""
    return connection.execute(select(JOBS).where(JOBS.c.id == job)).one_or_none()


def find(connection: Connection, job: str, owner: Owner | None) -> Job | None:
    """See `faces.Rows.find`."""
    row = row_of(connection, job)
    return None if row is None or not is_of(row, owner) else job_of(row)


def listed(connection: Connection, which: Filter) -> list[Job]:
    """See `faces.Rows.listed`."""
    wanted = select(JOBS).order_by(JOBS.c.number.desc()).limit(which.limit)
    if which.owner is not None:
        tenant = select(TENANTS.c.id).where(TENANTS.c.name == tenant_name(which.owner)).scalar_subquery()
        wanted = wanted.where(JOBS.c.tenant == tenant)
    if which.before:
        newer = select(JOBS.c.number).where(JOBS.c.id == which.before).scalar_subquery()
        wanted = wanted.where(JOBS.c.number < newer)
    return [job_of(row) for row in connection.execute(_narrowed(wanted, which))]


def _narrowed(wanted: Select[Any], which: Filter) -> Select[Any]:
    if which.states:
        wanted = wanted.where(JOBS.c.state.in_(which.states), *_phases(frozenset(which.states)))
    if which.client:
        wanted = wanted.where(JOBS.c.client == cut(which.client))
    if which.model:
        wanted = wanted.where(JOBS.c.model == cut(which.model))
    if which.batch:
        wanted = wanted.where(JOBS.c.batch == cut(which.batch), text("batch <> ''"))
    if which.tag:
        wanted = wanted.where(JOBS.c.tags.contains(tags_text([which.tag])[1:-1], autoescape=True))
    return wanted


def _phases(states: frozenset[str]) -> list[ColumnElement[bool] | Any]:
    """What their phases are too, where an index is of such alone."""
    if states <= _AMISS:
        return [text("phase = 0 AND state <> 'done'")]
    return [text("phase = 4")] if states == {RUNNING} else []


def body(connection: Connection, job: str) -> bytes | None:
    """See `faces.Rows.body`."""
    wanted = select(BODIES.c.body).join(JOBS, JOBS.c.number == BODIES.c.number).where(JOBS.c.id == job)
    return connection.execute(wanted).scalar()


def result(connection: Connection, job: str) -> Result | None:
    """See `faces.Rows.result`."""
    wanted = select(ANSWERS).join(JOBS, JOBS.c.number == ANSWERS.c.number).where(JOBS.c.id == job)
    row = connection.execute(wanted).one_or_none()
    return None if row is None else Result(row.status, row.head, row.body)


def attempts(connection: Connection, job: str) -> list[Attempt]:
    """See `faces.Rows.attempts`."""
    row = row_of(connection, job)
    if row is None:
        return []
    ended = select(ATTEMPTS).where(ATTEMPTS.c.number == row.number).order_by(ATTEMPTS.c.fence)
    found = [
        Attempt(one.fence, one.runner, one.began_us, one.ended_us, one.outcome, one.reason, one.status, one.call_id)
        for one in connection.execute(ended)
    ]
    if row.phase == HELD:
        found.append(Attempt(row.fence, row.runner, row.leased_us, 0, RUNNING))
    return found


def standing(connection: Connection, jobs: Sequence[str]) -> dict[str, tuple[str, int]]:
    """See `faces.Rows.standing`."""
    found: dict[str, tuple[str, int]] = {}
    for some in pieces(jobs, _PIECE):
        wanted = select(JOBS.c.id, JOBS.c.state, JOBS.c.version).where(JOBS.c.id.in_(some))
        found.update((row.id, (row.state, row.version)) for row in connection.execute(wanted))
    return found


def depths(connection: Connection) -> list[Depth]:
    """See `faces.Rows.depths`. Counts come from indexes alone, so that a long backlog is not read."""
    counts: Counter[tuple[str, str]] = Counter()
    since: dict[tuple[str, str], int] = {}
    for statement, state in _STANDING:
        for row in statement.on(connection):
            counts[row.backend, state] += row.jobs
            oldest = since.get((row.backend, state)) or row.oldest
            since[row.backend, state] = min(oldest, row.oldest or oldest)
    return [Depth(backend, state, jobs, since[backend, state]) for (backend, state), jobs in sorted(counts.items())]


_WAITING = """
    SELECT counted.backend, counted.jobs,
        CASE WHEN not_before_us > created_us THEN not_before_us ELSE created_us END AS oldest
    FROM (SELECT backend, count(*) AS jobs, min(number) AS first FROM jobs WHERE phase = {phase} GROUP BY backend)
        AS counted
    JOIN jobs ON jobs.number = counted.first
"""
_STANDING = (
    (Statement("SELECT backend, count(*) AS jobs, 0 AS oldest FROM jobs WHERE phase = 1 GROUP BY backend"), QUEUED),
    (Statement(_WAITING.replace("{phase}", "2")), QUEUED),
    (Statement(_WAITING.replace("{phase}", "3")), QUEUED),
    (
        Statement(
            "SELECT backend, count(*) AS jobs, min(leased_us) AS oldest FROM jobs WHERE phase = 4 GROUP BY backend"
        ),
        RUNNING,
    ),
)


def ended(connection: Connection) -> list[Depth]:
    """See `faces.Rows.ended`."""
    jobs = func.sum(ENDED.c.jobs).label("jobs")
    of = (ENDED.c.backend, ENDED.c.state)
    counted = select(*of, jobs).group_by(*of).order_by(*of)
    return [Depth(row.backend, row.state, int(row.jobs)) for row in connection.execute(counted)]
