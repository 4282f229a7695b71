"""The ladder: what a call is given less of, step by step, instead of a refusal."""

from typing import Final

from tidegate.line import story
from tidegate.line.course import Course
from tidegate.line.plan import Plan, Step
from tidegate.model.call import Call, Kind
from tidegate.model.story import DEGRADED

STALE: Final = "stale"
PASS: Final = Kind.PASS


def degrade(call: Call, plan: Plan, courses: list[Course], now: int) -> bool:
    """Take the next step of the ladder. False when there is none for this call."""
    tier = call.tenant.tier.name
    for step in plan.ladder[call.rung :]:
        call.rung += 1
        if tier not in step.tiers:
            continue
        if step.stale:
            if call.stale:
                call.degraded = (*call.degraded, STALE)
                story.add(call, DEGRADED, now, now, why=STALE)
                return False  # it is refused here, and given that answer
            continue
        if step.target is not None:
            if _another(call, step, courses, now):
                return True
        elif call.kind is not PASS and not 0 < call.shape.output <= step.max_tokens:
            asked, call.clamp = call.shape.output, step.max_tokens
            call.shape.output = step.max_tokens
            call.degraded = (*call.degraded, f"max_tokens={step.max_tokens}")
            story.add(call, DEGRADED, now, now, why=f"max_tokens={step.max_tokens}", figures=(("asked", asked),))
            return True
    return False


def _another(call: Call, step: Step, courses: list[Course], now: int) -> bool:
    """A target that the call would not have been given otherwise."""
    target = step.target
    if target is None or target.unfit(call) or any(course.target is target for course in courses):
        return False
    courses.append(Course(target, call, f"model={target.model}"))
    story.add(call, DEGRADED, now, now, story.name_of(courses[-1]), f"model={target.model}")
    return True
