"""`/arrivals`: calls as they arrived, for who plays them through another policy (`tidegate policy test`)."""

from typing import Annotated, Any, Final

import msgspec
from fastapi import Query, Response
from pydantic import Field

from tidegate.config.schema.access import Moment
from tidegate.config.schema.base import Name
from tidegate.control.admin.api_spend import within
from tidegate.control.admin.periods import DAY_US
from tidegate.control.admin.problems import refused
from tidegate.control.admin.queries import Asked
from tidegate.control.admin.rights import Right
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.settings import from_moment
from tidegate.store import arrivals

ROUTER = router("spend and calls")
_LONGEST_US: Final = 366 * DAY_US
_encode = msgspec.json.Encoder().encode
_JSON: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "Calls in the order of the ledger; `next` is empty behind the last page.",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "properties": {
                        "arrivals": {"type": "array", "items": {"type": "object"}},
                        "next": {"type": "string"},
                    },
                    "required": ["arrivals", "next"],
                }
            }
        },
    }
}


class ArrivalsQuery(Asked):
    """Which calls."""

    since: Moment | None = Field(None, description="When the first one ended. Left out: a day before `until`.")
    until: Moment | None = Field(None, description="Left out: now.")
    namespace: Name | None = None
    behind: str | None = Field(None, max_length=64, description="`next` of the page before.")
    limit: int = Field(1_000, ge=1, le=arrivals.MOST)


@ROUTER.get("/arrivals", response_model=None, responses=_JSON)
@needs(Right.SEE_SPEND)
def list_arrivals(desk: Desk, who: Who, asked: Annotated[ArrivalsQuery, Query()]) -> Response:
    """Every call of the period with what became of it, refused ones and answers of the cache among them."""
    namespace = within(who, asked.namespace).get("namespace")
    to_us = from_moment(asked.until) or desk.clocks.wall() + 1
    from_us = from_moment(asked.since) or to_us - DAY_US
    if from_us >= to_us:
        raise refused(422, "query.since", "is not before the end", "name an earlier moment")
    if to_us - from_us > _LONGEST_US:
        raise refused(422, "query.since", "makes the period longer than a year", "name a later moment")
    behind = arrivals.cursor_of(asked.behind) if asked.behind else None
    if asked.behind and behind is None:
        raise refused(422, "query.behind", "is no page's `next`", "leave it out to begin")
    wanted = arrivals.ArrivalsQuery(from_us, to_us, namespace, behind, asked.limit)
    with desk.engine.connect() as connection:
        page = arrivals.arrivals(connection, wanted)
    return Response(_encode({"arrivals": page.arrivals, "next": page.next}), media_type="application/json")
