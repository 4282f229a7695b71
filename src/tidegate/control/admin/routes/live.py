"""`/live`: what happens now, as server-sent events; and the seconds before."""

from typing import Annotated, Final

from fastapi import Query, Request, Response
from pydantic import Field

from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routing import Desk, Entry, needs, router
from tidegate.control.admin.seats import full
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.stream import EventStream, still_signed_in, written
from tidegate.control.admin.views.live import LanePoints, LiveView, PointsView, RecentView
from tidegate.control.admin.views.queries import Asked
from tidegate.control.live import MOST, Full, Live
from tidegate.observe.recent import SECONDS

ROUTER = router("live")
LANES: Final = 50
_MILLI: Final = 1_000
_BEGIN: Final = b"retry: 2000\n: how this node does, once a second\n\n"


class RecentQuery(Asked):
    """Which seconds, and whose."""

    seconds: Annotated[int, Field(ge=1, le=SECONDS)] = SECONDS
    lane: list[str] = Field([], description="provider/scope/model, also several; left out: the busiest.", max_length=50)


class Looking:
    """One who looks on: what it was shown last."""

    def __init__(self, live: Live) -> None:
        """It has seen nothing yet."""
        self._live = live
        self._seen = 0

    async def next(self) -> bytes:
        """The newest event, as soon as there is one that it has not seen."""
        event = await self._live.next(self._seen)
        self._seen = event.number
        return written("state", b"%d" % event.at_us, event.data)


@ROUTER.get(
    "/live",
    response_class=Response,
    responses={200: {"description": "Events `state`, one a second.", "content": {"text/event-stream": {}}}},
)
@needs(Right.STATUS)
async def follow_live(desk: Desk, door: Entry, request: Request) -> Response:
    """How this node does, once a second. Ends when the sign-in does."""
    live = _of(desk)
    try:
        live.enter()
    except Full:
        raise full("live", MOST, "close a page that looks on, or ask `/live/now`") from None
    return EventStream(_BEGIN, Looking(live).next, still_signed_in(door, request), live.leave)


@ROUTER.get("/live/now", response_model=LiveView)
@needs(Right.STATUS)
async def show_now(desk: Desk) -> Response:
    """How this node does at this moment."""
    return Response(await _of(desk).now(), media_type="application/json")


@ROUTER.get("/live/recent")
@needs(Right.STATUS)
def show_recent(desk: Desk, asked: Annotated[RecentQuery, Query()]) -> RecentView:
    """The last seconds, for who begins to look: up to five minutes, at most 50 lanes."""
    found = _of(desk).recent(asked.seconds, asked.lane, LANES)
    totals = {name: [float(value) for value in values] for name, values in found.totals.items()}
    totals["calls_per_second"] = [value / _MILLI for value in totals["calls_per_second"]]
    points = PointsView(
        at=[as_moment(at) or "" for at in found.at_us],
        lanes={
            name: LanePoints(tokens=tokens, requests=found.requests[name], reserved=found.reserved[name])
            for name, tokens in found.tokens.items()
        },
        totals=totals,
        hidden=found.hidden,
    )
    return RecentView(step_s=1, points=points)


def _of(desk: Office) -> Live:
    if desk.live is None:
        raise refused(409, "live", "this process watches nothing", "ask the gate's own control process")
    return desk.live
