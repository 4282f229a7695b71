"""Accepting jobs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import BindParameter, Connection, Row, bindparam, text

from tidegate.jobs.records import NewJob, Submitted
from tidegate.jobs.rows.names import backend_name, cut, once_key, pieces, plain, tags_text, tenant_name
from tidegate.jobs.rows.settle import opened
from tidegate.jobs.rows.tables import BODIES, JOBS, LATER, READY
from tidegate.model.jobs import QUEUED
from tidegate.store.engine import is_sqlite
from tidegate.store.statements import execute, insertion

_PIECE = 500
_NAMES: BindParameter[Any] = bindparam("names", expanding=True)
_ONCES: BindParameter[Any] = bindparam("onces", expanding=True)
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_TENANT = text("INSERT INTO job_tenants (name) VALUES (:name) ON CONFLICT (name) DO NOTHING")
_FIND = "SELECT name, id FROM job_tenants WHERE name IN :names ORDER BY id"
_TENANTS = {True: text(_FIND).bindparams(_NAMES), False: text(_FIND + " FOR UPDATE").bindparams(_NAMES)}
_OPEN = text("SELECT sum(jobs) FROM job_open WHERE tenant = :tenant")
_USED = text(
    "SELECT id, once, digest FROM jobs WHERE once IS NOT NULL AND tenant = :tenant AND once IN :onces"
).bindparams(_ONCES)
_THERE = text("SELECT id FROM jobs WHERE id IN :ids").bindparams(_IDS)
_NEXT = {
    True: text("SELECT coalesce(max(number), 0) + 1 FROM jobs"),
    False: text("SELECT nextval('jobs_number_seq') FROM generate_series(1, :count)"),
}


@dataclass(slots=True)
class _Tenant:
    """What is known of a tenant while its jobs are accepted; its row is locked."""

    id: int
    room: int  # jobs that it may have more
    used: dict[bytes, tuple[str, bytes]] = field(default_factory=dict)  # id and digest by idempotency key


def submit(
    connection: Connection, jobs: Sequence[NewJob], max_queued: int, wall: int, *, careful: bool
) -> list[Submitted]:
    """See `faces.Rows.submit`. `careful`: ids may be there already. Raises `IntegrityError` where they are."""
    tenants = _tenants(connection, jobs, max_queued)
    there = _there(connection, jobs) if careful else set()
    told, new = [], []
    for job in jobs:
        answer = _accept(job, tenants[tenant_name(job.owner)], there)
        if answer is None:
            new.append(job)
            answer = Submitted(job.id)
        told.append(answer)
    if new:
        _write(connection, new, tenants, wall)
    return told


def _accept(job: NewJob, tenant: _Tenant, there: set[str]) -> Submitted | None:
    """What is said of a job that is not new, or not taken; else None."""
    once = once_key(job.once)
    if once is not None and (earlier := tenant.used.get(once)) is not None:
        same = earlier[1] == job.digest
        return Submitted(earlier[0], again=same, conflict=not same)
    if job.id in there:
        return Submitted(job.id, again=True)
    if tenant.room <= 0:
        return Submitted(job.id, full=True)
    tenant.room -= 1
    if once is not None:
        tenant.used[once] = (job.id, job.digest)
    return None


def _tenants(connection: Connection, jobs: Sequence[NewJob], max_queued: int) -> dict[str, _Tenant]:
    """Those of the jobs, locked: who submits for the same one waits, so that no key is used twice."""
    names = sorted({tenant_name(job.owner) for job in jobs})
    found = _known(connection, names)
    if len(found) < len(names):
        connection.execute(_TENANT, [{"name": name} for name in names])
        found = _known(connection, names)
    tenants = {}
    for name, tenant in found.items():
        taken = int(connection.execute(_OPEN, {"tenant": tenant}).scalar() or 0)
        tenants[name] = _Tenant(tenant, max_queued - taken)
    for name, tenant_ in tenants.items():
        _learn(connection, tenant_, [job for job in jobs if job.once and tenant_name(job.owner) == name])
    return tenants


def _known(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    rows: list[Row[Any]] = []
    for some in pieces(names, _PIECE):
        rows += connection.execute(_TENANTS[is_sqlite(connection)], {"names": some})
    return {row.name: row.id for row in rows}


def _learn(connection: Connection, tenant: _Tenant, jobs: Sequence[NewJob]) -> None:
    """Which of their keys were used before."""
    for some in pieces((once_key(job.once) for job in jobs), _PIECE):
        for row in connection.execute(_USED, {"tenant": tenant.id, "onces": some}):
            tenant.used[bytes(row.once)] = (row.id, bytes(row.digest))


def _there(connection: Connection, jobs: Sequence[NewJob]) -> set[str]:
    found: set[str] = set()
    for some in pieces((job.id for job in jobs), _PIECE):
        found.update(connection.execute(_THERE, {"ids": some}).scalars())
    return found


def _write(connection: Connection, jobs: Sequence[NewJob], tenants: dict[str, _Tenant], wall: int) -> None:
    numbers = _numbers(connection, len(jobs))
    ids = [tenants[tenant_name(job.owner)].id for job in jobs]
    dialect = connection.dialect.name
    rows = [_row(job, number, tenant, wall) for job, number, tenant in zip(jobs, numbers, ids, strict=True)]
    execute(connection, insertion(JOBS, dialect), rows)
    bodies = [(number, job.headers, job.body) for job, number in zip(jobs, numbers, strict=True)]
    execute(connection, insertion(BODIES, dialect), bodies)
    opened(connection, Counter(ids), numbers[0])


def _numbers(connection: Connection, count: int) -> list[int]:
    if is_sqlite(connection):
        first = int(connection.execute(_NEXT[True]).scalar_one())
        return list(range(first, first + count))
    return sorted(connection.execute(_NEXT[False], {"count": count}).scalars())


def _row(job: NewJob, number: int, tenant: int, wall: int) -> tuple[object, ...]:
    """In the order of the table's columns."""
    owner = job.owner
    return (
        number,
        job.id,
        tenant,
        cut(owner.namespace),
        cut(owner.client),
        cut(owner.user),
        plain(job.path),
        cut(job.model),
        backend_name(job.backend),
        QUEUED,
        "",
        LATER if job.not_before_us > wall else READY,
        -job.priority,
        job.not_before_us,
        job.deadline_us,
        wall,
        *(0, 0),  # started, finished
        *(0, 0, 0),  # attempts, crashes, fence
        "",
        *(0, 0, 0),  # leased, until, sent
        tags_text(job.tags),
        plain(job.webhook),
        *("", 0, 0),  # hook
        int(job.stream),
        cut(job.batch),
        job.line,
        plain(job.custom_id),
        once_key(job.once),
        job.digest,
        *(0, 0, 0),  # status, tokens
        0,
        1,
    )
