"""`/arrivals`: calls as they arrived, for who plays them through another policy (`tidegate policy test`)."""

from itertools import islice
from typing import Annotated, Any, Final

import msgspec
from fastapi import Query, Response
from msgspec.structs import replace
from pydantic import Field

from tidegate.config.schema.access import Moment
from tidegate.config.schema.base import Name
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routes.spend import within
from tidegate.control.admin.routing import Desk, Who, needs, router
from tidegate.control.admin.services.settings import from_moment
from tidegate.control.admin.views.queries import Asked
from tidegate.model.directory import Change, Gone, PutDrain, PutKey, PutNamespace, PutUser
from tidegate.store import arrivals, identity
from tidegate.units import DAY_US

ROUTER = router("spend and calls")
_NOBODY: Final = "-"  # of no namespace's name
_LONGEST_US: Final = 366 * DAY_US
_encode = msgspec.json.Encoder().encode


def _page_of(name: str, following: str, description: str) -> dict[int | str, dict[str, Any]]:
    """How a page of objects is described."""
    items = {"type": "array", "items": {"type": "object"}}
    schema = {"type": "object", "properties": {name: items, "next": {"type": following}}, "required": [name, "next"]}
    return {200: {"description": description, "content": {"application/json": {"schema": schema}}}}


_ARRIVALS: Final = _page_of("arrivals", "string", "In the order of the ledger; `next` is empty behind the last page.")
_CALLERS: Final = _page_of("callers", "integer", "Namespaces, users, then keys; `next` is 0 behind the last page.")


class ArrivalsQuery(Asked):
    """Which calls."""

    since: Moment | None = Field(None, description="When the first one ended. Left out: a day before `until`.")
    until: Moment | None = Field(None, description="Left out: now.")
    namespace: Name | None = None
    behind: str | None = Field(None, max_length=64, description="`next` of the page before.")
    limit: int = Field(1_000, ge=1, le=arrivals.MOST)


@ROUTER.get("/arrivals", response_model=None, responses=_ARRIVALS)
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


class CallersQuery(Asked):
    """Which part."""

    offset: int = Field(0, ge=0, le=1_000_000_000, description="`next` of the page before.")
    limit: int = Field(1_000, ge=1, le=arrivals.MOST)


@ROUTER.get("/arrivals/callers", response_model=None, responses=_CALLERS)
@needs(Right.SEE_ACCOUNTS)
def list_callers(desk: Desk, who: Who, asked: Annotated[CallersQuery, Query()]) -> Response:
    """Who may call beside the file, with limits, for who plays calls: nothing of what their keys are known by."""
    with desk.engine.connect() as connection:
        every = (
            one for one in identity.changes(connection) if not isinstance(one, PutDrain) and who.reaches(_space_of(one))
        )
        found = [plain(one) for one in islice(every, asked.offset, asked.offset + asked.limit)]
    following = asked.offset + asked.limit if len(found) == asked.limit else 0
    return Response(_encode({"callers": found, "next": following}), media_type="application/json")


def _space_of(one: PutNamespace | PutUser | PutKey | Gone) -> str:
    return one.namespace.name if isinstance(one, PutNamespace) else one.namespace or _NOBODY


def plain(one: Change) -> Change:
    """Without the digest and what signs."""
    return PutKey(one.namespace, replace(one.key, digest=b"", signing_key=b"")) if isinstance(one, PutKey) else one
