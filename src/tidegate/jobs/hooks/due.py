"""Events of what is no job: whoever ends it calls `due` in the transaction that writes the end."""

from sqlalchemy import Connection, delete, insert

from tidegate.jobs.hooks.event import body
from tidegate.jobs.hooks.tables import EVENTS
from tidegate.jobs.records import Owner
from tidegate.jobs.rows.names import tenant_name
from tidegate.policy.jobs.webhooks import AGAIN


def due(
    connection: Connection, about: str, kind: str, owner: Owner, webhook: str, data: object, finished_us: int
) -> None:
    """Tell `webhook` of an end, once the transaction of `connection` is committed; nothing where there is none.

    `about`: the id of what ended; an event of it that was not sent yet is replaced. `kind`: as `batch.completed`.
    `data`: whatever msgspec encodes, without what was asked or answered. Raises `SQLAlchemyError`.
    """
    if not webhook:
        return
    connection.execute(delete(EVENTS).where(EVENTS.c.id == about))
    connection.execute(
        insert(EVENTS).values(
            id=about,
            tenant=tenant_name(owner),
            finished_us=finished_us,
            body=body(kind, finished_us, data),
            webhook=webhook,
            hook_state=AGAIN,
            hook_next_us=finished_us,
            hook_attempts=0,
        )
    )
