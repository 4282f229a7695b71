"""How far a call has come with one target."""

from tests.line.scenes import call_of, play_of
from tidegate.line.course import Course
from tidegate.line.slot import Answered


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
    assert call.reserved == slot.charged > 0
    Course(plan.targets[0], call, "model=b").tell(call, answered)
    assert call.degraded == ("model=b",)
