"""A call's turn: at the strategy's own limits, and then at a lane of its target; what it waits for is in its story."""

from tidegate.line import story
from tidegate.line.pool import LaneT, Permit, Pool
from tidegate.line.slot import Slot
from tidegate.line.target import Pick, Target
from tidegate.model.call import Call
from tidegate.policy.queue.dispatcher import Waiting
from tidegate.ports import Clock


async def take(
    call: Call, target: Target, pick: Pick, began: int, give_up_at: int, clock: Clock, *, elsewhere: bool
) -> Slot | None:
    """A slot at the lane, or None when the turn did not come in time. `elsewhere`: it has other targets."""
    bound, own = target.bound, None
    if bound is not None:
        own = bound.take_nowait(call.tenant, pick.charge, 0, began)
        if own is None:
            ticket = Waiting(call.tenant, pick.charge, began, give_up_at, affinity=call.affinity)
            own = await _stand(call, bound, ticket, clock, story.BOUND)
        if own is None:
            return None
    permit = None
    try:
        ticket = Waiting(
            call.tenant,
            pick.charge,
            began,
            give_up_at,
            affinity=call.affinity,
            elsewhere=elsewhere,
            body=call.body,
        )
        permit = await _stand(call, pick.pool, ticket, clock, predicted=pick.wait_us)
        if permit is not None:
            return permit.lane.slot(permit, own, clock.now())
    except BaseException:  # the client left, or a defect of ours: nobody else may suffer from it
        if permit is not None:
            permit.give_back()
        if own is not None:
            own.give_back()
        raise
    if own is not None:
        own.give_back()
    return None


async def _stand(
    call: Call, pool: Pool[LaneT], ticket: Waiting, clock: Clock, why: str = "", predicted: int | None = None
) -> Permit[LaneT] | None:
    """Stand in a queue, for as long as it takes; who leaves it has waited, too."""
    began, front = clock.now(), bool(call.attempts) and not why
    at, permit = story.place(pool, ticket, began, front=front), None
    try:
        try:
            permit = await pool.take(ticket, first=front)
        finally:
            now, lane = clock.now(), "" if permit is None else permit.lane.name
            call.queued_us += now - began
            story.queued(call, pool.name, (why or at[0], at[1], at[2]), began, now, lane, predicted)
            seen = ticket.seen if lane else pool.seen(ticket.owner, ticket.charge, now)
            story.picked(call, pool, seen, now, lane)
    except BaseException:
        if permit is not None:
            permit.give_back()  # nobody will
        raise
    return permit
