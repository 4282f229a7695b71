"""How a call is refused: whose fault it is, and when it could be served. Pure but for the place that is kept for it."""

from collections.abc import Sequence

from tidegate.line import story
from tidegate.line.plan import Plan
from tidegate.line.target import Pick
from tidegate.model.call import Call
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Reason
from tidegate.model.reply import Failure, Refused
from tidegate.policy.failure.drain import DRAINED_US
from tidegate.policy.lease.purse import AWAY_US
from tidegate.policy.quota.allowance import NEVER
from tidegate.units import SECOND_US

CLOSES = frozenset({Reason.RATE, Reason.OVERLOAD, Reason.RAMP, Reason.CAPACITY, Reason.BILLING, Reason.AUTH})
_QUOTA = frozenset({Reason.RATE, Reason.RAMP, Reason.CAPACITY})


class Late:
    """Nobody makes the call's deadline; `pick` is where it could be served, and when."""

    __slots__ = ("pick", "queue", "wait_us")

    def __init__(self, pick: Pick | None, wait_us: int, *, full: bool = False) -> None:
        self.pick = pick
        self.wait_us = wait_us  # NEVER: nowhere
        self.queue = full or (pick is not None and pick.queued)  # others stand before it, not only its own limit


def too_late(call: Call, plan: Plan, last: Failure | None, late: Late, now: int, *, keep: bool = True) -> Refused:
    """Nobody makes the deadline: when somebody could have. `keep` a place for the call that comes back then."""
    wait_us = late.wait_us
    again = _again_us(call, plan, now) if last is not None and last.reason in _QUOTA else 0
    if last is not None and (wait_us == NEVER or not again):
        return failed(call, plan, last, now, late=True)  # a provider that fails, or its own back-off: no quota
    if wait_us == NEVER:
        message = (
            f"This request needs more tokens at once than {plan.name} has a minute. Lower max_tokens or shorten it."
        )
        return _refused(call, Problem(ProblemKind.TOO_LARGE, message, "max_tokens"), last, now)
    if wait_us >= DRAINED_US and not again:
        return _drained(call, plan, last, now)
    if wait_us >= AWAY_US and not again:
        return _away(call, plan, last, now)
    if again:
        wait_us = min(wait_us, again)  # another call has not its own back-off
    if late.pick is not None and keep:
        wait_us = late.pick.pool.promise(call.tenant, late.pick.charge, wait_us, call.body)
    kind = ProblemKind.QUEUE_FULL if late.queue else ProblemKind.OVER_QUOTA
    shut = late.pick is not None and all(lane.breaker.limited for lane in late.pick.pool.lanes)
    why = f"The provider of {plan.name} takes no calls just now" if shut else f"The quota of {plan.name} is in use"
    message = f"{why}. This request could be served in {wait_us / 1e6:.3f} s."
    return _refused(call, Problem(kind, message, retry_after_us=wait_us), last, now)


def expired(call: Call, plan: Plan, last: Failure | None, now: int) -> Refused:
    """The deadline has passed, in an attempt or while the call waited."""
    if last is not None:
        return failed(call, plan, last, now, late=True)
    picks = [target.pick(call, now) for target in plan.targets if not target.unfit(call)]
    soonest = min((pick for pick in picks if pick.wait_us != NEVER), key=_wait_us, default=None)
    wait_us = 1
    if soonest is not None and soonest.wait_us >= DRAINED_US:
        return _drained(call, plan, None, now)
    if soonest is not None and soonest.wait_us >= AWAY_US:
        return _away(call, plan, None, now)
    if soonest is not None and soonest.wait_us:
        wait_us = soonest.pool.promise(call.tenant, soonest.charge, soonest.wait_us, call.body)
    message = f"The deadline passed while the call waited for the quota of {plan.name}."
    return _refused(call, Problem(ProblemKind.OVER_QUOTA, message, retry_after_us=wait_us), None, now)


def failed(
    call: Call, plan: Plan, last: Failure | None, now: int, barred: Sequence[str] = (), *, late: bool = False
) -> Refused:
    """Every target was tried, none can serve such a call, or it is too late for another try."""
    if last is None:
        unfit = [f"{target.model} {why}" for target in plan.targets if (why := target.unfit(call))]
        why = "; ".join([*unfit, *barred])
        problem = Problem(ProblemKind.BAD_REQUEST, f"No target of {plan.name} can serve this request: {why}.")
        return _refused(call, problem, None, now)
    kind = ProblemKind.CREDENTIAL if last.reason is Reason.AUTH else ProblemKind.UPSTREAM
    if last.answer is None and (late or now >= call.deadline):
        kind = ProblemKind.DEADLINE
    again = _again_us(call, plan, now) if late or last.reason in CLOSES else 0
    problem = Problem(kind, f"No target of {plan.name} answered: {last.message}.", retry_after_us=again)
    return _refused(call, problem, last, now)


def _drained(call: Call, plan: Plan, last: Failure | None, now: int) -> Refused:
    message = (
        f"Every account that serves {plan.name} was taken out of service by an operator. Try again when one is "
        "back, or use another model; `tidegate accounts restore` brings it back."
    )
    return _refused(call, Problem(ProblemKind.DRAINED, message), last, now)


def _away(call: Call, plan: Plan, last: Failure | None, now: int) -> Refused:
    message = (
        f"The gate's shared state is away, so nobody knows what is left of the quota of {plan.name}, and by "
        "`on_state_loss`, or since it has been away for `share_seconds`, no call is served without. Try again later."
    )
    return _refused(call, Problem(ProblemKind.UNAVAILABLE, message, retry_after_us=SECOND_US), last, now)


def _refused(call: Call, problem: Problem, last: Failure | None, now: int) -> Refused:
    story.refused(call, problem, last, now)
    return Refused(problem, last)


def _again_us(call: Call, plan: Plan, now: int) -> int:
    """When the soonest of the plan's targets could serve such a call."""
    waits = [target.pick(call, now).wait_us for target in plan.targets if not target.unfit(call)]
    return min((wait for wait in waits if wait != NEVER and wait < AWAY_US), default=0)


def _wait_us(pick: Pick) -> int:
    return pick.wait_us
