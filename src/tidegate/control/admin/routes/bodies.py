"""`/calls/{call}/body`: what a call said. Who reads it is written down."""

from typing import Annotated, Any

from fastapi import Path
from sqlalchemy import Connection, Row

from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services.changes import Deed
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.body import BodyView
from tidegate.control.admin.views.queries import MAX_ID
from tidegate.store import bodies

ROUTER = router("spend and calls")


@ROUTER.get("/calls/{call}/body", response_model_exclude_none=True)
@needs(Right.SEE_BODIES)
def show_body(desk: Desk, who: Who, call: Annotated[int, Path(ge=0, le=MAX_ID)]) -> BodyView:
    """What was asked and answered, redacted, where it was kept. Reading it stands in the audit."""
    found: list[Row[Any]] = []

    def read(connection: Connection, now: int) -> Deed:
        row = bodies.body(connection, call)
        if row is None or row.expires_us <= now:
            remedy = "`bodies` in the configuration says of which calls it is kept, and for how long"
            raise refused(404, "path.call", "nothing is kept of what this call said", remedy)
        found.append(row)
        return Deed("body.read", row.namespace, str(call))

    desk.changes.carry_out(who, read)
    return _view(found[0])


def _view(row: Row[Any]) -> BodyView:
    return BodyView(
        id=str(row.call_id),
        at=as_moment(row.at_us) or "",
        expires=as_moment(row.expires_us) or "",
        namespace=row.namespace,
        key=row.key,
        status=row.status,
        why=row.why,
        complete=row.complete,
        request_bytes=row.request_bytes,
        answer_bytes=row.answer_bytes,
        redactions=row.redactions,
        request=row.request,
        answer=row.answer,
    )
