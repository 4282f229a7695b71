"""Clients that leave before their answer: what is stopped, what goes on for its usage, and what is booked."""

import pytest

from tests.edge.test_gateway import Door
from tests.line.scenes import play_of, refusal, spend
from tidegate.model.facts import LEFT
from tidegate.model.snapshot import StreamPolicy
from tidegate.testing import Reply
from tidegate.testing.clock import settle
from tidegate.testing.playbook import answer

DRAIN = StreamPolicy(on_disconnect="drain")


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
