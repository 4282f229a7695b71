"""A hedged stream: while its attempt is long without content it may have a second one beside it, at another lane."""

from collections.abc import Coroutine
from typing import Any, Final

from tidegate.line.asking import Asking
from tidegate.line.course import Course
from tidegate.line.intent import Intents
from tidegate.line.lane import Lane
from tidegate.line.plan import Plan
from tidegate.line.race import race
from tidegate.line.settlement import Settlement
from tidegate.line.slot import Answered, Slot
from tidegate.model.call import Call
from tidegate.model.reply import Failure
from tidegate.ports import Clock

_LOOKS: Final = 3


class Tried:
    """One attempt of a race: which course it belongs to, what it holds, and what came of it."""

    __slots__ = ("course", "outcome", "slot")

    def __init__(self, course: Course, slot: Slot) -> None:
        self.course = course
        self.slot = slot
        self.outcome: Answered | Failure | None = None

    @property
    def answered(self) -> bool:
        """Whether it has won, if it is the first."""
        return isinstance(self.outcome, Answered)


class Hedges:
    """Asks with a second attempt in reserve. One per worker."""

    __slots__ = ("asking", "clock", "intents", "settlement")

    def __init__(self, clock: Clock, intents: Intents, asking: Asking, settlement: Settlement) -> None:
        self.clock = clock
        self.intents = intents
        self.asking = asking
        self.settlement = settlement

    async def ask(
        self, call: Call, plan: Plan, courses: list[Course], course: Course, slot: Slot
    ) -> tuple[Course, Slot, Answered | Failure]:
        """One attempt at a stream, by this slot, whose intent is written, and perhaps another one.

        Who came to something, and to what: the first that was answered, or the last failure.
        """
        plan.hedges.deposit(self.clock.now(), retry_of_client=False)
        hedged = _Hedged(self, call, plan, courses, Tried(course, slot))
        call.asking += 1  # until the loser has ended
        try:
            won = await race(
                hedged.ask(hedged.first), plan.streams.hedge_after_us, self.clock, hedged.second, hedged.spare
            )
        finally:
            call.asking -= 1
        if won.outcome is None:
            raise RuntimeError("an attempt has an outcome")
        call.last_at = won.slot.permit.taken_at
        return won.course, won.slot, won.outcome


class _Hedged:
    """One such call."""

    __slots__ = ("_call", "_courses", "_hedges", "_plan", "first")

    def __init__(self, hedges: Hedges, call: Call, plan: Plan, courses: list[Course], first: Tried) -> None:
        self._hedges = hedges
        self._call = call
        self._plan = plan
        self._courses = courses
        self.first = first

    async def ask(self, tried: Tried) -> Tried:
        """Run one of the two."""
        tried.outcome = await self._hedges.asking.ask(self._call, tried.slot, tried.course.crossed)
        return tried

    def second(self) -> Coroutine[Any, Any, Tried] | None:
        """A second attempt at another lane, where one is free and the budget allows it."""
        call, now = self._call, self._hedges.clock.now()
        for course in () if call.left else self._courses:
            slot = None if course.foreign else elsewhere(call, course, self.first.slot.lane, now)
            if slot is None:
                continue
            if self._plan.hedges.withdraw(now):
                try:
                    self._hedges.intents.write(call, self._plan, slot)
                except OSError:
                    return None  # the first one goes on: it has been written down
                return self.ask(Tried(course, slot))
            slot.give_back()
        return None

    def spare(self, tried: Tried) -> None:
        """It came to an end all the same, and is not needed."""
        if isinstance(tried.outcome, Answered):
            self._hedges.settlement.spare(self._call, tried.outcome)


def elsewhere(call: Call, course: Course, lane: Lane, now: int) -> Slot | None:
    """A slot that is not this lane's: picks are by chance, so a few are looked at."""
    looked: list[Slot] = []
    found = None
    while found is None and len(looked) < _LOOKS and (slot := course.target.take_nowait(call, now)) is not None:
        if slot.lane is lane:
            looked.append(slot)
        else:
            found = slot
    for slot in looked:
        slot.give_back()
    return found
