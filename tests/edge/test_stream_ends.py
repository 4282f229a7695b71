"""A stream's end, seen from both connections: no client waits for it, and no upstream connection is lost by it."""

import asyncio

import pytest

from tests.line.scenes import DONE, Client, chunk
from tidegate.line.splice import Splice
from tidegate.line.taps import Words
from tidegate.providers.dialects import DIALECTS
from tidegate.providers.openai.stream import StreamTap
from tidegate.testing.clock import settle
from tidegate.testing.transport import ScriptedStream


async def running() -> tuple[ScriptedStream, Splice, Client]:
    stream, client = ScriptedStream(), Client()
    splice = Splice(stream, StreamTap(keep_usage=True), Words(DIALECTS["openai"], DIALECTS["openai"], own=True))
    waiting = asyncio.get_running_loop().create_task(splice.committed())
    await settle()
    stream.say(chunk("a"))
    assert await waiting is None
    splice.attach(client)
    return stream, splice, client


async def test_a_slow_client_leaves_no_upstream_paused() -> None:
    """It paused the stream before the last event and is heard no more: the rest must still be read."""
    stream, _, client = await running()
    stream.pause()
    stream.say(DONE)
    assert client.ended
    assert not stream.paused


async def test_no_record_no_last_byte() -> None:
    """A full disk cuts the connection; the client is not left waiting."""

    def full() -> bool:
        raise OSError(28, "No space left on device")

    stream, splice, client = await running()
    splice.on_end = full
    with pytest.raises(OSError, match="No space"):
        stream.say(DONE)
    assert client.aborted
    assert not client.ended


async def test_content_at_the_deadline_is_an_answer() -> None:
    """Its timer fires before the waiting task runs."""
    stream, client = ScriptedStream(), Client()
    splice = Splice(stream, StreamTap(keep_usage=True), Words(DIALECTS["openai"], DIALECTS["openai"], own=True))
    waiting = asyncio.get_running_loop().create_task(splice.committed())
    await settle()
    stream.say(chunk("a"))
    splice.expire()
    assert await waiting is None
    splice.attach(client)
    stream.say(DONE)
    assert client.ended
    assert splice.failure is None
    assert not stream.aborted
