"""What is written into a call's story, and when: one place, so that every step says the same thing the same way.

A call that is served at once comes nowhere near. What is kept is bounded: `story.MOST` steps, of which the last one
counts those that had to go for it, a few candidates, short words.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from tidegate.line.pool import LaneT, Pool
from tidegate.model.call import Call
from tidegate.model.errors import Problem
from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure
from tidegate.model.story import (
    ASKED,
    AWAY,
    BROKE,
    CHOSEN,
    DRAINED,
    MOST,
    MOVED,
    PICKED,
    QUEUED,
    REFUSED,
    LaneSeen,
    Step,
)
from tidegate.policy.failure.drain import DRAINED_US
from tidegate.policy.lease.purse import AWAY_US
from tidegate.policy.queue.dispatcher import Waiting
from tidegate.policy.queue.outlet import Outlet
from tidegate.policy.queue.records import Candidate, Choice
from tidegate.policy.quota.allowance import NEVER

if TYPE_CHECKING:
    from tidegate.line.course import Course

Figures = tuple[tuple[str, int | str], ...]

MOST_CANDIDATES: Final = 8
MOST_HEADERS: Final = 12
LONGEST: Final = 128  # characters of a word or of a header
DROPPED: Final = "dropped"
BOUND: Final = "bound"  # the strategy's own limits
TURN: Final = "turn"  # others were there before it
SHUT: Final = "shut"  # the provider refuses on end
CONCURRENCY: Final = "concurrency"  # so many calls are in flight as may be
QUOTA: Final = "quota"
# Of a reply: when it may be tried again, what is left, and how the provider's support finds it.
_TELLING: Final = (
    b"retry-after", b"x-ratelimit-", b"anthropic-ratelimit-", b"ratelimit", b"x-should-retry", b"x-ms-retry",
    b"x-request-id", b"request-id", b"apim-request-id", b"x-ms-request-id", b"x-dashscope-request-id", b"cf-ray",
)  # fmt: skip


def add(
    call: Call,
    what: str,
    began: int,
    now: int,
    target: str = "",
    why: str = "",
    figures: Figures = (),
    lanes: tuple[LaneSeen, ...] = (),
) -> None:
    """One more step, from `began` until `now` (monotonic). O(1)."""
    story = call.story
    if story is None:
        story = call.story = []
    if len(story) >= MOST:
        last = story.pop()
        missed = next((count for name, count in reversed(last.figures) if name == DROPPED), 0)
        figures = (*figures, (DROPPED, int(missed) + 1))
    story.append(Step(what, began - call.arrived, now - began, target[:LONGEST], why[:LONGEST], figures, lanes))


def chosen(call: Call, courses: "Sequence[Course]", candidates: Sequence[Candidate], choice: Choice, now: int) -> None:
    """One of several targets, or none: what each of them would have meant. O(candidates)."""
    figures = tuple(
        (name_of(course), _prospect(candidate))
        for course, candidate in zip(courses[:MOST_CANDIDATES], candidates, strict=False)
    )
    index = choice.index
    if index >= 0:
        add(call, CHOSEN, now, now, name_of(courses[index]), "first" if index == 0 else "soonest", figures)
    else:
        add(call, CHOSEN, now, now, "", "full" if choice.full else "late", figures)


def name_of(course: "Course") -> str:
    """Provider and model."""
    return f"{course.target.provider}/{course.target.model}"


def _prospect(candidate: Candidate) -> int | str:
    """The wait that is predicted; in words where that is not all."""
    wait = candidate.wait_us
    if wait == NEVER:
        return "never"
    if wait >= DRAINED_US:
        return DRAINED
    if wait >= AWAY_US:
        return AWAY
    said = ["full"] * candidate.full + ["refusing"] * candidate.tripped
    return f"{wait} {' '.join(said)}" if said else wait


def unfit(call: Call, skipped: str, why: str, course: "Course") -> None:
    """The plan's first target cannot serve such a call at all."""
    add(call, MOVED, call.arrived, call.arrived, name_of(course), why, (("from", skipped),))


def moved(call: Call, left: "Course", courses: "Sequence[Course]", why: str, now: int) -> None:
    """On to the next target, if there is one."""
    add(call, MOVED, now, now, name_of(courses[0]) if courses else "", why, (("from", name_of(left)),))


def place(pool: Pool[LaneT], ticket: Waiting, now: int, *, front: bool) -> tuple[str, int, int]:
    """Why a call waits there, how many are served before it by the discipline's rule, and how many wait in all."""
    waiting = pool.waiting
    if waiting:
        ahead = 0 if front else pool.dispatcher.scheduler.ahead(ticket.owner, ticket.cost, now).requests
        return TURN, ahead, waiting
    lanes: Sequence[Outlet] = pool.lanes
    if all(lane.breaker.limited and lane.breaker.wait(now) for lane in lanes):
        return SHUT, 0, 0
    return CONCURRENCY if all(lane.full() is not None for lane in lanes) else QUOTA, 0, 0


def queued(
    call: Call, pool: str, at: tuple[str, int, int], began: int, now: int, lane: str, predicted: int | None
) -> None:
    """It stood in a queue. `lane`: where its turn came, "" = it did not; `predicted`: the wait, where it was."""
    why, ahead, waiting = at
    if lane and now == began:
        return  # nobody had to wait
    figures: list[tuple[str, int | str]] = [("pool", pool[:LONGEST]), ("ahead", ahead), ("waiting", waiting)]
    if predicted is not None:
        figures.append(("predicted_us", predicted))
    if not lane:
        figures.append(("turn", "never came"))
    add(call, QUEUED, began, now, lane, why, tuple(figures))


def picked(call: Call, pool: Pool[LaneT], seen: tuple[LaneSeen, ...], now: int, lane: str = "") -> None:
    """Of the lanes of a pool, this one, "" = none. Only where there were several, and the call has a story anyway."""
    if seen and call.story is not None:
        figures = (("pool", pool.name[:LONGEST]), ("lanes", len(pool.lanes)))
        add(call, PICKED, now, now, lane, pool.dispatcher.outlets.rule, figures, seen)


def unsent(call: Call, lane: str, account: str, failure: Failure, began: int, now: int) -> None:
    """An attempt of which the provider has not seen a byte."""
    figures = (("account", account), ("error", failure.message[:LONGEST]))
    add(call, ASKED, began, now, lane, failure.reason.name.lower(), figures)


def asked(call: Call, lane: str, status: int, why: str, began: int, now: int) -> None:
    """An attempt that is among the call's tries, as the last of them until now."""
    add(call, ASKED, began, now, lane, why, (("try", len(call.tries)), ("status", status)))


def broke(call: Call, lane: str, failure: Failure, then: str, sent: int, now: int) -> None:
    """A stream ended after its first content, and not as it should; `sent`: bytes that its client has of it."""
    add(call, BROKE, now, now, lane, failure.reason.name.lower(), (("then", then), ("sent_bytes", sent)))


def refused(call: Call, problem: Problem, last: Failure | None, now: int) -> None:
    """The call gets no answer of a model's: why, and the time that is told."""
    figures: Figures = (("told_us", problem.retry_after_us),) if problem.retry_after_us else ()
    if last is not None:
        figures = (*figures, ("last", last.reason.name.lower()))
    add(call, REFUSED, now, now, "", problem.kind.name.lower(), figures)


def paused(named_us: int | None, reason: Reason) -> str:
    """Why a call waits before it asks the same target again."""
    return f"retry-after ({reason.name.lower()})" if named_us is not None else f"back-off ({reason.name.lower()})"


def telling(headers: Sequence[tuple[bytes, bytes]], key: bytes) -> tuple[tuple[str, str], ...]:
    """The header lines of a refusal that say when and why, without the gate's own key. O(headers)."""
    found = [(name, value) for name, value in headers if name.startswith(_TELLING)]
    return tuple(
        (name[:LONGEST].decode("latin-1"), value.replace(key, b"***")[:LONGEST].decode("latin-1"))
        for name, value in found[:MOST_HEADERS]
    )
