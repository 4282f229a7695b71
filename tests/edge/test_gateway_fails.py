"""A defect of the gate itself: the client hears of it at once, and the call has its record."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from tests.edge.test_gateway import Door
from tests.line.scenes import chunk, streaming
from tidegate.testing.clock import settle


@pytest.mark.parametrize("error", [ValueError("a defect"), OSError(28, "No space left on device")])
@pytest.mark.parametrize("begun", [False, True])
async def test_nobody_waits_for_an_answer_that_never_comes(
    error: Exception, begun: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """503 where nothing was sent yet, a cut connection where the reply had begun; a defect is in the log and booked."""
    door = Door()
    asked: Any = None

    async def run(*_: object) -> None:
        if begun:
            asked.exchange.start(200, b"x: y\r\n")
        raise error

    gateway: Any = door.gateway
    gateway._line = SimpleNamespace(run=run)
    with caplog.at_level(logging.ERROR):
        asked = door.ask()
        await settle()
    defect = isinstance(error, ValueError)
    assert (asked.wire.status, asked.wire.aborted) == ((200, True) if begun else (503, False))
    assert ("a defect" in caplog.text) == defect
    assert [record.status for record in door.records] == [503]
    assert door.gateway.open == 0


async def test_a_stream_that_cannot_be_begun_is_stopped(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The provider is not left running for nobody, and there is one record."""
    door = Door()
    gateway: Any = door.gateway

    def head(*_: object) -> bytes:
        raise ValueError("a defect")

    asked = door.ask(body={"stream": True})
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    monkeypatch.setattr(type(gateway), "_head", head)
    with caplog.at_level(logging.ERROR):
        stream.say(chunk("one"))
        await settle()
    assert stream.aborted
    assert asked.wire.status == 503
    assert len(door.records) == 1
    assert gateway.open == 0
