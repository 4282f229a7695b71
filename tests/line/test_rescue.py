"""Streams that are cut, and go on: continued or begun anew."""

import json
import logging
from typing import Any

import pytest

from tests.line.scenes import (
    DONE,
    Client,
    call_of,
    chunk,
    play_of,
    provider,
    refusal,
    served,
    spend,
    usage_chunk,
)
from tests.line.shows import NOW, PLAIN, Defective, Show, show
from tidegate.line.plan import Plan
from tidegate.line.rescue import MAX_DELIVERED_BYTES, Rescue
from tidegate.line.settlement import Settlement
from tidegate.line.slot import Answered
from tidegate.model.call import Call
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure, Refused
from tidegate.model.snapshot import DegradeStep, Limits, RetryPolicy, StreamPolicy
from tidegate.model.story import ASKED, BROKE
from tidegate.testing import Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream


async def test_it_goes_on_where_it_stopped() -> None:
    """The rest is asked for with what was delivered; the client sees one answer and one usage."""
    one = show("continue", max_tokens=10)
    stream = await one.begin()
    stream.say(chunk(" two "))
    stream.cut()
    await settle()
    assert one.client.body == chunk() + chunk("one") + chunk(" two ")
    rest = await one.next()
    assert one.bodies[1]["messages"][-1] == {"role": "assistant", "content": "one two", "partial": True}
    assert one.bodies[1]["max_tokens"] == 8  # each event with content counts as a token
    rest.say(chunk(), chunk(" three"))
    await settle()
    rest.say(usage_chunk(12, 1), DONE)
    rest.end()
    await settle()
    told = one.client.body.removeprefix(chunk() + chunk("one") + chunk(" two "))
    mark, said = told.split(b"\n\n", 1)
    assert mark == b": continued by openai/main/a after a cut"
    assert json.loads(said.split(b"\n\n")[0][6:])["choices"][0]["delta"] == {"content": "three"}
    assert one.client.ended
    assert len(one.ends) == 1
    end = one.ends[0][0]
    assert (end.failed, end.usage) == (False, Usage(12, 1))
    call = one.play.calls[-1]
    cut = call.tries[0]
    assert (cut.reason, cut.completion_tokens, cut.estimated) == ("cut", 2, True)
    assert [step.what for step in call.story or ()] == [ASKED, BROKE]
    assert dict((call.story or [])[1].figures)["then"] == "continue"
    assert call.answer_bytes > len(chunk() + chunk("one") + chunk(" two ") + chunk(" three"))


async def test_it_begins_anew() -> None:
    """After an event that says so, from its first word."""
    one = show("restart", prefix=False)
    stream = await one.begin()
    stream.cut()
    anew = await one.next()
    assert one.bodies[1]["messages"] == one.bodies[0]["messages"]
    anew.say(chunk(), chunk("two"), DONE)
    anew.end()
    await settle()
    first, event, rest = one.client.body.partition(b'data: {"object":"tidegate.restart"')
    assert first == chunk() + chunk("one")
    assert event
    assert rest.split(b"\n\n", 1)[1] == chunk() + chunk("two") + DONE
    assert [end.failed for end, _ in one.ends] == [False]


@pytest.mark.parametrize("mode", ["continue", "restart"])
@pytest.mark.parametrize("ends", ["answered", "refused", "left"])
async def test_the_call_stays_as_it_was_asked(mode: str, ends: str) -> None:
    """What a rescue asks for instead is in its request alone: what is recorded of the call is the call's."""
    one = show(mode, max_tokens=10)
    stream = await one.begin()
    call = one.play.calls[-1]
    asked = call.body, call.deadline, call.clamp, call.continued
    await one.play.clock.advance(100 * SECOND)
    stream.cut()
    await settle()
    assert one.play.sent("openai")[1].deadline == call.arrived + 220 * SECOND
    if ends == "answered":
        rest = await one.next()
        rest.say(chunk(), chunk("two"))
    elif ends == "refused":
        await one.play.provider("openai", refusal(400, message="no"))
    else:
        one.relay.abandon()
    await settle()
    assert (call.body, call.deadline, call.clamp, call.continued) == asked


async def test_the_client_may_choose() -> None:
    """Its word is stronger than the plan's."""
    one = show("restart", on_cut="fail")
    stream = await one.begin()
    stream.cut()
    await settle()
    assert one.client.ended
    assert len(one.bodies) == 1


@pytest.mark.parametrize(
    "asked", [{"n": 2}, {"response_format": {"type": "json_object"}}], ids=["two answers", "JSON mode"]
)
async def test_what_cannot_be_continued_fails(asked: dict[str, Any]) -> None:
    """It is told at once, and nobody is asked."""
    one = show("continue", **asked)
    stream = await one.begin()
    stream.cut()
    await settle()
    assert b"stream_cut" in one.client.body
    assert len(one.bodies) == 1


@pytest.mark.parametrize("prefix", [True, False])
async def test_a_tool_call_is_never_continued(prefix: bool) -> None:
    """Nor is anything, where no provider takes a beginning."""
    one = show("continue", prefix=prefix)
    stream = await one.begin()
    if prefix:
        stream.say(b'data: {"choices":[{"index":0,"delta":{"tool_calls":[{"index":0}]}}]}\n\n')
    stream.cut()
    await settle()
    assert b"stream_cut" in one.client.body
    assert one.client.ended
    assert len(one.bodies) == 1


async def test_a_long_answer_is_not_kept_for_ever() -> None:
    """Beyond a bound it cannot be continued, and costs no memory."""
    one = show("continue")
    stream = await one.begin()
    for _ in range(3):
        stream.say(chunk("x" * (MAX_DELIVERED_BYTES // 2)))
    stream.cut()
    await settle()
    assert b"stream_cut" in one.client.body
    assert len(one.bodies) == 1


async def test_nobody_can_go_on() -> None:
    """The stream ends as it would have ended at once; each attempt was settled."""
    one = show("continue")
    stream = await one.begin()
    stream.cut()
    await settle()
    await one.play.provider("openai", refusal(400, message="no"))
    await settle()
    assert b"stream_cut" in one.client.body
    assert one.client.ended
    assert [end.failed for end, _ in one.ends] == [True]


async def test_a_model_that_refuses_a_beginning_is_not_asked() -> None:
    """Its provider takes one, and another model of it goes on."""
    models = ("claude-opus-4-6", "claude-sonnet-4-5")
    streams = StreamPolicy(on_cut="continue")
    limits = dict.fromkeys(models, Limits(3_000, 60_000))
    new, old = models
    play = play_of(
        provider(limits=limits, profile=PLAIN), primary_model=new, fallback_models=(old,), streams=streams, retry=NOW
    )
    one = Show(play)
    stream = await one.begin()
    stream.say(chunk(" two"))
    stream.cut()
    await settle()
    assert [body["model"] for body in one.bodies] == [new, old]


async def test_cut_again_and_again() -> None:
    """As often as an attempt may be retried, not for ever."""
    one = show("restart")
    stream = await one.begin()
    for _ in range(3):
        stream.cut()
        stream = await one.next()
        stream.say(chunk("again"))
        await settle()
    stream.cut()
    await settle()
    assert len(one.bodies) == 4
    assert b"stream_cut" in one.client.body
    assert len(one.ends) == 1


async def test_only_events_are_begun_anew() -> None:
    """What is forwarded as it is, and a reply that is no event stream, is cut: bytes cannot be taken back."""
    play = play_of(streams=StreamPolicy(on_cut="restart"), retry=NOW)
    running = play.call("s", stream=True)
    await settle()
    stream = ScriptedStream()
    await play.provider("openai", Reply(200, [(b"content-type", b"audio/mpeg")], b"", stream))
    stream.say(b"one")
    answered, client, plan = served(await running), Client(), play.book.plan("s")
    assert plan is not None
    relay = play.line.relay(play.calls[-1], plan, answered)
    relay.attach(client)
    stream.cut()
    await settle()
    assert client.aborted
    assert len(play.sent("openai")) == 1


async def test_a_defect_while_it_goes_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The client hears of the cut, the new answer is stopped."""
    one = show("continue", stream_options={"include_usage": True})
    stream = await one.begin()
    stream.cut()
    monkeypatch.setattr("tidegate.providers.continuation.Seam.feed", Defective.feed)
    with caplog.at_level(logging.ERROR):
        rest = await one.next()
        rest.say(chunk("two"))
        await settle()
    assert "a defect" in caplog.text
    assert rest.aborted
    error = json.loads(one.client.body.rpartition(b"data: ")[2])["error"]
    assert (error["code"], error["usage"]["completion_tokens"]) == ("stream_cut", 2)  # of both
    assert one.client.ended
    assert len(one.ends) == 1


async def test_the_total_time_out_waits_for_a_rescue() -> None:
    """It is the time of a stream, not of the call's way to the next one."""
    one = show("restart")
    stream = await one.begin()
    await one.play.clock.advance(3_599 * SECOND)
    stream.cut()
    await one.play.clock.advance(2 * SECOND)
    anew = await one.next()
    anew.say(chunk("two"))
    await settle()
    assert b"tidegate.restart" in one.client.body


async def test_the_ladder_does_not_continue_an_answer() -> None:
    """Its models may not know how."""
    policy = StreamPolicy(on_cut="continue")
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    steps = (DegradeStep(("paid",), "model", model="b"),)
    play = play_of(provider(limits=limits, profile=PLAIN), streams=policy, retry=NOW, degrade=steps)
    one = Show(play)
    stream = await one.begin()
    spend(play, 600_000)
    one.play.calls[-1].deadline = one.play.calls[-1].arrived + SECOND
    stream.cut()
    await play.clock.advance(2 * SECOND)
    assert {body["model"] for body in one.bodies} == {"a"}
    assert b"stream_cut" in one.client.body


async def test_a_whole_answer_cannot_follow_a_beginning() -> None:
    """A provider that answers a stream with one body: the cut is told, and what it cost is booked."""
    one = show("restart")
    stream = await one.begin()
    stream.cut()
    await settle()
    await one.play.provider("openai", Reply(200, [], answer()))
    assert b"stream_cut" in one.client.body
    assert one.client.ended
    assert [tried.reason for tried in one.play.calls[-1].tries] == ["cut", "stopped"]
    assert [end.failed for end, _ in one.ends] == [True]


async def test_what_breaks_a_policy_breaks_it_again() -> None:
    """Nobody is asked for the rest of an answer that its provider may not give, and nothing of the budget is spent."""
    play = play_of(streams=StreamPolicy(on_cut="restart"), retry=RetryPolicy(max_retries=1))
    plan = play.book.plan("s")
    assert plan is not None

    async def again(call: Call, plan: Plan) -> Answered | Refused:
        raise NotImplementedError

    settlement = Settlement(play.clock, play.recorder)
    rescue = Rescue("restart", call_of(), plan, again, settlement, play.clock)
    assert not rescue.allowed(Failure(Reason.POLICY, "not that"))
    assert rescue.allowed(Failure(Reason.TRANSIENT, "broken"))
    assert not rescue.allowed(Failure(Reason.TRANSIENT, "again"))


def said_by(body: bytes) -> str:
    """The text of all chunks that a client was sent."""
    chunks = [json.loads(line[6:]) for line in body.split(b"\n") if line.startswith(b'data: {"choices"')]
    return "".join(choice["delta"].get("content") or "" for one in chunks for choice in one["choices"])


@pytest.mark.parametrize("ends", [True, False], ids=["a third model ends it", "all of them are cut"])
async def test_what_goes_on_is_cut_in_its_turn(ends: bool) -> None:
    """Each is asked for what is still missing; nothing is said twice, and every attempt is booked."""
    first, second, third = models = ("claude-opus-4-6", "claude-sonnet-4-5", "claude-haiku-4-5")
    streams, limits = StreamPolicy(on_cut="continue"), dict.fromkeys(models, Limits(3_000, 60_000))
    of_three = provider(limits=limits, profile=PLAIN)
    play = play_of(of_three, primary_model=first, fallback_models=models[1:], streams=streams, retry=NOW)
    one = Show(play, max_tokens=10, stream_options={"include_usage": True})
    stream = await one.begin()
    stream.cut()
    stream = await one.next()
    stream.say(chunk(), chunk(" two"))
    stream.cut()
    await settle()
    await play.provider("openai", refusal(429, message="not in your plan"))  # the second one is out
    stream = await one.next()
    stream.say(chunk(), chunk(" three"))
    stream.cut()
    stream = await one.next()
    stream.say(chunk(), chunk(" four"))
    if ends:
        stream.say(usage_chunk(13, 1), DONE)
        stream.end()
    else:
        stream.cut()
    await settle()
    assert [body["model"] for body in one.bodies] == [first, second, second, third, third]
    assert [body["messages"][-1]["content"] for body in one.bodies[1:]] == ["one", *["one two"] * 2, "one two three"]
    assert [body["max_tokens"] for body in one.bodies] == [10, 9, 8, 8, 7]
    assert said_by(one.client.body) == "one two three four"
    assert one.client.ended
    assert len(one.ends) == 1
    end = one.ends[0][0]
    assert end.failed is not ends
    tries = play.calls[-1].tries
    assert [(tried.reason, tried.completion_tokens) for tried in tries] == [
        ("cut", 1), ("cut", 1), ("billing", 0), ("cut", 1),
    ]  # fmt: skip
    booked = sum(tried.prompt_tokens for tried in tries) + end.usage.prompt
    last = json.loads(one.client.body.removesuffix(DONE).rpartition(b"data: ")[2])
    told = last["usage"] if ends else last["error"]["usage"]
    assert (told["prompt_tokens"], told["completion_tokens"]) == (booked, 4)
    assert one.client.body.endswith(DONE) is ends
    assert ends or last["error"]["code"] == "stream_cut"
