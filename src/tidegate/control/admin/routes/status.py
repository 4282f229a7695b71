"""`/status`: how the gate stands, for who manages it."""

from collections.abc import Iterator

from sqlalchemy import Connection

from tidegate import __version__
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.routing import Desk, needs, router
from tidegate.control.admin.services import known
from tidegate.control.admin.views.spend import JournalLine, StatusView, WorkerLine
from tidegate.control.declared import Declared
from tidegate.store import identity

ROUTER = router("status")
_MOST = 100


@ROUTER.get("/status", response_model_exclude_none=True)
@needs(Right.STATUS)
def show_status(desk: Desk) -> StatusView:
    """Version, workers, how far the ledger is behind, warnings of the configuration, and what the file hides."""
    declared, standing, ledger = desk.declaration.now, desk.board.standing, desk.board.ledger
    with desk.engine.connect() as connection:
        hidden = list(_hidden(connection, declared))[:_MOST]
        keys = identity.live_keys(connection)
    return StatusView(
        version=__version__,
        ready=standing.ready,
        draining=standing.draining,
        configuration=standing.version,
        restarts=standing.restarts,
        warnings=list(declared.warnings),
        workers=[
            WorkerLine(
                number=item.number, namespace=item.namespace, ready=item.ready, port=item.port,
                restarts=item.restarts, trouble=item.trouble,
            )
            for item in standing.workers
        ],
        database=desk.engine.dialect.name,
        ledger_up=ledger.up,
        ledger_problem=ledger.problem,
        ledger_alarm=ledger.alarm,
        journals=[
            JournalLine(
                name=item.name, lag_bytes=item.lag_bytes, taken_calls=item.taken_calls,
                damaged_records=item.damaged_records, missed_segments=item.missed_segments,
            )
            for item in ledger.journals
        ],
        directory_behind=desk.changes.behind,
        hidden=hidden,
        keys=keys,
    )  # fmt: skip


def _hidden(connection: Connection, declared: Declared) -> Iterator[str]:
    """Managed records that the file names too, so that they have no effect."""
    namespaces, users, keys = identity.names(connection)
    for item in declared.namespaces:
        if item.name in namespaces:
            yield f"namespace {item.name}"
        for user in item.users:
            if (item.name, user.name) in users:
                yield f"user {item.name}/{user.name}"
    for namespace, key in known.all_declared_keys(declared):
        if key.name in keys:
            yield f"key {namespace}/{key.name}"
