"""Handing jobs out: to runners, and to brokers."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row

from tidegate.jobs.records import Dispatch, Lease
from tidegate.jobs.rows import turns
from tidegate.jobs.rows.lock import locked
from tidegate.jobs.rows.names import cut, owner_of
from tidegate.jobs.rows.statement import Statement
from tidegate.jobs.rows.tables import HELD, OVER

_LEASE = Statement(
    """
    UPDATE jobs SET state = 'running', phase = 4, fence = fence + 1, runner = :runner, leased_us = :wall,
        until_us = :until, started_us = CASE WHEN started_us = 0 THEN :wall ELSE started_us END, sent_us = 0,
        attempts = attempts + 1, version = version + 1
    WHERE number IN (:numbers)
    """
)
_LEASED = Statement(
    """
    SELECT jobs.number, id, fence, namespace, client, "user", path, headers, body, deadline_us, attempts, crashes,
        cancelling, until_us
    FROM jobs JOIN job_bodies ON job_bodies.number = jobs.number WHERE jobs.number IN (:numbers)
    """
)
_HAS = Statement("SELECT tenant, count(*) AS jobs FROM jobs WHERE phase = 4 AND runner = :runner GROUP BY tenant")
_AT_BROKER = Statement(
    "SELECT count(*) FROM (SELECT 1 FROM jobs WHERE phase = 3 AND backend = :backend LIMIT :most) AS sent"
)
_IN_FLIGHT = Statement(
    """
    SELECT tenant, count(*) AS jobs FROM (
        SELECT tenant FROM jobs WHERE phase = 3 AND backend = :backend
        UNION ALL SELECT tenant FROM jobs WHERE phase = 4 AND backend = :backend
    ) AS flying GROUP BY tenant
    """
)
_SILENT = Statement(
    """
    SELECT number FROM jobs WHERE phase = 3 AND backend = :backend AND sent_us <= :before AND deadline_us > :wall
    ORDER BY sent_us LIMIT :most {skip}
    """
)
_SEND = Statement("UPDATE jobs SET phase = 3, sent_us = :wall WHERE number IN (:numbers)")
_SENT = Statement("SELECT number, id, fence, rank FROM jobs WHERE number IN (:numbers)")
_TAKE_BACK = Statement("UPDATE jobs SET phase = 2, sent_us = 0 WHERE phase = 3 AND id IN (:ids)")
_RENEW = Statement("UPDATE jobs SET until_us = :until WHERE number IN (:numbers)")


def claim(
    connection: Connection, backend: str, most: int, runner: str, until: int, wall: int, *, share: bool
) -> list[Lease]:
    """See `faces.Rows.claim`."""
    turn = turns.hold(connection, backend)
    held = {row.tenant: row.jobs for row in _HAS.on(connection, runner=cut(runner))} if share else None
    numbers = turns.pick(connection, backend, most, wall, turn, held)
    return _lease(connection, numbers, runner, until, wall)


def lease(connection: Connection, sent: Sequence[Dispatch], runner: str, until: int, wall: int) -> list[Lease | None]:
    """See `faces.Rows.lease`."""
    rows = locked(connection, {message.id for message in sent})
    numbers: list[int | None] = []
    for message in sent:
        row = rows.get(message.id)
        good = row is not None and _leasable(row, message.fence, wall)
        numbers.append(row.number if row is not None and good else None)
        if good:
            del rows[message.id]  # of two messages one is as good as the other, once
    found = iter(_lease(connection, [number for number in numbers if number is not None], runner, until, wall))
    return [None if number is None else next(found) for number in numbers]


def _leasable(row: Row[Any], fence: int, wall: int) -> bool:
    waiting = row.phase not in {OVER, HELD} and row.fence == fence
    return waiting and bool(row.not_before_us <= wall < row.deadline_us)


def dispatch(
    connection: Connection, backend: str, most: int, again_after_us: int, wall: int, places: int
) -> list[Dispatch]:
    """See `faces.Rows.dispatch`."""
    last, mine = turns.hold(connection, backend)
    if not mine:
        return []  # somebody else is at it
    before = wall - again_after_us
    silent = list(_SILENT.on(connection, backend=backend, before=before, wall=wall, most=most).scalars())
    room = most - int(_AT_BROKER.on(connection, backend=backend, most=most).scalar_one())
    held = None
    if places:
        held = {row.tenant: row.jobs for row in _IN_FLIGHT.on(connection, backend=backend)}
        room = min(room, max(places - sum(held.values()), 1))  # who has none is next for a place, though all are taken
    numbers = silent + (turns.pick(connection, backend, room, wall, (last, mine), held) if room > 0 else [])
    if not numbers:
        return []
    _SEND.on(connection, numbers=numbers, wall=wall)
    sent = {row.number: row for row in _SENT.on(connection, numbers=numbers)}
    return [Dispatch(sent[number].id, sent[number].fence, -sent[number].rank) for number in numbers]


def undispatch(connection: Connection, jobs: Sequence[str]) -> None:
    """See `faces.Rows.undispatch`."""
    rows = locked(connection, jobs)
    _TAKE_BACK.on(connection, ids=list(rows))


def renew(connection: Connection, held: Mapping[str, int], until: int) -> dict[str, str]:
    """See `faces.Rows.renew`."""
    rows = locked(connection, held)
    mine = {job: rows[job] for job, fence in held.items() if job in rows and _holds(rows[job], fence)}
    if mine:
        _RENEW.on(connection, numbers=[row.number for row in mine.values()], until=until)
    told = {job: "cancel" for job, row in mine.items() if row.cancelling}
    return told | {job: "lost" for job in held if job not in mine}


def _holds(row: Row[Any], fence: int) -> bool:
    return bool(row.phase == HELD and row.fence == fence)


def _lease(connection: Connection, numbers: Sequence[int], runner: str, until: int, wall: int) -> list[Lease]:
    if not numbers:
        return []
    _LEASE.on(connection, numbers=numbers, runner=cut(runner), until=until, wall=wall)
    found = {row.number: _as_lease(row) for row in _LEASED.on(connection, numbers=numbers)}
    return [found[number] for number in numbers]


def _as_lease(row: Row[Any]) -> Lease:
    return Lease(
        id=row.id,
        fence=row.fence,
        owner=owner_of(row),
        path=row.path,
        headers=row.headers,
        body=row.body,
        deadline_us=row.deadline_us,
        attempts=row.attempts - 1,
        crashes=row.crashes,
        cancelling=bool(row.cancelling),
        until_us=row.until_us,
    )
