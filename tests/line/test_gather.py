"""An answer in one piece where a stream was asked for."""

import asyncio

import pytest

from tests.edge.test_gateway import Door
from tests.line.scenes import DEADLINE, refusal
from tidegate.line import gather
from tidegate.line.gather import gathered
from tidegate.ports import TransportError
from tidegate.testing import ManualClock, Reply
from tidegate.testing.clock import settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

JSON = [(b"content-type", b"application/json; charset=utf-8")]


def whole(body: bytes, headers: list[tuple[bytes, bytes]] = JSON) -> Reply:
    """A provider that does not stream: its head, then all of it."""
    stream = ScriptedStream()
    stream.say(body[:5], body[5:])
    stream.end()
    return Reply(200, headers, b"", stream)


async def test_its_usage_is_booked() -> None:
    """To the token; the client gets it as it is."""
    door = Door()
    asked = door.ask(body={"stream": True})
    await settle()
    await door.play.provider("openai", whole(answer(9, 2)))
    assert (asked.wire.status, asked.wire.body) == (200, answer(9, 2))
    (record,) = door.records
    assert (record.prompt_tokens, record.completion_tokens, record.estimated) == (9, 2, False)


async def test_an_error_in_its_place_is_a_refusal() -> None:
    """A 200 is not an answer yet: the client is told what it would have been, and nothing is billed."""
    door = Door()
    asked = door.ask(body={"stream": True})
    await settle()
    await door.play.provider("openai", whole(refusal(400, "content_filter").body))
    assert (asked.wire.status, asked.wire.error["code"]) == (400, "content_filter")
    (record,) = door.records
    (one,) = record.tries
    assert (record.status, one.status, one.reason, one.prompt_tokens) == (400, 200, "policy", 0)


async def test_what_is_neither_passes_as_it_arrives() -> None:
    """A stream of lines of JSON is one that the gate does not know."""
    door = Door()
    asked = door.ask(body={"stream": True})
    await settle()
    stream = ScriptedStream()
    await door.play.provider("openai", Reply(200, [(b"content-type", b"application/x-ndjson")], b"", stream))
    stream.say(b'{"a":1}\n')
    await settle()
    assert asked.wire.body == b'{"a":1}\n'


@pytest.mark.parametrize("how", ["cut", "late", "long", "left"])
async def test_what_does_not_come_to_its_end(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure of the provider, whose connection is closed; so it is when nobody waits any more."""
    monkeypatch.setattr(gather, "MAX_BYTES", 4)
    clock, stream = ManualClock(), ScriptedStream()
    running = asyncio.get_running_loop().create_task(gathered(stream, clock, clock.now() + DEADLINE))
    await settle()
    stream.say(b"{")
    if how == "cut":
        stream.cut()
    elif how == "late":
        await clock.advance(DEADLINE)
    elif how == "long":
        stream.say(b"12345")
    else:
        running.cancel()
    with pytest.raises(asyncio.CancelledError if how == "left" else TransportError):
        await running
    assert stream.aborted
    assert clock.pending == []
