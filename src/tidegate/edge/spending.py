"""Where a call meets its tenant's own limits: what it will probably cost, and how it is told that it may not."""

import asyncio
from typing import Final, Protocol

from tidegate.edge.gathering import gather
from tidegate.line.lane import WEIGHT_PER_TOKEN
from tidegate.line.plan import Plan
from tidegate.model.call import Call, Kind
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.reply import Downstream
from tidegate.policy.money import Rate
from tidegate.policy.tenant_limits.ask import REQUEST, Ask
from tidegate.policy.tenant_limits.calendar import moment
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.reservation import BOUNDLESS, TenantReservation
from tidegate.policy.tenant_limits.short import AWAY, BUSY, EXHAUSTED, TOO_LARGE, Short
from tidegate.ports import Clock

PASS: Final = Kind.PASS
COUNT: Final = Kind.COUNT
EMBEDDING: Final = Kind.EMBEDDING
_NO_PRICES: Final[tuple[Rate, ...]] = ()
AWAY_US: Final = 1_000_000  # a guess: nobody knows when the shared state is back


def grant(call: Call, plan: Plan, limits: Limits, now: int, wall: int, job: str = "") -> Problem | None:
    """Charge the call to everybody whose limits apply to it, as `call.grant`; or why not, and nothing is charged.

    A call of a job, or made for one (`job`), leaves room for its tenant's conversations. O(limits that apply).
    """
    model = call.shape.model
    if not limits.accounts(model):
        return None
    ask = asked(call, plan, limits)
    held = limits.grant_job(model, ask, now, wall) if call.job or job else limits.grant(model, ask, now, wall)
    if isinstance(held, Short):
        return told(held)
    call.grant = held
    return None


async def gathered(
    call: Call, plan: Plan, limits: Limits, clock: Clock, loop: asyncio.AbstractEventLoop, job: str = ""
) -> Problem | None:
    """As `grant`, of limits that other workers spend too: what is lacking here is asked for."""
    ask, patient = asked(call, plan, limits), bool(call.job or job)
    held = await gather(limits, call.shape.model, ask, clock, loop, call.deadline, patient=patient)
    if isinstance(held, Short):
        return told(held)
    call.grant = held
    return None


def asked(call: Call, plan: Plan, limits: Limits) -> Ask:
    """What such a call will cost where the plan sends it first."""
    kind = call.kind
    if kind is PASS or kind is COUNT or not limits.tokens:
        return REQUEST
    lane, shape, size = plan.targets[0].pools[0].lanes[0], call.shape, call.size
    return Ask(
        lane.estimator.expected(size),
        size.weight // WEIGHT_PER_TOKEN,
        shape.output,
        limits.outlook(shape.model),
        lane.prices if limits.money else _NO_PRICES,
        makes=kind is not EMBEDDING,
    )


class Making(Protocol):
    """As much of a relay as is looked at."""

    @property
    def events(self) -> int: ...


class Metered:
    """A client's side of a stream whose answer takes more of its tenant's budgets when it turns out to be longer.

    Fulfils `model.reply.Downstream`. A running stream is finished, whatever is left: its budgets admit nobody else.
    """

    __slots__ = ("_held", "_out", "_relay")

    def __init__(self, out: Downstream, relay: Making, held: TenantReservation) -> None:
        self._out = out
        self._relay = relay
        self._held = held

    def write(self, data: bytes) -> None:
        """A piece of the answer."""
        self._out.write(data)
        made = self._relay.events
        if made > self._held.covers:
            self._held.grow(made)

    def end(self) -> None:
        """It is complete."""
        self._out.end()

    def abort(self) -> None:
        """It will not be."""
        self._out.abort()


def metered(out: Downstream, relay: Making, call: Call) -> Downstream:
    """The client's side itself, where no budget is held for the call."""
    held = call.grant
    return Metered(out, relay, held) if isinstance(held, TenantReservation) and held.covers < BOUNDLESS else out


def told(short: Short) -> Problem:
    """How it is told: whose limit, which, and when the call can be served. No figures: they may be another's."""
    limit = f"the {short.what} of {short.whose}"
    if short.kind == TOO_LARGE:
        message = f"This request alone is larger than {limit}. Shorten it."
        return Problem(ProblemKind.TOO_LARGE, message)
    if short.kind == EXHAUSTED:
        back = moment(short.until, short.zone)
        message = f"What is left of {limit} does not pay for this request. It comes back at {back}."
        return Problem(ProblemKind.INSUFFICIENT_QUOTA, message)
    if short.kind == AWAY:
        message = (
            f"The gate's shared state is away, so nobody knows what is left of {limit}, and by `on_state_loss` this "
            "request may not be served without. Try again later."
        )
        return Problem(ProblemKind.UNAVAILABLE, message, retry_after_us=AWAY_US)
    wait = short.wait_us / 1e6
    if short.kind == BUSY:
        message = f"Calls in flight hold {limit}. Some of them will have ended in about {wait:.3f} s."
    else:
        message = f"You are at {limit}. This request can be served in {wait:.3f} s."
    return Problem(ProblemKind.OVER_QUOTA, message, retry_after_us=short.wait_us)


WORDS: Final = {
    ProblemKind.TOO_LARGE: "tenant_too_large",
    ProblemKind.INSUFFICIENT_QUOTA: "tenant_exhausted",
    ProblemKind.OVER_QUOTA: "tenant_limit",
    ProblemKind.UNAVAILABLE: "tenant_unknown",
}
