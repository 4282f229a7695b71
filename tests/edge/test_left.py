"""Clients that leave before their answer: what is stopped, what goes on for its usage, and what is booked."""

import asyncio

import pytest

from tests.edge.test_gateway import Asked, Door
from tests.line.scenes import DONE, chunk, play_of, provider, refusal, spend, streaming, usage_chunk
from tidegate.model.facts import BROKEN, LEFT
from tidegate.model.snapshot import Limits, Scope, StreamPolicy
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer

DRAIN = StreamPolicy(on_disconnect="drain")
HEDGED = StreamPolicy(on_disconnect="drain", hedge_after_us=SECOND, hedge_permille=1_000)


async def test_who_leaves_stops_the_provider_and_pays_what_it_had_made() -> None:
    """The attempt is in the record: stopped, estimated, charged."""
    door = Door()
    asked = door.ask()
    await settle()
    asked.leave()
    await settle()
    (record,) = door.records
    (one,) = record.tries
    assert (record.status, record.target, record.estimated) == (LEFT, "", True)
    assert (one.reason, one.target, one.charged_tokens) == ("stopped", "openai/main/a", record.charged_tokens)
    assert record.prompt_tokens == one.prompt_tokens > 0
    assert record.charged_tokens > 0


@pytest.mark.parametrize("how", ["left", "cut"])
async def test_a_stream_that_does_not_end_well_is_found_at_its_provider(how: str) -> None:
    """Its record has the provider's request id, what was reserved for it, and one attempt, as before."""
    door = Door()
    asked = door.ask(body={"model": "s", "stream": True})
    await settle()
    reply, stream = streaming((b"x-request-id", b"r1"), (b"server", b"x"))
    stream.say(chunk("x"))
    await door.play.provider("openai", reply)
    await settle()
    if how == "left":
        asked.leave()
    else:
        stream.cut()
    await settle()
    (record,) = door.records
    (one,) = record.tries
    (intent,) = door.play.recorder.intents
    assert (record.status, one.reason) == ((LEFT, "stopped") if how == "left" else (BROKEN, "cut"))
    assert one.headers == (("x-request-id", "r1"),)
    assert (one.target, one.status, record.attempts) == (record.target, 200, 1)
    assert record.target == "openai/main/s"
    assert one.reserved_tokens == record.reserved_tokens == intent.charged_tokens > 0
    assert (one.charged_tokens, one.cost_nano) == (record.charged_tokens, record.cost_nano)


async def test_where_the_usage_is_wanted_the_attempt_goes_on() -> None:
    """`on_disconnect: drain`, of an answer in one piece: read to its end for nobody, and booked to the token."""
    door = Door(play_of(streams=DRAIN))
    asked = door.ask(body={"model": "s"})
    await settle()
    asked.leave()
    await settle()
    assert door.records == []
    await door.play.provider("openai", Reply(200, [], answer()))
    (record,) = door.records
    assert (record.status, record.estimated, record.target) == (LEFT, False, "openai/main/a")
    assert record.prompt_tokens > 0
    assert asked.wire.status == 0


async def test_nobody_waits_for_another_attempt() -> None:
    """A failure after the client left is the end."""
    door = Door(play_of(streams=DRAIN))
    asked = door.ask(body={"model": "s"})
    await settle()
    asked.leave()
    await door.play.provider("openai", refusal(500))
    await settle()
    (record,) = door.records
    assert (record.status, record.attempts) == (LEFT, 1)


@pytest.mark.parametrize("streams", [StreamPolicy(), DRAIN])
async def test_who_leaves_the_queue_leaves_nothing(streams: StreamPolicy) -> None:
    """Nothing was sent: no attempt, no charge, no cost, whatever the policy."""
    door = Door(play_of(streams=streams))
    spend(door.play, 60_000)
    asked = door.ask(body={"model": "s"})
    await settle()
    asked.leave()
    await settle()
    (record,) = door.records
    assert (record.status, record.attempts, record.charged_tokens, record.tries) == (LEFT, 0, 0, ())


async def hedged() -> tuple[Door, Asked]:
    """A stream that two scopes are asked for, one a second after the other."""
    scopes = tuple(Scope(name, (f"sk-{name}",), {"a": Limits(3_000, 60_000)}) for name in ("x", "y"))
    door = Door(play_of(provider(scopes=scopes), streams=HEDGED))
    asked = door.ask(body={"model": "s", "stream": True})
    await settle()
    await door.play.clock.advance(SECOND)
    assert len(door.play.sent("openai")) == 2
    return door, asked


async def test_one_of_two_attempts_that_failed_does_not_stop_the_other() -> None:
    """Where the usage is wanted, it goes on as long as an attempt runs."""
    door, asked = await hedged()
    transport = door.play.transports["openai"]
    transport.fail("reset", sent=True)
    await settle()
    asked.leave()
    await settle()
    assert (transport.cancelled, door.records) == (0, [])
    reply, stream = streaming()
    stream.say(chunk("x"), usage_chunk(9, 2), DONE)
    await door.play.provider("openai", reply)
    (record,) = door.records
    assert (record.status, record.prompt_tokens, record.estimated) == (LEFT, 9, False)


@pytest.mark.parametrize("turns", range(8))
async def test_who_leaves_while_the_loser_is_stopped_has_its_winner_booked(turns: int) -> None:
    """To the token: it is read to its end, whenever that moment is; the loser is estimated."""
    door, asked = await hedged()
    reply, stream = streaming()
    stream.say(chunk("x"))
    door.play.transports["openai"].answer(reply)
    for _ in range(turns):
        await asyncio.sleep(0)
    asked.leave()
    await settle()
    assert (stream.aborted, door.records) == (False, [])
    stream.say(usage_chunk(9, 2), DONE)
    (record,) = door.records
    assert (record.status, record.target, len(record.tries)) == (LEFT, "openai/x/a", 2)
    won = record.tries[1]
    assert (won.prompt_tokens, won.completion_tokens, won.estimated) == (9, 2, False)
    assert won.duration_us == SECOND
    assert door.gateway.open == 0
