"""`/calls/stream`: calls as they end, as server-sent events; `/calls/tail` without a question each second."""

import asyncio
from typing import Annotated, Final

from fastapi import Header, Query, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from tidegate.control.admin.auth.rights import Actor, Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import Refused
from tidegate.control.admin.routes.calls import tail_calls
from tidegate.control.admin.routing import Desk, Entry, Who, needs, router
from tidegate.control.admin.stream import EventStream, still_signed_in, written
from tidegate.control.admin.views.call import TailAsked, TailPage

ROUTER = router("calls")
EVERY: Final = 1.0  # seconds between looks into the database
QUIET: Final = 5  # looks that find nothing, until that is told: a page hears no comments
_BEGIN: Final = b"retry: 2000\n: calls as they end\n\n"

LastEvent = Annotated[str | None, Header(max_length=16_384, description="`id` of the last event that was read.")]


class Following:
    """Where one who follows has come to."""

    def __init__(self, desk: Office, who: Actor, asked: TailAsked) -> None:
        """`asked.after` says where it goes on; None: now."""
        self._desk = desk
        self._who = who
        self._asked = asked
        self._due = True

    def look(self) -> TailPage:
        """What ended since the look before, in a thread. Raises what `/calls/tail` does."""
        page = tail_calls(self._desk, self._who, self._asked)
        self._asked = self._asked.model_copy(update={"after": page.next})
        self._due = len(page.calls) < self._asked.limit
        return page

    async def next(self) -> bytes:
        """The next calls, as soon as there are any, or that there are none.

        Empty: the database went away, and who asks again hears why.
        """
        looks = 0
        while True:
            if self._due:
                await asyncio.sleep(EVERY)
            try:
                page = await asyncio.to_thread(self.look)
            except (Refused, SQLAlchemyError):
                return b""
            looks += 1
            if page.calls or looks >= QUIET:
                return _event(page)


@ROUTER.get(
    "/calls/stream",
    response_class=Response,
    responses={200: {"description": "Events `calls`, each a `TailPage`.", "content": {"text/event-stream": {}}}},
)
@needs(Right.SEE_SPEND)
async def follow_calls(
    desk: Desk,
    who: Who,
    door: Entry,
    request: Request,
    asked: Annotated[TailAsked, Query()],
    last_event_id: LastEvent = None,
) -> Response:
    """Calls as they end, the oldest first. Goes on after `Last-Event-ID`, else after `after`; ends with the sign-in."""
    following = Following(desk, who, asked.model_copy(update={"after": last_event_id or asked.after}))
    desk.following.take("calls", "close a page that looks on, or ask `/calls/tail`")
    try:
        first = await asyncio.to_thread(following.look)
    except BaseException:
        desk.following.leave()
        raise
    return EventStream(_BEGIN + _event(first), following.next, still_signed_in(door, request), desk.following.leave)


def _event(page: TailPage) -> bytes:
    return written("calls", page.next.encode(), page.model_dump_json(exclude_none=True).encode())
