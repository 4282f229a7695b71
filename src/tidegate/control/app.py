"""The admin port: metrics and health, as a Starlette application, and what stands beside it."""

import asyncio
import os
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tidegate.control.board import Board, JobsStanding, LedgerStanding, Standing, WorkerView

if TYPE_CHECKING:
    from tidegate.alerts.figures import AlertsStanding
    from tidegate.control.metrics.windows import Seen
    from tidegate.tracing.sender import Figures

_FRESH_SECONDS = 1.0
_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_ALIVE = ("/healthz", "/health/liveliness", "/health/liveness")
_MANAGED = ("/admin/", "/docs")
_READY = ("/readyz", "/health/readiness")
_OPEN = frozenset(("/metrics", *_ALIVE, *_READY))


class Metrics:
    """The text of `/metrics`, rendered in a thread and at most once a second, however many ask."""

    __slots__ = ("_at", "_board", "_look", "_rendering", "_text")

    def __init__(self, board: Board, look: "Callable[[], Seen] | None" = None) -> None:
        """`look`: what the sliding windows show, for any thread."""
        self._board = board
        self._look = look
        self._text = b""
        self._at = -_FRESH_SECONDS
        self._rendering = asyncio.Lock()

    async def text(self) -> bytes:
        """Not older than a second."""
        async with self._rendering:
            if time.monotonic() - self._at >= _FRESH_SECONDS:
                self._at = time.monotonic()
                views = self._board.views()
                self._text = await asyncio.to_thread(
                    _render,
                    views,
                    self._board.standing,
                    self._board.ledger,
                    self._board.jobs,
                    self._look,
                    self._board.alerts,
                    self._board.telemetry,
                )
        return self._text


def _render(
    views: list[WorkerView],
    standing: Standing,
    ledger: LedgerStanding,
    jobs: JobsStanding | None,
    look: "Callable[[], Seen] | None",
    alerts: "AlertsStanding | None",
    telemetry: "Figures | None",
) -> bytes:
    from tidegate.control.metrics.exposition import render  # noqa: PLC0415 - the gate is ready before anybody scrapes it

    pids = {"control": os.getpid(), "supervisor": os.getppid()}
    pids |= {f"worker-{view.worker}": view.pid for view in views if view.pid}
    return render(views, standing, pids, ledger, jobs, None if look is None else look(), alerts, telemetry)


class Port:
    """What is open to who can reach the port, what asks who you are, and the control room's files, side by side."""

    __slots__ = ("_managed", "_open", "_site")

    def __init__(self, open_to_all: ASGIApp, managed: ASGIApp, site: ASGIApp) -> None:
        self._open = open_to_all
        self._managed = managed
        self._site = site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        await self._of(scope)(scope, receive, send)

    def _of(self, scope: Scope) -> ASGIApp:
        if scope["type"] != "http" or scope["path"] in _OPEN:
            return self._open
        return self._managed if scope["path"].startswith(_MANAGED) else self._site


def application(board: Board, look: "Callable[[], Seen] | None" = None) -> Starlette:
    """The application over a board; `look`: what the sliding windows show."""
    metrics = Metrics(board, look)

    async def show_metrics(_request: Request) -> Response:
        return Response(await metrics.text(), media_type=_TEXT)

    async def alive(_request: Request) -> Response:
        return PlainTextResponse("ok\n")

    async def ready(_request: Request) -> Response:
        standing = board.standing
        if standing.draining:
            return PlainTextResponse("draining\n", 503)
        return PlainTextResponse("ready\n") if standing.ready else PlainTextResponse("no worker is ready\n", 503)

    return Starlette(
        routes=[
            Route("/metrics", show_metrics),
            *(Route(path, alive) for path in _ALIVE),
            *(Route(path, ready) for path in _READY),
        ]
    )
