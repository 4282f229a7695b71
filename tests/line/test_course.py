"""How far a call has come with one target."""

from tests.line.scenes import call_of, lane_of, play_of, provider, requests_left
from tidegate.line.course import Course, Tried
from tidegate.line.slot import Answered
from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure
from tidegate.model.snapshot import Limits


async def test_another_lane_is_none_where_there_is_one_only() -> None:
    """And what was looked at is given back."""
    play = play_of(provider(limits={"a": Limits(60, 60_000)}))
    plan = play.book.plan("a")
    assert plan is not None
    course, lane = Course(plan.targets[0], call_of()), lane_of(play)
    assert course.elsewhere(call_of(), lane, play.clock.now()) is None
    assert requests_left(play) == 60


async def test_what_was_not_served_is_told() -> None:
    """A step of the ladder; nothing where there was none."""
    play = play_of()
    plan = play.book.plan("a")
    assert plan is not None
    call = call_of()
    slot = plan.targets[0].take_nowait(call, play.clock.now())
    assert slot is not None
    slot.account = "0a1b2c3d"
    answered = Answered(slot, 200, (), {}, b"{}")
    Course(plan.targets[0], call).tell(call, answered)
    assert (call.degraded, call.account, call.answer_bytes) == ((), "0a1b2c3d", 2)
    Course(plan.targets[0], call, "model=b").tell(call, answered)
    assert call.degraded == ("model=b",)


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
