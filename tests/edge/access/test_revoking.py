"""What is in flight when its key is revoked."""

import asyncio
import json
from datetime import UTC
from functools import partial
from typing import Any

import pytest

from tests.edge.managed import EMPTY, Managed, gone, key
from tests.edge.shared import Here
from tests.edge.test_gateway import Asked
from tests.line.scenes import DONE, chunk, play_of, provider, streaming, usage_chunk
from tests.policy.tenant_limits.joint import Silent
from tidegate.edge.access import revoking
from tidegate.edge.access.principals import Clients
from tidegate.edge.gateway import Runtime
from tidegate.edge.idempotency import elsewhere
from tidegate.edge.idempotency.elsewhere import Elsewhere
from tidegate.model.directory import Change, Gone, PutNamespace, PutUser
from tidegate.model.snapshot import Allowance, Namespace, User
from tidegate.policy.lease.faces import LOCAL, SHARED, Footing
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.joint import Together
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

CUT = PutNamespace(Namespace("acme", on_revoked="cut"))
GONE = (gone("web"), Gone("user", "acme", "ann"), Gone("namespace", "acme", "acme"), key("web", signing="off"))


def door_of(*changes: Change) -> Managed:
    return Managed(CUT, PutUser("acme", User("ann")), key("web", user="ann"), key("other"), *changes)


async def streamed(door: Managed, name: str = "web", **more: Any) -> tuple[Asked, ScriptedStream]:
    asked = door.by(name, body={"stream": True}, **more)
    await settle()
    reply, stream = streaming()
    stream.say(chunk(), chunk("one"))
    await door.play.provider("openai", reply)
    await settle()
    return asked, stream


@pytest.mark.parametrize("change", GONE[:3])
async def test_a_stream_ends_with_its_key(change: Change) -> None:
    """Or with its user, or its namespace: with a word in its dialect; the provider is stopped, and the call booked."""
    door = door_of()
    asked, stream = await streamed(door)
    other, theirs = await streamed(door, "other")
    door.tell(change)
    await door.play.clock.advance(1)
    assert stream.aborted
    last = asked.wire.body.decode().split("\n\n")[-2]
    error = json.loads(last.removeprefix("data: "))["error"]
    assert (error["code"], error["type"]) == ("invalid_api_key", "invalid_request_error")
    assert asked.wire.ended
    everybody = change == GONE[2]
    assert (other.wire.ended, theirs.aborted) == (everybody, everybody)
    ended = [(record.status, record.degraded, record.completion_tokens) for record in door.records]
    assert ended == [(499, "ended: its key was revoked", 1)] * (1 + everybody)
    assert door.gateway.open == len(door.gateway.replies.revoking.calls) == 1 - everybody


async def test_what_waits_ends_too() -> None:
    """A call that the provider works on, and one that has not begun: each is answered 401 and booked."""
    door = door_of()
    asked = door.by("web")
    await settle()
    begun = door.by("web")
    door.tell(gone("web"))
    await door.play.clock.advance(10)
    for one in (asked, begun):
        assert (one.wire.status, one.wire.error["code"]) == (401, "invalid_api_key")
        assert "was revoked while it ran" in one.wire.error["message"]
    assert [(record.status, record.degraded) for record in door.records] == [(401, "ended: its key was revoked")] * 2
    assert door.gateway.open == 0
    assert door.gateway.replies.revoking.calls == {}


async def test_what_is_played_to_several_ends_for_all() -> None:
    """Under an `Idempotency-Key`; the next request under it, with another key, runs anew."""
    door = door_of()
    asked, stream = await streamed(door, idempotency_key=b"k")
    beside = door.by("web", body={"stream": True}, idempotency_key=b"k")
    door.tell(gone("web"))
    await settle()
    assert stream.aborted
    for one in (asked, beside):
        assert b"invalid_api_key" in one.wire.body
        assert one.wire.ended
    assert len(door.gateway.pipeline.once) == 0
    waiting = door.by("other", idempotency_key=b"k2")
    await settle()
    door.tell(gone("other"))
    await settle()
    assert waiting.wire.status == 401
    assert len(door.gateway.pipeline.once) == 0


@pytest.mark.parametrize("change", [GONE[3], key("third"), CUT, PutUser("acme", User("ann", ("a",)))])
async def test_other_changes_end_nothing(change: Change) -> None:
    """Who is still known may finish."""
    door = door_of()
    asked, stream = await streamed(door)
    door.tell(change)
    await settle()
    stream.say(usage_chunk(9, 2), DONE)
    stream.end()
    await settle()
    assert asked.wire.body.endswith(DONE)
    assert [(record.status, record.degraded) for record in door.records] == [(200, "")]
    assert door.gateway.replies.revoking.calls == {}


async def test_by_default_what_is_in_flight_finishes() -> None:
    """Nothing is kept of such calls."""
    door = Managed(key("web"))
    asked, stream = await streamed(door)
    assert door.gateway.replies.revoking.calls == {}
    door.tell(gone("web"))
    await settle()
    stream.say(usage_chunk(9, 2), DONE)
    stream.end()
    await settle()
    assert asked.wire.body.endswith(DONE)


async def test_a_client_that_left_is_past_revoking() -> None:
    """It is booked as one that left, once."""
    door = door_of()
    asked = door.by("web")
    await settle()
    asked.leave()
    await settle()
    door.tell(gone("web"))
    await settle()
    assert [(record.status, record.degraded) for record in door.records] == [(499, "")]


async def test_many_end_in_slices() -> None:
    """A few in each turn of the loop, and each once; what is known again meanwhile may finish."""
    door = Managed(CUT, key("web"), key("other"), play=play_of(provider()))
    count = 3 * revoking.MAX_ENDS + 5
    asked = [door.by("web") for _ in range(count)]
    others = [door.by("other") for _ in range(3)]
    await settle()
    door.tell(gone("web"))
    ended = []
    for _ in range(4):
        await settle()
        ended.append(sum(one.wire.status == 401 for one in asked))
        await door.play.clock.advance(1)
    assert ended == [revoking.MAX_ENDS, 2 * revoking.MAX_ENDS, 3 * revoking.MAX_ENDS, count]
    assert [one.wire.status for one in others] == [0] * 3
    assert len(door.records) == count


async def test_an_answer_that_is_complete_is_left_alone() -> None:
    """Its call is over."""
    door = door_of()
    asked = door.by("web")
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    door.tell(gone("web"))
    await settle()
    assert (asked.wire.status, asked.wire.body) == (200, answer())
    assert len(door.records) == 1


# ── what waits before it begins ──────────────────────────────────────────────────────────────────────────────────────


class Spent(Managed):
    """A worker whose tenants' limits are spent by others too, who say nothing."""

    def __init__(self) -> None:
        super().__init__(CUT, key("web", allowance=Allowance(concurrent=5)))
        self.footing = Footing("n/0", 1)
        self.footing.mode, self.footing.share_ppm, self.footing.part_until = SHARED, 1_000_000, 1 << 62
        self.accounts = Accounts(lambda _: UTC)
        self.accounts.common.together = Together(Silent(self.footing), self.footing)
        limiting = partial(self.accounts.limits_of, wall=self.play.clock.wall())
        self.gateway.runtime = Runtime(self.play.book, Clients(EMPTY, self.log, limiting))
        self.tell()

    @property
    def running(self) -> list[int]:
        return [account.running for account in self.accounts._known.values()]


def is_refused(asked: Asked) -> bool:
    return asked.wire.status == 401 and asked.wire.error["code"] == "invalid_api_key"


@pytest.mark.parametrize("mode", [LOCAL, SHARED])
async def test_what_waits_for_its_limits_does_not_begin_afterwards(mode: int) -> None:
    """Whether it is then allowed to or not: it is refused, recorded, and holds nothing."""
    door = Spent()
    asked = door.by("web", body={"stream": True})
    await settle()
    door.tell(gone("web"))
    door.footing.mode = mode  # with `LOCAL` there is room for it at the end of its wait
    await door.play.clock.advance(2 * SECOND)
    assert is_refused(asked)
    assert "openai" not in door.play.transports or not door.play.sent("openai")
    assert [(record.status, record.degraded) for record in door.records] == [(401, "ended: its key was revoked")]
    assert (door.running, door.gateway.open, door.gateway.replies.revoking.calls) == ([0], 0, {})


@pytest.mark.parametrize("change", [key("web", signing="off"), key("third"), gone("web")])
async def test_who_may_finish_begins_after_the_wait(change: Change) -> None:
    """Who is still known, and by default who is not."""
    door = Spent()
    if change == gone("web"):
        door.tell(PutNamespace(Namespace("acme")))
    asked = door.by("web", body={"stream": True})
    await settle()
    door.tell(change)
    door.footing.mode = LOCAL
    await door.play.clock.advance(2 * SECOND)
    assert (asked.wire.status, len(door.play.sent("openai"))) == (0, 1)


def crowd() -> tuple[Here, Managed, Managed]:
    """Two workers of one cluster."""
    play: Playbook = play_of()
    shared = Here(play.clock)
    first, second = (Managed(CUT, key("web"), play=play) for _ in range(2))
    for number, door in enumerate((first, second)):
        pipeline = door.gateway.pipeline
        pipeline.share(Elsewhere(shared, play.clock, asyncio.get_running_loop(), pipeline, number.to_bytes(8, "big")))
    return shared, first, second


@pytest.mark.parametrize("lapsed", [False, True])
async def test_what_another_worker_executes_is_waited_for_no_longer(lapsed: bool) -> None:
    """It is refused at its next look, also where it is then its turn: nothing begins, and the key stands for nobody."""
    shared, first, second = crowd()
    first.by("web", idempotency_key=b"k")
    await settle()
    asked = second.by("web", idempotency_key=b"k")
    await settle()
    second.tell(gone("web"))
    if lapsed:
        shared.values.clear()
    await second.play.clock.advance(elsewhere.MOST_LOOK_US)
    await settle()
    assert is_refused(asked)
    assert len(second.play.sent("openai")) == 1
    assert len(second.gateway.pipeline.once) == 0
    assert bool(shared.values) is not lapsed
    assert (second.gateway.open, second.gateway.replies.revoking.calls) == (0, {})
    assert [record.degraded for record in second.records] == ["ended: its key was revoked"]
