"""The order of a call: which stage answers, and where a request goes on that was kept waiting."""

import json

import pytest

from tests.edge.cached import CachedDoor
from tests.edge.caching.test_cache import OK, made
from tests.edge.caching.test_flights import Tenants
from tests.edge.test_gateway import BODY, CHAT, Door
from tests.line.scenes import play_of
from tidegate.model.snapshot import Caching
from tidegate.testing.clock import SECOND, settle


async def test_a_key_is_replayed_before_memory_is_asked_and_memory_before_it_is_claimed() -> None:
    """Who shows a key again is told so; another key of the same question is a hit, and stands for nothing."""
    door = CachedDoor()
    asked = door.chat(h_idempotency_key=b"one")
    await settle()
    await door.play.provider("openai", OK)
    assert asked.wire.fields[b"x-tidegate-cache"] == b"miss"
    again, other = door.chat(h_idempotency_key=b"one"), door.chat(h_idempotency_key=b"two")
    assert again.wire.fields[b"idempotent-replayed"] == b"true"
    assert (b"idempotent-replayed" in other.wire.fields, other.wire.fields[b"x-tidegate-cache"]) == (False, b"hit")
    assert len(door.gateway.pipeline.once) == 1
    assert door.sent == 1


async def test_what_is_known_costs_neither_a_task_nor_a_reservation() -> None:
    """It is answered in the exchange's own turn, in the same words and in others."""
    door = CachedDoor()
    await made(door)
    for indent in (None, 1):
        asked = door.ask(CHAT, body=json.dumps(BODY | {"model": "s"}, indent=indent).encode())
        assert asked.wire.ended
        assert asked.wire.fields[b"x-tidegate-cache"] == b"hit"
    assert (door.gateway.open, door.sent) == (0, 1)


@pytest.mark.parametrize("followers", [1, 3])
async def test_who_is_resumed_is_not_charged_again(followers: int) -> None:
    """A leader's deadline is its own affair: who followed goes on where it was, one of them leads, each holds once."""
    caching = Caching(enabled=True, charge="full")
    door = Tenants("web", "app", play=play_of(primary_model="a", caching=caching))
    body = b'{"model":"s","messages":[{"role":"user","content":"hello"}]}'
    hurried = door.by("web", body=body, x_tidegate_deadline_ms=b"500")
    patient = [door.chat("app") for _ in range(followers)]
    await settle()
    running = max(busy for busy, _, _ in door.held())
    assert (running, len(door.play.sent("openai"))) == (1 + followers, 1)
    door.play.clock.stall(SECOND)
    door.play.transports["openai"].fail(sent=True)
    await door.play.clock.advance(1)
    assert hurried.wire.status == 504
    assert max(busy for busy, _, _ in door.held()) == followers
    while door.play.transports["openai"].open:
        await door.play.provider("openai", OK)
        await settle()
    assert [one.wire.status for one in patient] == [200] * followers
    assert {(busy, held) for busy, held, _ in door.held()} == {(0, 0)}


async def test_without_a_cache_nothing_is_kept_whatever_the_plan_says() -> None:
    """A worker that was given none makes every call, and leads no flight."""
    door = Door(play_of(primary_model="a", caching=Caching(enabled=True, ttl_seconds=60)))
    for _ in range(2):
        asked = door.ask(body={"model": "s"})
        await settle()
        await door.play.provider("openai", OK)
        assert asked.wire.status == 200
        assert b"x-tidegate-cache" not in asked.wire.fields
    assert len(door.play.sent("openai")) == 2
    pipeline = door.gateway.pipeline
    assert not pipeline.takes_jobs(door.gateway.runtime)


async def test_all_who_hear_an_answer_are_used_alike() -> None:
    """An exchange that hears of an answer that is worth nothing has nothing to do; a tape is played to nobody new."""
    door = CachedDoor()
    asked = door.ask()
    asked.exchange.spoil()
    await settle()
    await door.play.provider("openai", OK)
    assert asked.wire.status == 200
    door.chat(h_idempotency_key=b"one", seed=1)
    once = door.gateway.pipeline.once
    (tape,) = once._tapes.values()
    tape.spoil()
    assert len(once) == 0
