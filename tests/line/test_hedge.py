"""A second attempt beside a stream that is long without content."""

import asyncio
import json

import pytest

from tests.line.scenes import (
    call_of,
    chunk,
    lane_of,
    play_of,
    provider,
    requests_left,
    served,
    streaming,
)
from tidegate.line.course import Course
from tidegate.line.hedge import Tried, elsewhere
from tidegate.model.facts import Fact
from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure
from tidegate.model.snapshot import Limits, StreamPolicy
from tidegate.testing.clock import SECOND, settle


async def test_a_hedge_asks_another_target() -> None:
    """A stream without content for so long is asked for elsewhere too; the first content wins."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=1_000)
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), streams=policy, fallback_models=("b",))
    running = play.call("s", stream=True)
    await play.clock.advance(SECOND)
    assert [json.loads(sent.body)["model"] for sent in play.sent("openai")] == ["a", "b"]  # type: ignore[arg-type]
    slow, silent = streaming((b"x-request-id", b"r1"), (b"x-other", b"r2"))
    await play.provider("openai", slow)
    fast, stream = streaming()
    await play.provider("openai", fast)
    stream.say(chunk("b"))
    answered = served(await running)
    assert answered.splice is not None
    assert answered.splice.stream is stream
    await settle()
    assert silent.aborted
    call = play.calls[-1]
    assert (call.asking, call.last_at) == (0, answered.slot.permit.taken_at)
    (lost,) = call.tries
    assert (lost.reason, lost.status, lost.headers) == ("stopped", 200, (("x-request-id", "r1"),))
    assert answered.slot.permit.taken_at == call.arrived + SECOND


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


async def test_nobody_is_asked_beside_it_for_a_client_that_left() -> None:
    """What runs is read for its usage, and is the last attempt."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=1_000)
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), streams=policy, fallback_models=("b",))
    running = play.call("s", stream=True)
    await settle()
    play.calls[-1].left = True
    await play.clock.advance(SECOND)
    assert len(play.sent("openai")) == 1
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert play.calls[-1].asking == 0


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


async def test_the_loser_of_a_race_is_booked() -> None:
    """Both answered in the same moment: one serves, the other is charged and stopped."""
    policy = StreamPolicy(hedge_after_us=SECOND, hedge_permille=1_000)
    limits = {"a": Limits(3_000, 60_000), "b": Limits(3_000, 60_000)}
    play = play_of(provider(limits=limits), streams=policy, fallback_models=("b",))
    running = play.call("s", stream=True)
    await play.clock.advance(SECOND)
    pairs = [streaming((b"x-request-id", b"r1")), streaming((b"x-request-id", b"r1"))]
    for reply, stream in pairs:
        stream.say(chunk("x"))
        play.transports["openai"].answer(reply)
    served(await running)
    await settle()
    assert [stream.aborted for _, stream in pairs].count(True) == 1
    assert play.calls[-1].spent > 0
    (lost,) = play.calls[-1].tries
    assert (lost.reason, lost.status, lost.headers) == ("stopped", 200, (("x-request-id", "r1"),))


async def test_another_lane_is_none_where_there_is_one_only() -> None:
    """And what was looked at is given back."""
    play = play_of(provider(limits={"a": Limits(60, 60_000)}))
    plan = play.book.plan("a")
    assert plan is not None
    course, lane = Course(plan.targets[0], call_of()), lane_of(play)
    assert elsewhere(call_of(), course, lane, play.clock.now()) is None
    assert requests_left(play) == 60


async def test_only_an_answer_wins_a_race() -> None:
    """A failure does not, nor what has not ended."""
    play = play_of()
    plan = play.book.plan("a")
    assert plan is not None
    call = call_of()
    slot = plan.targets[0].take_nowait(call, play.clock.now())
    assert slot is not None
    tried = Tried(Course(plan.targets[0], call), slot)
    assert not tried.answered
    tried.outcome = Failure(Reason.TRANSIENT, "broken")
    assert not tried.answered
