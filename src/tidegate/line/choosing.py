"""Who is asked: the targets of a plan that can serve a call at all, and which of them is to be asked now.

Only the one that is asked is translated for: a translation costs as much as the prompt is long.
"""

from tidegate.line import story
from tidegate.line.course import Course
from tidegate.line.plan import Plan
from tidegate.line.refusals import Late
from tidegate.line.target import Pick
from tidegate.model.call import Call
from tidegate.policy.failure import route
from tidegate.ports import Clock
from tidegate.providers.translate.face import Untranslatable

Chosen = tuple[Course, Pick]


def fit(call: Call, plan: Plan) -> list[Course]:
    """What may be tried, in order. O(targets)."""
    courses = [Course(target, call) for target in plan.targets if not target.unfit(call)]
    if courses and courses[0].target is not plan.targets[0]:
        skipped = plan.targets[0]
        story.unfit(call, f"{skipped.provider}/{skipped.model}", skipped.unfit(call), courses[0])
    return courses


def choose(call: Call, plan: Plan, courses: list[Course], barred: list[str], clock: Clock, now: int) -> Chosen | Late:
    """The course to take, or why there is none. Who cannot be asked at all leaves `courses`; `barred` tells why."""
    picks = [course.target.pick(call, now) for course in courses]
    candidates = [pick.candidate(course.not_before - now) for pick, course in zip(picks, courses, strict=True)]
    choice = route.choose(candidates, call.deadline - now, plan.fallback_after_us)
    at = choice.index if choice.index >= 0 else choice.earliest
    if at >= 0 and courses[at].foreign:
        cross(call, plan, courses, courses[at], barred, clock)
        return choose(call, plan, courses, barred, clock, now)
    if len(courses) > 1 or choice.index < 0:
        story.chosen(call, courses, candidates, choice, now)
    if choice.index >= 0:
        return courses[choice.index], picks[choice.index]
    _passed_over(call, picks[max(choice.earliest, 0)], now)
    return Late(picks[choice.earliest] if choice.earliest >= 0 else None, choice.wait_us, full=choice.full)


def _passed_over(call: Call, pick: Pick, now: int) -> None:
    """Where the call could be served soonest: why no lane there does now."""
    story.picked(call, pick.pool, pick.pool.seen(call.tenant, pick.charge, now), now)


def cross(call: Call, plan: Plan, courses: list[Course], course: Course, barred: list[str], clock: Clock) -> None:
    """Say the call in the dialect of this one, once; where that fails, it leaves: `barred` tells why."""
    target, course.foreign = course.target, False
    try:
        crossed = target.ways[call.kind].put(call, target.model, clock.wall() // 1_000_000)
    except Untranslatable as error:
        barred.append(f"{target.model}: {error.message}")
        _leave(call, courses, course, "untranslatable", clock)
        return
    course.crossed = crossed
    if plan.strict and crossed is not None and crossed.dropped:
        why = f"cannot be told {', '.join(crossed.dropped)}"
        barred.append(f"{target.model} {why}")
        _leave(call, courses, course, why, clock)


def _leave(call: Call, courses: list[Course], course: Course, why: str, clock: Clock) -> None:
    courses.remove(course)
    story.moved(call, course, courses, why, clock.now())
