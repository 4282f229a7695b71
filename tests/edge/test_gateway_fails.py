"""A defect of the gate itself: the client hears of it at once."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from tidegate.edge.crew import Brake
from tidegate.edge.gateway import Gateway

CALL: Any = SimpleNamespace(dialect="openai")


class Exchange:
    """What the gateway answers; `begun`: the status line is out already."""

    def __init__(self, *, begun: bool) -> None:
        self.connection = self
        self.replied = begun
        self.status = 0
        self.cut = False

    def header(self, _name: bytes) -> None:
        return None

    def respond(self, status: int, _head: bytes, _body: bytes) -> None:
        self.status = status

    def abort(self) -> None:
        self.cut = True


def gateway(error: Exception) -> Gateway:
    async def run(*_: object) -> None:
        raise error

    nothing: Any = SimpleNamespace(wall=lambda: 1, now=lambda: 1)
    line: Any = SimpleNamespace(run=run)
    return Gateway(nothing, line, nothing, nothing, nothing)


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError(28, "No space left on device")])
@pytest.mark.parametrize("begun", [False, True])
async def test_nobody_waits_for_an_answer_that_never_comes(
    error: Exception, begun: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """503 where nothing was sent yet, a cut connection where the reply had begun; a defect is in the log."""
    exchange: Any = Exchange(begun=begun)
    task: Any = asyncio.current_task()
    with caplog.at_level(logging.ERROR):
        await gateway(error)._serve(exchange, CALL, Any, Brake(task))
    assert (exchange.status, exchange.cut) == ((0, True) if begun else (503, False))
    assert ("a defect" in caplog.text) == isinstance(error, ValueError)
