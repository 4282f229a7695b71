"""The line: the one place that knows the order in which providers are asked.

choose a target by predicted wait ▸ smooth ▸ take a turn at its quota ▸ write the intent ▸ attempt ▸ recover, until a
target answered or none can any more. Everything that is decided here is decided by a policy; everything that is waited
for is waited for here.
"""

from collections.abc import Callable
from typing import Final

from tidegate.line import story
from tidegate.line.asking import Asking
from tidegate.line.choosing import choose, cross, fit
from tidegate.line.course import Course
from tidegate.line.hedge import Hedges
from tidegate.line.intent import Intents
from tidegate.line.ladder import degrade
from tidegate.line.lane import Lane
from tidegate.line.plan import Plan
from tidegate.line.refusals import CLOSES, Late, expired, failed, too_late
from tidegate.line.relay import Relay
from tidegate.line.rescue import FAIL, Rescue, after_cut
from tidegate.line.settlement import Settlement
from tidegate.line.slot import Answered, Slot
from tidegate.line.target import Pick, Target
from tidegate.line.turn import take
from tidegate.model.call import Call
from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure, Refused
from tidegate.model.story import PAUSED, SMOOTHED
from tidegate.policy.failure import recovery
from tidegate.policy.failure.recovery import Move
from tidegate.policy.quota import smooth
from tidegate.ports import Clock, Journal, Observer

_SPARES_OTHERS: Final = CLOSES - {Reason.OVERLOAD}  # another scope of the same provider may serve


class Line:
    """Runs calls. One per worker; it holds no configuration: that comes with each call's plan."""

    __slots__ = ("_asking", "_clock", "_hedges", "_intents", "_luck", "_observer", "_settlement")

    def __init__(self, clock: Clock, journal: Journal, observer: Observer, luck: Callable[[], float]) -> None:
        """`luck` gives uniform numbers in [0, 1)."""
        self._clock = clock
        self._observer = observer
        self._luck = luck
        self._settlement = Settlement(clock, observer)
        self._intents = Intents(clock, journal)
        self._asking = Asking(clock, self._settlement)
        self._hedges = Hedges(clock, self._intents, self._asking, self._settlement)

    async def run(self, call: Call, plan: Plan, *, again: bool = False) -> Answered | Refused:
        """Serve the call by the plan. `again`: it was served, and broke. Raises `OSError`: the journal is full."""
        _deposit(call, plan, again=again)
        courses = fit(call, plan)
        last: Failure | None = None
        barred: list[str] = []
        while courses:
            now = self._clock.now()
            if now >= call.deadline:
                return expired(call, plan, last, now)
            course = courses[0]
            if course.foreign:
                cross(call, plan, courses, course, barred, self._clock)
                continue
            slot = self._at_once(call, plan, course, now)
            if slot is None:
                chosen = choose(call, plan, courses, barred, self._clock, now)
                if isinstance(chosen, Late):
                    if degrade(call, plan, courses, now):
                        continue
                    return too_late(call, plan, last, chosen, now, keep=not again)
                course, pick = chosen
                slot = await self._wait(call, plan, course, pick, now, alone=len(courses) == 1)
            if slot is None:
                continue
            self._intents.write(call, plan, slot)
            if plan.streams.hedge_after_us and call.shape.stream:
                course, slot, outcome = await self._hedges.ask(call, plan, courses, course, slot)
            else:
                outcome = await self._asking.ask(call, slot, course.crossed)
            if isinstance(outcome, Answered):
                if course.target is not plan.targets[0]:
                    self._observer.moved(plan.name)
                course.tell(call, outcome)
                return outcome
            last = outcome
            if call.left or (outcome.sent and not isinstance(call.body, bytes)):
                break  # nobody waits for another one; what arrived of the body is gone, and cannot be sent again
            if self._recover(call, plan, course, slot.lane, outcome):
                continue
            if outcome.reason in recovery.FINAL:
                break
            self._leave(call, plan, courses, course, outcome)
        return failed(call, plan, last, self._clock.now(), barred)

    def relay(self, call: Call, plan: Plan, answered: Answered) -> Relay:
        """The stream that answered, on its way to the client, over as many attempts as the plan wants.

        Raises `TypeError` when the answer is no stream.
        """
        mode, rescue = after_cut(call, plan, answered), None
        if mode != FAIL:
            rescue = Rescue(mode, call, plan, self._again, self._settlement, self._clock)
        return Relay(call, plan, answered, rescue, self._settlement, self._clock)

    async def _again(self, call: Call, plan: Plan) -> Answered | Refused:
        return await self.run(call, plan, again=True)

    def _at_once(self, call: Call, plan: Plan, course: Course, now: int) -> Slot | None:
        """A slot when nothing stands in the way: no back-off, no smoothing, no queue. The common case, kept short."""
        if course.not_before > now or self._smoothing(call, plan, course.target, now):
            return None
        return course.target.take_nowait(call, now)

    def _smoothing(self, call: Call, plan: Plan, target: Target, now: int) -> int:
        """The delay for a call near the wall that has not waited yet. Where others are refused, it is behind us."""
        if call.smoothed or call.queued_us or call.attempts or not call.tenant.tier.smoothed:
            return 0
        delay = smooth.delay(plan.smoothing, target.used_permille(call, now))
        return delay if delay and now + delay < call.deadline and not target.refusing(call.tenant) else 0

    async def _wait(self, call: Call, plan: Plan, course: Course, pick: Pick, now: int, *, alone: bool) -> Slot | None:
        """Wait for what is the call's own (back-off, smoothing) or for its turn. None: look around again."""
        pause, smoothed = course.not_before - now, False
        if pause <= 0 and pick.wait_us == 0:
            pause = self._smoothing(call, plan, course.target, now)
            smoothed = call.smoothed = True
        if pause <= 0:
            patience = call.deadline if alone or pick.wait_us > plan.fallback_after_us else now + plan.fallback_after_us
            latest = call.deadline - pick.answer_us if pick.wait_us else call.deadline
            give_up_at = min(patience, max(latest, now + pick.wait_us))
            return await take(call, course.target, pick, now, give_up_at, self._clock, elsewhere=not alone)
        used = course.target.used_permille(call, now) if smoothed else 0
        try:
            await self._clock.sleep(pause)
        finally:
            then = self._clock.now()
            call.waited_us += then - now
            if smoothed:
                story.add(call, SMOOTHED, now, then, story.name_of(course), figures=(("used_permille", used),))
            else:
                story.add(call, PAUSED, now, then, story.name_of(course), course.why)
        return None

    def _recover(self, call: Call, plan: Plan, course: Course, lane: Lane, failure: Failure) -> bool:
        """True when the same target is to be tried again, not before `course.not_before`."""
        course.failures += 1
        now = self._clock.now()
        if failure.reason in _SPARES_OTHERS and course.failures < plan.retry.max_retries:
            another_key = failure.reason is Reason.AUTH and not lane.breaker.limited
            if another_key or course.target.elsewhere(call.tenant, lane, now):
                course.not_before = now  # another key or scope of the same target may serve it at once
                return plan.budget.withdraw(now)
        step = recovery.after_failure(
            failure.reason,
            plan.retry,
            course.failures,
            failure.named_us,
            self._luck(),
            lambda: plan.budget.withdraw(now),
        )
        course.not_before, course.why = now + step.wait_us, story.paused(failure.named_us, failure.reason)
        return step.move is Move.RETRY

    def _leave(self, call: Call, plan: Plan, courses: list[Course], course: Course, failure: Failure) -> None:
        courses.remove(course)
        if courses:
            self._observer.fell_back(plan.name)
            story.moved(call, course, courses, failure.reason.name.lower(), self._clock.now())


def _deposit(call: Call, plan: Plan, *, again: bool) -> None:
    if not again:  # a retry was withdrawn for it
        plan.budget.deposit(call.arrived, retry_of_client=call.client_retry)
