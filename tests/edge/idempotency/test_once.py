"""One execution for all requests that show the same key."""

import json
from typing import Any

import pytest

from tests.edge.test_gateway import BODY, CHAT, Asked, Door
from tests.line.scenes import DONE, chunk, refusal, streaming
from tidegate.edge import tape
from tidegate.edge.idempotency import once
from tidegate.edge.task_pool import TaskPool
from tidegate.testing import Reply
from tidegate.testing.clock import settle
from tidegate.testing.playbook import answer

KEY = b"order-1"


def ask(door: Door, key: bytes = KEY, **fields: object) -> Asked:
    return door.ask(CHAT, body=json.dumps({**BODY, **fields}).encode(), idempotency_key=key)


def asked(door: Door) -> int:
    return len(door.play.sent("openai")) if "openai" in door.play.transports else 0


@pytest.fixture
async def door() -> Door:
    return Door()


async def test_the_same_answer_for_the_same_key(door: Door) -> None:
    """During the answer and after it; one request reaches the provider, one record is written."""
    first, beside = ask(door), ask(door)
    await settle()
    assert asked(door) == 1
    assert b"idempotency-key" not in door.play.sent("openai")[0].head
    await door.play.provider("openai", Reply(200, [], answer()))
    after = ask(door)
    await settle()
    assert first.wire.body == beside.wire.body == after.wire.body == answer()
    assert [b"idempotent-replayed" in one.wire.fields for one in (first, beside, after)] == [False, True, True]
    assert after.wire.fields[b"x-request-id"] == first.wire.fields[b"x-request-id"]
    assert asked(door) == len(door.records) == 1


async def test_another_request_under_the_same_key_is_refused(door: Door) -> None:
    """With the remedy, before anything is spent; another key is another matter."""
    ask(door)
    await settle()
    other = ask(door, temperature=1)
    assert other.wire.status == 422
    assert other.wire.error["code"] == "idempotency_key_reused"
    ask(door, key=b"order-2", temperature=1)
    await settle()
    assert asked(door) == 2


async def test_who_lost_its_connection_gets_its_answer(door: Door) -> None:
    """The call goes on without it."""
    first = ask(door)
    await settle()
    first.leave()
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    again = ask(door)
    assert again.wire.body == answer()
    assert asked(door) == 1


async def test_a_stream_is_played_from_its_beginning(door: Door) -> None:
    """To who comes in its midst, and to who does not read for a while."""
    first = ask(door, stream=True)
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    stream.say(chunk(), chunk("one"))
    await settle()
    beside = ask(door, stream=True)
    assert beside.wire.body == chunk() + chunk("one")
    exchange: Any = beside.exchange
    exchange.on_pause()
    stream.say(chunk("two"))
    assert beside.wire.body == chunk() + chunk("one")
    stream.say(DONE)
    stream.end()
    assert first.wire.ended
    assert not beside.wire.ended
    exchange.on_resume()
    assert beside.wire.body == first.wire.body == chunk() + chunk("one") + chunk("two") + DONE
    assert beside.wire.ended


@pytest.mark.parametrize("how", ["refused", "cut"])
async def test_what_failed_may_be_tried_again(door: Door, how: str) -> None:
    """A failure is told to all who wait, and not kept."""
    first = ask(door, stream=True)
    await settle()
    if how == "refused":
        await door.play.provider("openai", refusal(400, message="no"))
    else:
        reply, stream = streaming()
        await door.play.provider("openai", reply)
        stream.say(chunk("one"))
        await settle()
        stream.cut()
    await settle()
    assert first.wire.ended
    ask(door, stream=True)
    await settle()
    assert asked(door) == 2


async def test_a_kept_answer_lives_for_a_while(door: Door) -> None:
    """Then the same key runs anew."""
    ask(door)
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    await door.play.clock.advance(once.TTL_US)
    ask(door)
    await settle()
    assert asked(door) == 2


async def test_memory_is_bounded(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest answers go first, and one that is too long is not kept at all; its listeners hear all of it."""
    monkeypatch.setattr(once, "MAX_BYTES", 2 * (len(answer()) + 2_600))  # what a tape takes beside its answer
    for number in range(3):
        ask(door, key=b"%d" % number)
        await settle()
        await door.play.provider("openai", Reply(200, [], answer()))
    assert len(door.gateway.pipeline.once) == 2
    monkeypatch.setattr(tape, "MAX_BYTES", 500)
    first = ask(door, key=b"long", stream=True)
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    words = [chunk("x" * 100) for _ in range(9)]
    stream.say(*words[:4])
    await settle()
    exchange: Any = first.exchange
    exchange.on_pause()
    assert stream.paused
    exchange.on_resume()
    assert not stream.paused
    stream.say(*words[4:], DONE)
    stream.end()
    assert first.wire.body == b"".join(words) + DONE
    assert len(door.gateway.pipeline.once) == 2


async def test_a_long_answer_waits_for_nobody_who_left(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever paused it and left, the provider goes on, and the record is written."""
    monkeypatch.setattr(tape, "MAX_BYTES", 100)
    first = ask(door, stream=True)
    await settle()
    reply, stream = streaming()
    await door.play.provider("openai", reply)
    stream.say(chunk("x" * 200))
    await settle()
    exchange: Any = first.exchange
    exchange.on_pause()
    assert stream.paused
    first.leave()
    assert not stream.paused
    stream.say(DONE)
    stream.end()
    assert len(door.records) == 1


async def test_the_request_is_not_kept(door: Door) -> None:
    """Its answer is, and what it takes to know the request again."""
    ask(door, padding="x" * 100_000)
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    assert len(answer()) < door.gateway.pipeline.once._bytes < 10_000


async def test_keys_are_a_clients_own() -> None:
    """Two clients may choose the same one."""
    door = Door(names={"one": "one", "two": "two"})
    for key in (b"one", b"two"):
        door.ask(CHAT, idempotency_key=KEY, authorization=b"Bearer " + key)
    await settle()
    assert asked(door) == 2


@pytest.mark.parametrize("key", [b"", b"x" * 256])
async def test_a_key_has_a_length(door: Door, key: bytes) -> None:
    """Empty and endless ones are refused."""
    assert ask(door, key=key).wire.status == 400


async def test_a_defect_on_the_way_leaves_nobody_waiting(
    door: Door, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Who asked is told, with a record; the next request under the key is executed."""

    def start(*_: object) -> None:
        raise ValueError("a defect")

    with monkeypatch.context() as broken:
        broken.setattr(TaskPool, "start", start)
        first = ask(door)
    assert first.wire.status == 503
    assert "a defect" in caplog.text
    assert [record.status for record in door.records] == [503]
    assert door.gateway.open == 0
    again = ask(door)
    await settle()
    await door.play.provider("openai", Reply(200, [], answer()))
    await settle()
    assert again.wire.body == answer()
