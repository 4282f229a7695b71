"""Streams that do not simply end, as conversations: cut, continued, begun anew, drained, too long."""

import asyncio
import json
import logging
from typing import Any

import msgspec
import pytest

from tests.line.scenes import (
    DONE,
    PROFILE,
    Client,
    chunk,
    play_of,
    provider,
    refusal,
    served,
    spend,
    streaming,
    usage_chunk,
)
from tidegate.line.records import Ending
from tidegate.line.relay import MAX_DELIVERED_BYTES, Relay
from tidegate.model.facts import Fact
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure
from tidegate.model.snapshot import DegradeStep, Limits, RetryPolicy, StreamPolicy
from tidegate.model.story import ASKED, BROKE
from tidegate.testing import Playbook, Reply
from tidegate.testing.clock import SECOND, settle
from tidegate.testing.playbook import answer
from tidegate.testing.transport import ScriptedStream

PLAIN = msgspec.structs.replace(PROFILE, prefix="partial")
NOW = RetryPolicy(base_us=0, jitter=False)


class Defective:
    """A tap with a defect."""

    committed, finished, failure, usage, prompt, events = True, False, b"", None, 0, 0

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
        self.relay = Relay(self.play.line, self.play.clock, call, plan, answered)
        self.relay.on_close = lambda end: self.ends.append((end, self.client.body))
        self.relay.attach(self.client)
        return stream

    async def next(self) -> ScriptedStream:
        """The provider begins to answer its oldest open request."""
        await settle()
        reply, stream = streaming()
        await self.play.provider("openai", reply)
        return stream

    @property
    def bodies(self) -> list[Any]:
        return [json.loads(sent.body) for sent in self.play.sent("openai") if isinstance(sent.body, bytes)]


def show(mode: str = "fail", *, prefix: bool = True, drain: bool = False, **asked: Any) -> Show:
    streams = StreamPolicy(on_cut=mode, on_disconnect="drain" if drain else "cancel")
    return Show(play_of(provider(profile=PLAIN if prefix else PROFILE), streams=streams, retry=NOW), **asked)


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
        Relay(play.line, play.clock, play.calls[-1], plan, served(await running))


async def test_a_hedge_asks_another_target() -> None:
    """A stream without content for so long is asked for elsewhere too; the first content wins."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=1_000)
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), streams=policy, fallback_models=("b",))
    running = play.call("s", stream=True)
    await play.clock.advance(SECOND)
    assert [json.loads(sent.body)["model"] for sent in play.sent("openai")] == ["a", "b"]  # type: ignore[arg-type]
    slow, silent = streaming()
    await play.provider("openai", slow)
    fast, stream = streaming()
    await play.provider("openai", fast)
    stream.say(chunk("b"))
    answered = served(await running)
    assert answered.splice is not None
    assert answered.splice.stream is stream
    await settle()
    assert silent.aborted


async def test_a_full_journal_stops_the_hedge_and_not_the_call() -> None:
    """What cannot be written down is not sent, and what is under way goes on."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=1_000)
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), streams=policy, fallback_models=("b",))
    running = play.call("s", stream=True)
    await settle()

    def full(fact: Fact) -> None:
        raise OSError(28, "No space left on device")

    play.recorder.append = full  # type: ignore[method-assign]
    await play.clock.advance(SECOND)
    assert len(play.sent("openai")) == 1
    reply, stream = streaming()
    stream.say(chunk("a"))
    await play.provider("openai", reply)
    assert served(await running).lane.name == "openai/main/a"
    assert {lane.cap.busy for lane in play.lanes} == {1}  # of one scope, which has that stream alone


async def test_without_a_budget_nobody_is_asked_twice() -> None:
    """It is a share of the streams of the last seconds."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=0)
    play = play_of(streams=policy)
    running = play.call("s", stream=True)
    await play.clock.advance(10 * SECOND)
    assert len(play.sent("openai")) == 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


# ── at the edges ─────────────────────────────────────────────────────────────────────────────────────────────────────


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
    relay = Relay(play.line, play.clock, play.calls[-1], plan, answered)
    relay.attach(client)
    stream.cut()
    await settle()
    assert client.aborted
    assert len(play.sent("openai")) == 1


async def test_cut_and_left_in_the_same_moment() -> None:
    """The rescue has not taken its first step: the end is told all the same."""
    one = show("restart")
    stream = await one.begin()
    stream.cut()
    one.relay.abandon()
    await settle()
    assert [end.gone for end, _ in one.ends] == [True]
    assert len(one.bodies) == 1


async def test_a_defect_while_it_goes_on(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """The client hears of the cut, the new answer is stopped."""
    one = show("continue")
    stream = await one.begin()
    stream.cut()
    monkeypatch.setattr("tidegate.providers.continuation.Seam.feed", Defective.feed)
    with caplog.at_level(logging.ERROR):
        rest = await one.next()
        rest.say(chunk("two"))
        await settle()
    assert "a defect" in caplog.text
    assert rest.aborted
    assert b"stream_cut" in one.client.body
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
    one.relay._asked = one.play.calls[-1].body, SECOND
    stream.cut()
    await play.clock.advance(2 * SECOND)
    assert {body["model"] for body in one.bodies} == {"a"}
    assert b"stream_cut" in one.client.body


async def test_the_loser_of_a_race_is_booked() -> None:
    """Both answered in the same moment: one serves, the other is charged and stopped."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=1_000)
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), streams=policy, fallback_models=("b",))
    running = play.call("s", stream=True)
    await play.clock.advance(SECOND)
    pairs = [streaming(), streaming()]
    for reply, stream in pairs:
        stream.say(chunk("x"))
        play.transports["openai"].answer(reply)
    served(await running)
    await settle()
    assert [stream.aborted for _, stream in pairs].count(True) == 1
    assert play.calls[-1].spent > 0


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


async def test_a_whole_answer_cannot_follow_a_beginning() -> None:
    """A provider that answers a stream with one body: the cut is told, and what it cost is booked."""
    one = show("restart")
    stream = await one.begin()
    stream.cut()
    await settle()
    await one.play.provider("openai", Reply(200, [], answer()))
    assert b"stream_cut" in one.client.body
    assert one.client.ended
    assert one.play.calls[-1].spent > 0
    assert [end.failed for end, _ in one.ends] == [True]


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
