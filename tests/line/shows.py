"""A streamed call on its way through a relay, for conversations about what becomes of it."""

import json
from typing import Any

import msgspec

from tests.line.scenes import (
    PROFILE,
    Client,
    chunk,
    play_of,
    provider,
    served,
    streaming,
)
from tidegate.line.records import Ending
from tidegate.line.relay import Relay
from tidegate.model.snapshot import RetryPolicy, StreamPolicy
from tidegate.testing import Playbook
from tidegate.testing.clock import settle
from tidegate.testing.transport import ScriptedStream

PLAIN = msgspec.structs.replace(PROFILE, prefix="partial")
NOW = RetryPolicy(base_us=0, jitter=False)


class Defective:
    """A tap with a defect."""

    committed, finished, failure, usage, prompt, tier, events = True, False, b"", None, 0, "", 0

    def feed(self, data: bytes) -> bytes:
        raise ValueError("a defect")

    def rest(self) -> bytes:
        return b""


class Show:
    """One streamed call through a relay, and what its client has seen."""

    def __init__(self, play: Playbook, **asked: Any) -> None:
        self.play = play
        self.client = Client()
        self.ends: list[tuple[Ending, bytes]] = []
        self.asked = asked
        self.head: tuple[tuple[bytes, bytes], ...] = ()  # of its replies, besides the usual
        self.relay: Relay

    async def begin(self) -> ScriptedStream:
        on_cut = self.asked.pop("on_cut", "")
        running = self.play.call("s", stream=True, **self.asked)
        call, plan = self.play.calls[-1], self.play.book.plan("s")
        call.on_cut = on_cut
        stream = await self.next()
        stream.say(chunk(), chunk("one"))
        answered = served(await running)
        assert plan is not None
        self.relay = self.play.line.relay(call, plan, answered)
        self.relay.on_close = lambda end: self.ends.append((end, self.client.body))
        self.relay.attach(self.client)
        return stream

    async def next(self) -> ScriptedStream:
        """The provider begins to answer its oldest open request."""
        await settle()
        reply, stream = streaming(*self.head)
        await self.play.provider("openai", reply)
        return stream

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(sent.body) for sent in self.play.sent("openai") if isinstance(sent.body, bytes)]


def show(mode: str = "fail", *, prefix: bool = True, drain: bool = False, **asked: Any) -> Show:
    streams = StreamPolicy(on_cut=mode, on_disconnect="drain" if drain else "cancel")
    return Show(play_of(provider(profile=PLAIN if prefix else PROFILE), streams=streams, retry=NOW), **asked)
