"""The desk as a Starlette application: its routes, and every failure in the dialect of the API that was called."""

import asyncio
import contextlib
from collections.abc import Iterable
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tidegate.jobs.desk import calls
from tidegate.jobs.desk.api import Api
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Refused, Unavailable
from tidegate.jobs.desk.gather import Gather
from tidegate.jobs.desk.held import SyncOverJob
from tidegate.jobs.desk.replies import dialect_of, refusal
from tidegate.jobs.desk.watch import Watch

_LEFT = 499  # nobody reads it
_OPENING_SECONDS = 5.0
_QUIET_US = 5_000_000  # between two words to the log about a database that fails


class Opening:
    """Who comes while the database is opened for the first time waits for that, and not for long."""

    __slots__ = ("_desk", "_within")

    def __init__(self, within: ASGIApp, desk: Desk) -> None:
        self._within = within
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if not self._desk.tried.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_OPENING_SECONDS):
                    await self._desk.tried.wait()
        await self._within(scope, receive, send)


def app(desk: Desk, watch: Watch, more: Iterable[BaseRoute] = ()) -> Starlette:
    """`more`: the routes of batches and files."""
    gather = Gather(desk)
    held = SyncOverJob(gather, watch)
    handlers = Handlers(desk)
    routes: list[BaseRoute] = [*Api(gather, watch).routes(), *more]
    routes += [Route(path, held.take, methods=["POST"]) for path in calls.KINDS]
    made = Starlette(routes=routes, exception_handlers=handlers.all())
    made.add_middleware(Opening, desk=desk)
    made.router.redirect_slashes = False
    return made


class Handlers:
    """What becomes of an exception. Nothing of it but what is meant for clients is told to them."""

    __slots__ = ("_desk", "_told_at")

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._told_at = -_QUIET_US

    def all(self) -> dict[Any, Any]:
        """By the type of the exception."""
        return {
            Refused: self.refused,
            SQLAlchemyError: self.database,
            HTTPException: self.unrouted,
            ClientDisconnect: self.left,
            Exception: self.unforeseen,
        }

    async def refused(self, request: Request, error: Refused) -> Response:
        """As it is told."""
        return refusal(error, dialect_of(request))

    async def database(self, request: Request, error: SQLAlchemyError) -> Response:
        """What is written is written, and the rest is not: another try may help."""
        now = self._desk.clock.now()
        if now - self._told_at >= _QUIET_US:
            self._told_at = now
            path = request.scope["path"]
            self._desk.log.warning("the database of jobs failed", problem=_first_line(error), path=path)
        return refusal(Unavailable("The gate's database for jobs failed. Try again in a moment."), dialect_of(request))

    async def unrouted(self, request: Request, error: HTTPException) -> Response:
        """No such path, or not by this method."""
        path = request.scope["path"]
        if error.status_code == 405:
            allowed = (error.headers or {}).get("Allow", "")
            head = b"allow: %b\r\n" % allowed.encode("latin-1") if allowed else b""
            told = Refused(Fault.WRONG_METHOD, f"{path} does not know {request.method}: use {allowed}.", head=head)
        else:
            told = Refused(Fault.NOT_FOUND, f"There is no {request.method} {path} here.")
        return refusal(told, dialect_of(request))

    async def left(self, _request: Request, _error: ClientDisconnect) -> Response:
        """Its client left before it was read."""
        return Response(status_code=_LEFT)

    async def unforeseen(self, request: Request, error: Exception) -> Response:
        """A defect of ours."""
        self._desk.log.error("a request failed", path=request.scope["path"], problem=repr(error))
        told = Refused(Fault.INTERNAL, "The gate failed on this request. Its log says why.")
        return refusal(told, dialect_of(request))


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
