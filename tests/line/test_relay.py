"""One streamed answer on its way to its client: told, drained, paused, ended by the gate; and it has one end."""

import json
import logging
from typing import Any

import pytest

from tests.line.scenes import (
    DONE,
    chunk,
    play_of,
    refusal,
    served,
    spend,
    usage_chunk,
)
from tests.line.shows import Defective, show
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure
from tidegate.model.story import BROKE
from tidegate.providers.partial import chat
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle


async def test_a_whole_stream_ends_once() -> None:
    """With its usage, before its last byte."""
    one = show()
    stream = await one.begin()
    stream.say(usage_chunk(9, 2), DONE)
    stream.end()
    end, before = one.ends[0]
    assert len(one.ends) == 1
    assert (end.usage.prompt, end.usage.completion, end.failed, end.gone) == (9, 2, False, False)
    assert DONE not in before
    assert one.client.ended


async def test_a_cut_is_told() -> None:
    """By default: a typed event, and no other attempt."""
    one = show()
    stream = await one.begin()
    stream.cut()
    await settle()
    assert b"stream_cut" in one.client.body
    assert one.client.ended
    assert one.ends[0][0].failed
    assert len(one.bodies) == 1
    (step,) = one.play.calls[-1].story or ()
    sent = len(chunk() + chunk("one"))
    assert (step.what, step.why, step.figures) == (BROKE, "transient", (("then", "fail"), ("sent_bytes", sent)))


def used_in(body: bytes) -> Any:
    """What the last event says of the usage."""
    return json.loads(body.rpartition(b"data: ")[2])["error"].get("usage")


@pytest.mark.parametrize("told", [True, False])
@pytest.mark.parametrize("asked", [{"stream_options": {"include_usage": True}}, {}], ids=["asked", "not asked"])
async def test_a_cut_tells_what_is_booked_to_who_asked(asked: dict[str, Any], told: bool) -> None:
    """The provider's figures, or the gate's estimate, which says so; another client's event has no such field."""
    one = show(**asked)
    stream = await one.begin()
    if told:
        stream.say(usage_chunk(70, 2))
    stream.cut()
    await settle()
    ((end, before),) = one.ends
    assert b"error" not in before
    assert (end.usage.completion, end.usage.estimated) == (2 if told else 1, not told)
    assert used_in(one.client.body) == (chat(end.usage) if asked else None)


async def test_a_cut_after_another_tells_what_both_used() -> None:
    """As they are booked: one as a try of the call, one as its end."""
    one = show("restart", stream_options={"include_usage": True})
    stream = await one.begin()
    stream.say(usage_chunk(70, 2))
    stream.cut()
    anew = await one.next()
    anew.say(chunk(), chunk("one"), usage_chunk(50, 3))
    anew.cut()
    await settle()
    await one.play.provider("openai", refusal(400, message="no"))
    first, second = [tried for tried in one.play.calls[-1].tries if tried.reason == "cut"]
    assert (first.prompt_tokens, second.prompt_tokens) == (70, 50)
    assert used_in(one.client.body) == chat(Usage(120, 5))


@pytest.mark.parametrize("when", ["streaming", "between"])
async def test_who_leaves_stops_everything(when: str) -> None:
    """The provider's connection is closed at once, and the end is told once."""
    one = show("restart")
    stream = await one.begin()
    if when == "between":
        stream.cut()
        await settle()
    one.relay.abandon()
    await settle()
    assert [end.gone for end, _ in one.ends] == [True]
    assert stream.aborted or when == "between"
    one.relay.abandon()
    assert len(one.ends) == 1


async def test_who_leaves_may_be_drained() -> None:
    """For the exact usage: nothing more is sent, and the provider finishes."""
    one = show(drain=True)
    stream = await one.begin()
    seen = one.client.body
    one.relay.abandon()
    assert not stream.aborted
    assert one.ends == []
    stream.say(chunk("two"), usage_chunk(9, 2), DONE)
    stream.end()
    end = one.ends[0][0]
    assert (end.gone, end.usage.prompt, end.usage.completion, end.usage.estimated) == (True, 9, 2, False)
    assert one.client.body == seen


async def test_a_stream_without_an_end_is_cut() -> None:
    """However steadily it comes: by the provider's total time-out."""
    one = show("restart")
    stream = await one.begin()
    await one.play.clock.advance(3_600 * SECOND)
    assert stream.aborted
    assert b"total time-out" in one.client.body
    assert one.client.ended
    assert len(one.ends) == 1


async def test_a_client_that_does_not_read_holds_the_provider() -> None:
    """Whichever attempt runs."""
    one = show("restart")
    stream = await one.begin()
    one.relay.pause()
    assert stream.paused
    one.relay.resume()
    assert not stream.paused
    stream.cut()
    anew = await one.next()
    anew.say(chunk("two"))
    await settle()
    one.relay.pause()
    assert anew.paused


async def test_a_defect_in_a_callback_ends_the_stream(caplog: pytest.LogCaptureFixture) -> None:
    """As a failure, once; nobody waits."""
    one = show()
    stream = await one.begin()
    one.relay._splice.tap = Defective()
    with caplog.at_level(logging.ERROR):
        stream.say(chunk("two"))
    assert "a defect" in caplog.text
    assert stream.aborted
    assert b"the gate failed" in one.client.body
    assert one.client.ended
    assert len(one.ends) == 1


async def test_an_answer_that_is_no_stream_has_no_relay() -> None:
    """It is complete."""
    play = play_of()
    running = play.call("a")
    await settle()
    await play.provider("openai", Reply(200, [], b"{}"))
    plan = play.book.plan("a")
    assert plan is not None
    with pytest.raises(TypeError):
        play.line.relay(play.calls[-1], plan, served(await running))


async def test_cut_and_left_in_the_same_moment() -> None:
    """The rescue has not taken its first step: the end is told all the same."""
    one = show("restart")
    stream = await one.begin()
    stream.cut()
    one.relay.abandon()
    await settle()
    assert [end.gone for end, _ in one.ends] == [True]
    assert len(one.bodies) == 1


async def test_a_client_that_does_not_read_holds_the_next_one_too() -> None:
    """Its pause is not said twice."""
    one = show("restart")
    stream = await one.begin()
    one.relay.pause()
    stream.cut()
    anew = await one.next()
    anew.say(chunk("two"))
    await settle()
    assert anew.paused


async def test_who_leaves_a_rescue_whose_usage_is_wanted_lets_it_go_on() -> None:
    """`on_disconnect: drain`: what answers instead of a cut stream is read to its end for nobody."""
    one = show("restart", drain=True)
    stream = await one.begin()
    stream.cut()
    one.relay.pause()
    await settle()
    one.relay.abandon()
    await settle()
    anew = await one.next()
    anew.say(chunk(), chunk("two"))
    await settle()
    assert (anew.aborted, anew.paused, one.ends) == (False, False, [])
    anew.say(usage_chunk(9, 2), DONE)
    anew.end()
    await settle()
    ((end, _),) = one.ends
    assert (end.usage, end.failed) == (Usage(9, 2), False)
    assert one.play.calls[-1].left


async def test_nobody_is_asked_again_for_a_client_that_left() -> None:
    """Where what goes on for the usage is cut in turn, that is the end."""
    one = show("restart", drain=True)
    stream = await one.begin()
    stream.cut()
    await settle()
    one.relay.abandon()
    anew = await one.next()
    anew.say(chunk(), chunk("two"))
    anew.cut()
    await settle()
    assert len(one.play.sent("openai")) == 2
    assert len(one.ends) == 1


async def test_who_leaves_between_two_attempts_ends_the_rescue() -> None:
    """Nothing runs whose usage could be learnt."""
    one = show("restart", drain=True)
    stream = await one.begin()
    spend(one.play, 60_000)
    stream.cut()
    await settle()
    one.relay.abandon()
    await settle()
    ((end, _),) = one.ends
    assert end.gone
    assert len(one.play.sent("openai")) == 1


@pytest.mark.parametrize("when", ["streaming", "between", "drained", "over"])
async def test_the_gate_may_end_it(when: str) -> None:
    """The provider is stopped and not to blame, the client is told why, and the end is told once; after it, nothing."""
    one = show("restart", drain=when == "drained")
    stream = await one.begin()
    if when == "between":
        stream.cut()
        await settle()
    elif when == "drained":
        one.relay.abandon()
    elif when == "over":
        stream.say(DONE)
        stream.end()
    one.relay.cut(Failure(Reason.AUTH, "the key was revoked"))
    await settle()
    ((end, _),) = one.ends
    assert (b"the key was revoked" in one.client.body) == (when in {"streaming", "between"})
    assert one.client.ended == (when != "drained")
    assert (end.gone, end.failed) == ((False, False) if when == "over" else (True, True))
    assert stream.aborted == (when in {"streaming", "drained"})
    assert one.relay._answered.lane.breaker.failures == int(when == "between")
    one.relay.cut(Failure(Reason.AUTH, "once more"))
    await settle()
    assert len(one.ends) == 1
    assert b"once more" not in one.client.body


HEAD = ((b"x-request-id", b"r1"), (b"server", b"x"))
TOLD = (("x-request-id", "r1"),)


@pytest.mark.parametrize(("how", "told"), [("cut", TOLD), ("left", TOLD), ("well", ())])
async def test_an_end_that_is_not_good_has_what_its_head_said(how: str, told: tuple[tuple[str, str], ...]) -> None:
    """By which the provider's support finds it; a good one costs nothing."""
    one = show()
    one.head = HEAD
    stream = await one.begin()
    if how == "left":
        one.relay.abandon()
    elif how == "cut":
        stream.cut()
    else:
        stream.say(usage_chunk(9, 2), DONE)
    await settle()
    assert [end.headers for end, _ in one.ends] == [told]


async def test_who_is_rescued_keeps_what_the_head_of_the_cut_one_said() -> None:
    """And so does what the gate stopped before it had any content."""
    one = show("restart")
    one.head = HEAD
    stream = await one.begin()
    stream.cut()
    await one.next()
    one.relay.abandon()
    await settle()
    tries = one.play.calls[-1].tries
    assert [(tried.reason, tried.status, tried.headers) for tried in tries] == [
        ("cut", 200, TOLD),
        ("stopped", 200, TOLD),
    ]
