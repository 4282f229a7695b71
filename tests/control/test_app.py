"""The admin port's routes."""

import asyncio

import pytest
from starlette.types import Message, Scope

from tidegate.control.app import Metrics, application
from tidegate.control.board import Board, Standing


async def get(board: Board, path: str) -> tuple[int, str]:
    """One request to the application, without a server."""
    scope: Scope = {"type": "http", "method": "GET", "path": path, "query_string": b"", "headers": []}
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request"}

    async def send(message: Message) -> None:
        sent.append(message)

    await application(board)(scope, receive, send)
    return sent[0]["status"], b"".join(message.get("body", b"") for message in sent[1:]).decode()


@pytest.mark.parametrize("path", ["/healthz", "/health/liveliness", "/health/liveness"])
async def test_alive_is_the_process_itself(path: str) -> None:
    """Whatever becomes of the workers."""
    assert await get(Board(), path) == (200, "ok\n")


@pytest.mark.parametrize("path", ["/readyz", "/health/readiness"])
async def test_ready_is_what_the_supervisor_says(path: str) -> None:
    """503 until a worker serves, and while draining."""
    board = Board()
    assert await get(board, path) == (503, "no worker is ready\n")
    board.standing = Standing(ready=True)
    assert await get(board, path) == (200, "ready\n")
    board.standing = Standing(ready=True, draining=True)
    assert await get(board, path) == (503, "draining\n")


async def test_the_page_is_rendered_once_for_all_who_ask_within_a_second() -> None:
    """Scrapers in a crowd get the same text."""
    metrics = Metrics(Board())
    pages = await asyncio.gather(*(metrics.text() for _ in range(5)))
    assert all(page is pages[0] for page in pages)
    assert b"tidegate_build_info" in pages[0]


async def test_metrics_and_the_unknown() -> None:
    """Text of Prometheus; 404 elsewhere."""
    status, text = await get(Board(), "/metrics")
    assert status == 200
    assert "tidegate_ready 0.0" in text
    assert (await get(Board(), "/nothing"))[0] == 404
