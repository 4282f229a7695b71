"""Which webhooks are due, who sends them, and what came of it: queries on the rows of jobs and on `hook_events`.

Synchronous: for threads. A claim moves an event's time on by a lease, so that of several desks one sends it; who dies
in between leaves it to the next one, so that it is sent at least once. The moment of the lease's end is its fence.
All raise `sqlalchemy.exc.SQLAlchemyError`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Connection, Engine, Row, Table, bindparam, insert, select, text, update

from tidegate.jobs.hooks.event import job_body
from tidegate.jobs.hooks.records import Hook, Outcome
from tidegate.jobs.hooks.tables import DELIVERIES, EVENTS
from tidegate.jobs.rows.names import job_of, owner_of, tenant_name
from tidegate.jobs.rows.tables import JOBS
from tidegate.policy.jobs.webhooks import AGAIN
from tidegate.store.engine import is_sqlite, writing

_DUE: Final = text(f"hook_state = '{AGAIN}'")  # as the partial index says it
_TABLES: Final = (JOBS, EVENTS)


def claim(engine: Engine, most: int, lease_us: int, wall: int) -> list[Hook]:
    """Take up to `most` events that are due, those that have waited longest first. O(most · log due)."""
    if is_sqlite(engine) and not _any_due(engine, wall):
        return []  # without the write lock
    found: list[Hook] = []
    with writing(engine) as connection:
        for table, hook_of in ((JOBS, _of_job), (EVENTS, _of_event)):
            found += _claimed(connection, table, hook_of, most - len(found), wall, wall + lease_us)
    return found


def put_off(engine: Engine, until: Iterable[tuple[Hook, int]]) -> None:
    """Give them back until then: no attempt was made."""
    with writing(engine) as connection:
        _move(connection, [(hook, {"to": when, "made": hook.attempts, "now": AGAIN}) for hook, when in until])


def note(engine: Engine, outcomes: Sequence[Outcome]) -> None:
    """Write what came of them, all at once. What another claimed or began anew meanwhile stays as it is."""
    with writing(engine) as connection:
        connection.execute(insert(DELIVERIES), [_delivery(one) for one in outcomes])
        _move(connection, [(one.hook, _moved(one)) for one in outcomes])


def _any_due(engine: Engine, wall: int) -> bool:
    with engine.connect() as connection:
        return any(
            connection.execute(select(1).select_from(table).where(_DUE, table.c.hook_next_us <= wall).limit(1)).first()
            for table in _TABLES
        )


def _claimed(
    connection: Connection, table: Table, hook_of: Callable[[Row[Any], int], Hook], most: int, wall: int, until: int
) -> list[Hook]:
    if most <= 0:
        return []
    wanted = select(table).where(_DUE, table.c.hook_next_us <= wall).order_by(table.c.hook_next_us).limit(most)
    rows = connection.execute(wanted.with_for_update(skip_locked=True)).all()
    if rows:
        ids = [row.id for row in rows]
        connection.execute(update(table).where(table.c.id.in_(ids)).values(hook_next_us=until))
    return [hook_of(row, until) for row in rows]


def _of_job(row: Row[Any], until: int) -> Hook:
    return Hook(
        about=row.id,
        of_job=True,
        tenant=tenant_name(owner_of(row)),
        url=row.webhook,
        body=job_body(job_of(row)),
        finished_us=row.finished_us,
        attempts=row.hook_attempts,
        until_us=until,
    )


def _of_event(row: Row[Any], until: int) -> Hook:
    return Hook(
        about=row.id,
        of_job=False,
        tenant=row.tenant,
        url=row.webhook,
        body=row.body,
        finished_us=row.finished_us,
        attempts=row.hook_attempts,
        until_us=until,
    )


def _move(connection: Connection, moves: Sequence[tuple[Hook, Mapping[str, object]]]) -> None:
    for table, of_job in ((JOBS, True), (EVENTS, False)):
        moved = [
            {"about": hook.about, "until": hook.until_us, **values} for hook, values in moves if hook.of_job is of_job
        ]
        if moved:
            connection.execute(_moving(table), moved)


def _moving(table: Table) -> Any:
    held = (table.c.id == bindparam("about"), table.c.hook_next_us == bindparam("until"), _DUE)
    return (
        update(table)
        .where(*held)
        .values(hook_state=bindparam("now"), hook_next_us=bindparam("to"), hook_attempts=bindparam("made"))
    )


def _moved(one: Outcome) -> dict[str, object]:
    when = one.at_us + one.took_us + one.next.pause_us if one.next.state == AGAIN else 0
    return {"to": when, "made": one.hook.attempts + 1, "now": one.next.state}


def _delivery(one: Outcome) -> dict[str, object]:
    return {
        "about": one.hook.about,
        "attempt": one.hook.attempts + 1,
        "at_us": one.at_us,
        "took_us": one.took_us,
        "status": one.status,
        "error": one.error,
    }
