"""A defect of the gate itself: the client hears of it at once, and the call has its record."""

import asyncio
import gc
import json
import logging
from types import SimpleNamespace
from typing import Any

import pytest

from tests.edge.managed import Managed, gone, key
from tests.edge.test_gateway import BODY, Door
from tests.line.scenes import chunk, streaming
from tidegate.model.directory import PutNamespace
from tidegate.model.facts import CallRecord, Fact
from tidegate.model.snapshot import Namespace
from tidegate.testing.clock import settle


class Records:
    """A journal whose disk takes no record any more."""

    def append(self, fact: Fact) -> None:
        if isinstance(fact, CallRecord):
            raise OSError(28, "No space left on device")


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
    gateway.pipeline._line = SimpleNamespace(run=run)
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
    monkeypatch.setattr(type(gateway.replies), "_head", head)
    with caplog.at_level(logging.ERROR):
        stream.say(chunk("one"))
        await settle()
    assert stream.aborted
    assert asked.wire.status == 503
    assert len(door.records) == 1
    assert gateway.open == 0


async def tasks_that_failed() -> list[object]:
    """What nobody was told of."""
    found: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: found.append(context))
    await settle()
    gc.collect()
    return found


@pytest.mark.parametrize("begun", [False, True])
async def test_who_leaves_is_let_go_though_the_journal_is_full(begun: bool, caplog: pytest.LogCaptureFixture) -> None:
    """Before its first step, or while it is asked for: the journal keeps the record, and no task ends by the disk."""
    door = Door()
    door.gateway.replies._journal = Records()
    asked = door.ask()
    if begun:
        await settle()
    asked.leave()
    assert await tasks_that_failed() == []
    assert "the journal cannot be written" in caplog.text
    assert door.gateway.open == 0


async def test_who_is_revoked_is_told_though_the_journal_is_full() -> None:
    """401, not silence."""
    door = Managed(PutNamespace(Namespace("acme", on_revoked="cut")), key("web"))
    asked = door.by("web")
    await settle()
    door.gateway.replies._journal = Records()
    door.tell(gone("web"))
    await door.play.clock.advance(1)
    assert asked.wire.status == 401


async def test_a_count_that_cannot_be_recorded_is_not_served() -> None:
    """As any other call, and it is told why."""
    door = Door()
    door.gateway.replies._journal = Records()
    asked = door.ask(b"/v1/messages/count_tokens", body=json.dumps(BODY).encode(), anthropic_version=b"2023-06-01")
    assert asked.wire.status == 503
    assert "journal" in asked.wire.error["message"]
    assert door.gateway.open == 0
