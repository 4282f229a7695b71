"""Accepting jobs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import Connection

from tidegate.jobs.records import NewJob, Submitted
from tidegate.jobs.rows.names import backend_name, cut, once_key, plain, tags_text, tenant_name
from tidegate.jobs.rows.settle import opened
from tidegate.jobs.rows.statement import Statement
from tidegate.jobs.rows.tables import BODIES, JOBS, LATER, READY
from tidegate.model.jobs import QUEUED
from tidegate.store.engine import is_sqlite
from tidegate.store.statements import execute, insertion

_TENANT = Statement("INSERT INTO job_tenants (name) VALUES (:name) ON CONFLICT (name) DO NOTHING")
_TENANTS = Statement("SELECT name, id FROM job_tenants WHERE name IN (:names) ORDER BY id {lock}")
_OPEN = Statement("SELECT sum(jobs) FROM job_open WHERE tenant = :tenant")
_USED = Statement("SELECT id, once, digest FROM jobs WHERE once IS NOT NULL AND tenant = :tenant AND once IN (:onces)")
_THERE = Statement("SELECT id FROM jobs WHERE id IN (:ids)")
_LAST = Statement("SELECT max(number) FROM jobs")
_NEXT = Statement("SELECT nextval('jobs_number_seq') FROM generate_series(1, :count)")


@dataclass(slots=True)
class _Tenant:
    """What is known of a tenant while its jobs are accepted; its row is locked."""

    id: int
    room: int  # jobs that it may have more
    used: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # id and digest by idempotency key


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
        _TENANT.for_each(connection, [{"name": name} for name in names])
        found = _known(connection, names)
    tenants = {}
    for name, tenant in found.items():
        taken = int(_OPEN.on(connection, tenant=tenant).scalar() or 0)
        tenants[name] = _Tenant(tenant, max_queued - taken)
    for name, known in tenants.items():
        _learn(connection, known, [job.once for job in jobs if job.once and tenant_name(job.owner) == name])
    return tenants


def _known(connection: Connection, names: Sequence[str]) -> dict[str, int]:
    return {row.name: row.id for row in _TENANTS.on(connection, names=names)}


def _learn(connection: Connection, tenant: _Tenant, onces: Sequence[bytes]) -> None:
    """Which of their keys were used before."""
    if onces:
        for row in _USED.on(connection, tenant=tenant.id, onces=[once_key(once) for once in onces]):
            tenant.used[row.once] = (row.id, row.digest)


def _there(connection: Connection, jobs: Sequence[NewJob]) -> set[str]:
    return set(_THERE.on(connection, ids=[job.id for job in jobs]).scalars())


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
        last = int(_LAST.on(connection).scalar() or 0)
        return list(range(last + 1, last + 1 + count))
    return sorted(_NEXT.on(connection, count=count).scalars())


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
