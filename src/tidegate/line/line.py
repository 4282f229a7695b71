"""The line: the one place that knows the order in which providers are asked.

choose a target by predicted wait ▸ smooth ▸ take a turn at its quota ▸ write the intent ▸ attempt ▸ recover, until a
target answered or none can any more. Everything that is decided here is decided by a policy; everything that is waited
for is waited for here.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from tidegate.line import story
from tidegate.line.attempt import Answered, attempt
from tidegate.line.course import Course, Tried
from tidegate.line.keys import is_dead
from tidegate.line.ladder import STALE as STALE
from tidegate.line.ladder import degrade
from tidegate.line.lane import Lane, Slot
from tidegate.line.plan import Plan
from tidegate.line.race import race
from tidegate.line.refusals import CLOSES, Late, expired, failed, too_late
from tidegate.line.target import Pick, Target
from tidegate.line.tries import note, stopped
from tidegate.line.turn import take
from tidegate.model.call import Attempt, Call, Kind
from tidegate.model.facts import Intent
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure, Refused
from tidegate.model.story import PAUSED, SMOOTHED
from tidegate.policy.failure import recovery, route
from tidegate.policy.failure.recovery import Move
from tidegate.policy.money import prompt_nano
from tidegate.policy.quota import smooth
from tidegate.ports import Clock, Journal, Observer
from tidegate.providers.translate.face import Crossed, Untranslatable

FAIR_US = 30_000_000  # who does not answer for so long has failed, whatever the call's deadline was

_SPARES_OTHERS = CLOSES - {Reason.OVERLOAD}  # another scope of the same provider may serve


class Line:
    """Runs calls. One per worker; it holds no configuration: that comes with each call's plan."""

    __slots__ = ("_clock", "_journal", "_luck", "_observer")

    def __init__(self, clock: Clock, journal: Journal, observer: Observer, luck: Callable[[], float]) -> None:
        """`luck` gives uniform numbers in [0, 1)."""
        self._clock = clock
        self._journal = journal
        self._observer = observer
        self._luck = luck

    async def run(self, call: Call, plan: Plan, *, again: bool = False) -> Answered | Refused:
        """Serve the call by the plan. `again`: it was served, and broke. Raises `OSError`: the journal is full."""
        _deposit(call, plan, again=again)
        courses = _courses(call, plan)
        last: Failure | None = None
        barred: list[str] = []
        while courses:
            now = self._clock.now()
            if now >= call.deadline:
                return expired(call, plan, last, now)
            course = courses[0]
            if course.foreign:
                self._cross(call, plan, courses, course, barred)
                continue
            slot = self._at_once(call, plan, course, now)
            if slot is None:
                chosen = self._choose(call, plan, courses, now, barred)
                if isinstance(chosen, Late):
                    if degrade(call, plan, courses, now):
                        continue
                    return too_late(call, plan, last, chosen, now, keep=not again)
                course, pick = chosen
                slot = await self._wait(call, plan, course, pick, now, alone=len(courses) == 1)
            if slot is None:
                continue
            self._intend(call, plan, slot)
            if plan.streams.hedge_after_us and call.shape.stream:
                course, slot, outcome = await self._hedge(call, plan, courses, Tried(course, slot))
            else:
                outcome = await self._attempt(call, slot, course.crossed)
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

    def _leave(self, call: Call, plan: Plan, courses: list[Course], course: Course, failure: Failure) -> None:
        courses.remove(course)
        if courses:
            self._observer.fell_back(plan.name)
            story.moved(call, course, courses, failure.reason.name.lower(), self._clock.now())

    def settle_stream(self, call: Call, answered: Answered) -> tuple[Usage, int]:
        """Settle the slot of a stream that ended, for whatever reason: its usage and the charge that stands."""
        splice, lane, slot = answered.splice, answered.lane, answered.slot
        if splice is None:
            raise TypeError("not a stream")
        usage = splice.tap.usage
        if splice.failure is not None and not splice.gone:
            self._observer.attempt(lane.name, splice.failure.reason)
            self._verdict(slot, splice.failure, b"")
        charged = lane.account(call, slot, usage)
        if usage is not None:
            lane.speed.learn(usage.completion, self._clock.now() - slot.permit.taken_at)
        elif call.kind is not Kind.PASS:
            prompt = splice.tap.prompt or lane.estimator.expected(call.size)
            usage = Usage(prompt, splice.tap.events, estimated=True)
        return usage or Usage(), charged

    def _cross(self, call: Call, plan: Plan, courses: list[Course], course: Course, barred: list[str]) -> None:
        """Say the call in the dialect of this one, once; where that fails, it leaves: `barred` tells why."""
        target, course.foreign = course.target, False
        try:
            crossed = target.ways[call.kind].put(call, target.model, self._clock.wall() // 1_000_000)
        except Untranslatable as error:
            barred.append(f"{target.model}: {error.message}")
            courses.remove(course)
            story.moved(call, course, courses, "untranslatable", self._clock.now())
            return
        course.crossed = crossed
        if plan.strict and crossed is not None and crossed.dropped:
            barred.append(f"{target.model} cannot be told {', '.join(crossed.dropped)}")
            courses.remove(course)
            story.moved(call, course, courses, f"cannot be told {', '.join(crossed.dropped)}", self._clock.now())

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

    def _choose(
        self, call: Call, plan: Plan, courses: list[Course], now: int, barred: list[str]
    ) -> tuple[Course, Pick] | Late:
        """The course to take, or why there is none. Only the one that is taken is translated for."""
        picks = [course.target.pick(call, now) for course in courses]
        candidates = [pick.candidate(course.not_before - now) for pick, course in zip(picks, courses, strict=True)]
        choice = route.choose(candidates, call.deadline - now, plan.fallback_after_us)
        at = choice.index if choice.index >= 0 else choice.earliest
        if at >= 0 and courses[at].foreign:
            self._cross(call, plan, courses, courses[at], barred)
            return self._choose(call, plan, courses, now, barred)
        if len(courses) > 1 or choice.index < 0:
            story.chosen(call, courses, candidates, choice, now)
        if choice.index >= 0:
            return courses[choice.index], picks[choice.index]
        return Late(picks[choice.earliest] if choice.earliest >= 0 else None, choice.wait_us, full=choice.full)

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

    async def _hedge(
        self, call: Call, plan: Plan, courses: list[Course], first: "Tried"
    ) -> tuple[Course, Slot, Answered | Failure]:
        """One attempt at a stream; while it is long without content it may have a second one beside it."""
        plan.hedges.deposit(self._clock.now(), retry_of_client=False)

        async def ask(tried: Tried) -> Tried:
            tried.outcome = await self._attempt(call, tried.slot, tried.course.crossed)
            return tried

        def second() -> Coroutine[Any, Any, Tried] | None:
            tried = self._beside(call, plan, courses, first.slot.lane)
            return None if tried is None else ask(tried)

        def spare(tried: Tried) -> None:
            self.spare(call, tried.outcome)

        call.asking += 1  # until the loser has ended
        try:
            won = await race(ask(first), plan.streams.hedge_after_us, self._clock, second, spare)
        finally:
            call.asking -= 1
        if won.outcome is None:
            raise RuntimeError("an attempt has an outcome")
        call.last_at = won.slot.permit.taken_at
        return won.course, won.slot, won.outcome

    def spare(self, call: Call, outcome: Answered | Failure | None) -> None:
        """An answer that nobody needs: it is stopped, and stays charged."""
        if not isinstance(outcome, Answered):
            return
        usage, charged = outcome.usage or Usage(), outcome.charged
        if outcome.splice is not None:
            outcome.splice.abandon()
            usage, charged = self.settle_stream(call, outcome)
        note(call, outcome.slot, outcome.status, "stopped", usage, charged, self._clock.now())

    def _beside(self, call: Call, plan: Plan, courses: list[Course], lane: Lane) -> "Tried | None":
        """A second attempt at another lane, where one is free and the budget allows it."""
        now = self._clock.now()
        for course in () if call.left else courses:
            slot = None if course.foreign else course.elsewhere(call, lane, now)
            if slot is None:
                continue
            if plan.hedges.withdraw(now):
                try:
                    self._intend(call, plan, slot)
                except OSError:
                    return None  # the first one goes on: it has been written down
                return Tried(course, slot)
            slot.give_back()
        return None

    async def _attempt(self, call: Call, slot: Slot, crossed: Crossed | None) -> Answered | Failure:
        """One attempt, whose intent is written, with its verdict on the lane's health after."""
        lane, permit = slot.lane, slot.permit
        breaker, key = lane.breaker, lane.keys.next(permit.taken_at)
        slot.account = lane.keys.accounts[key]
        call.asking += 1
        try:
            outcome = await attempt(call, slot, key, crossed, self._clock, self._judge)
        except BaseException:  # the client left, or a defect of ours: nobody else may suffer from it
            self._stopped(call, slot)
            breaker.abandon(permit.probe)
            raise
        finally:
            call.asking -= 1
        waited = call.queued_us + call.waited_us
        if isinstance(outcome, Answered):
            call.attempts.append(Attempt(lane.name, outcome.status, None, waited))
            self._observer.attempt(lane.name, None)
            lane.pace.learn(self._clock.now() - permit.taken_at)
            if lane.keys.restore(key):
                self._observer.key_restored(lane.name, slot.account)
            breaker.succeed(permit.epochs)
            if lane.crowd is not None:
                lane.concurrency.answered(permit.taken_at)
            return outcome
        status = outcome.answer.status if outcome.answer is not None else 0
        call.attempts.append(Attempt(lane.name, status, outcome.reason, waited))
        self._observer.attempt(lane.name, outcome.reason)
        if outcome.unexplained is not None:
            self._observer.unexplained(lane.name, outcome.unexplained)
        return outcome

    def _stopped(self, call: Call, slot: Slot) -> None:
        """An attempt was broken off by us: it stays charged, and is billed as far as it had come."""
        if slot.permit.open:
            now = self._clock.now()
            note(call, slot, 0, "stopped", stopped(call, slot, now), slot.keep(), now)

    def _intend(self, call: Call, plan: Plan, slot: Slot) -> None:
        """The intent, before the first byte. What cannot be written down is not sent."""
        wall, lane, charged = self._clock.wall(), slot.lane, slot.charged
        slot.at_us = wall
        call.last_at = slot.permit.taken_at
        likely, cost = (0, 0) if call.grant is None else (call.grant.likely_tokens, call.grant.likely_nano)
        if not cost and lane.prices:
            cost = prompt_nano(lane.prices, likely or charged)
        intent = Intent(
            call.id,
            len(call.attempts) + 1,
            wall,
            lane.key,
            charged,
            slot.left_tokens,
            slot.left_requests,
            call.client,
            plan.name,
            lane.name,
            call.tenant.name,
            call.user,
            cost,
            likely,
            call.job,
        )
        try:
            self._journal.append(intent)
        except BaseException:
            slot.give_back()
            raise

    def _judge(self, call: Call, slot: Slot, failure: Failure, key: bytes) -> None:
        """The verdict on an attempt that failed. Sent too late to be answered, it is not the provider's fault."""
        permit, now = slot.permit, self._clock.now()
        if failure.answer is None and now >= call.deadline and now - permit.taken_at < FAIR_US:
            slot.lane.breaker.abandon(permit.probe)
        else:
            self._verdict(slot, failure, key)

    def _verdict(self, slot: Slot, failure: Failure, key: bytes) -> None:
        """What a failure means for everybody else on this lane."""
        lane, permit, now = slot.lane, slot.permit, self._clock.now()
        if is_dead(failure) and (gone := lane.keys.retire(key, now)) is not None:
            if gone.news:
                self._observer.key_retired(lane.name, gone.digest, gone.left)
            lane.breaker.succeed(permit.epochs)
            return
        if failure.reason is Reason.OVERLOAD:
            lowered = lane.concurrency.overloaded(permit.taken_at, now)
            if not lowered and not permit.probe and failure.named_us is None:
                return  # one of those that were in flight together: they are one failure
        lane.breaker.fail(failure.reason, permit.epochs, permit.probe, now, failure.named_us, failure.out)

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


def _courses(call: Call, plan: Plan) -> list[Course]:
    """What may be tried, in order."""
    courses = [Course(target, call) for target in plan.targets if not target.unfit(call)]
    if courses and courses[0].target is not plan.targets[0]:
        skipped = plan.targets[0]
        story.unfit(call, f"{skipped.provider}/{skipped.model}", skipped.unfit(call), courses[0])
    return courses


def _deposit(call: Call, plan: Plan, *, again: bool) -> None:
    if not again:  # a retry was withdrawn for it
        plan.budget.deposit(call.arrived, retry_of_client=call.client_retry)
