"""`/live`: what happens now, as server-sent events; and the seconds before."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from typing import Annotated, Final

from fastapi import Query, Request, Response
from pydantic import Field
from starlette.types import Receive, Scope, Send

from tidegate.control.admin.auth.authenticator import Authenticator
from tidegate.control.admin.auth.rights import Right
from tidegate.control.admin.office import Office
from tidegate.control.admin.problems import refused
from tidegate.control.admin.routing import Desk, needs, router
from tidegate.control.admin.services.settings import as_moment
from tidegate.control.admin.views.live import LanePoints, LiveView, PointsView, RecentView
from tidegate.control.admin.views.queries import Asked
from tidegate.control.live import MOST, Event, Full, Live
from tidegate.observe.recent import SECONDS

ROUTER = router("live")
LANES: Final = 50
STILL_SECONDS: Final = 10.0  # between questions whether who looks on still may
SLOW_SECONDS: Final = 15.0  # so long may one event take to be read
BEAT_SECONDS: Final = 5.0  # without an event, until a sign of life
_MILLI: Final = 1_000
_BEGIN: Final = b"retry: 2000\n: how this node does, once a second\n\n"
_BEAT: Final = b":\n\n"
_SIGNED_OUT: Final = b'event: end\ndata: {"reason":"signed_out"}\n\n'
_HEADERS: Final = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]

Still = Callable[[], Awaitable[bool]]


class RecentQuery(Asked):
    """Which seconds, and whose."""

    seconds: Annotated[int, Field(ge=1, le=SECONDS)] = SECONDS
    lane: list[str] = Field([], description="provider/scope/model, also several; left out: the busiest.", max_length=50)


class LiveStream(Response):
    """Events to one who looks on, until it leaves, may no more, or does not read what it is sent."""

    def __init__(self, live: Live, still: Still) -> None:
        """`still`: whether it may. The caller has entered; this leaves."""
        super().__init__()
        self._live = live
        self._still = still

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One response."""
        sending = asyncio.ensure_future(self._send(send))
        leaving = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._live.leave()
            for task in (sending, leaving):
                task.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)

    async def _send(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await _part(send, _BEGIN)
        loop, seen = asyncio.get_running_loop(), 0
        asked = loop.time()
        while True:
            data = _BEAT
            with contextlib.suppress(TimeoutError):
                event = await asyncio.wait_for(self._live.next(seen), BEAT_SECONDS)
                seen, data = event.number, _written(event)
            if loop.time() - asked >= STILL_SECONDS:
                asked = loop.time()
                if not await self._still():
                    await _part(send, _SIGNED_OUT, more=False)
                    return
                data = _BEAT + data
            try:
                await asyncio.wait_for(_part(send, data), SLOW_SECONDS)
            except TimeoutError:
                return  # who does not read would not read why


@ROUTER.get(
    "/live",
    response_class=Response,
    responses={200: {"description": "Events `state`, one a second.", "content": {"text/event-stream": {}}}},
)
@needs(Right.STATUS)
async def follow_live(desk: Desk, request: Request) -> Response:
    """How this node does, once a second. Ends when the sign-in does."""
    live, door = _of(desk), request.app.state.door
    try:
        live.enter()
    except Full:
        remedy = "close a page that looks on, or ask `/live/now`"
        raise refused(429, "live", f"{MOST} look on already", remedy, ("retry-after", "10")) from None
    return LiveStream(live, lambda: _still(door, request))


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
        lanes={name: LanePoints(tokens=tokens, requests=found.requests[name]) for name, tokens in found.tokens.items()},
        totals=totals,
        hidden=found.hidden,
    )
    return RecentView(step_s=1, points=points)


def _of(desk: Office) -> Live:
    if desk.live is None:
        raise refused(409, "live", "this process watches nothing", "ask the gate's own control process")
    return desk.live


async def _still(door: Authenticator, request: Request) -> bool:
    return await door.still(request)


async def _gone(receive: Receive) -> None:
    """Wait until the client has left."""
    while (await receive())["type"] != "http.disconnect":
        pass


def _written(event: Event) -> bytes:
    return b"id: %d\nevent: state\ndata: %b\n\n" % (event.at_us, event.data)


async def _part(send: Send, data: bytes, *, more: bool = True) -> None:
    await send({"type": "http.response.body", "body": data, "more_body": more})
