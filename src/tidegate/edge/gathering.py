"""A call waits for what it lacks of limits that other workers spend too: one exchange for all its accounts together."""

import asyncio
from functools import partial
from typing import Final

from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.joint import Joint
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import Short
from tidegate.ports import Clock

PATIENCE_US: Final = 1_500_000  # by then a worker that hears nothing knows that it is on its own
_ANSWERS: Final = 2  # of each fund: the first may be to what was asked before


async def gather(
    limits: Limits,
    model: str,
    ask: Ask,
    clock: Clock,
    loop: asyncio.AbstractEventLoop,
    deadline: int,
    *,
    patient: bool = False,
) -> TenantReservation | Short | None:
    """As `Limits.grant`, or `grant_job` for who is `patient`. `deadline` 0 = none; never longer than `PATIENCE_US`."""
    asked: dict[Joint, tuple[int, int]] = {}
    until = clock.now() + PATIENCE_US
    if deadline and deadline < until:
        until = deadline
    while True:
        now, wall = clock.now(), clock.wall()
        held = limits.grant_job(model, ask, now, wall) if patient else limits.grant(model, ask, now, wall)
        if not isinstance(held, Short) or now >= until:
            return held
        lacking = limits.lacking(model, ask, now, wall)
        if not lacking:
            return held
        late = until
        for joint in lacking:
            if not joint.answered(asked.setdefault(joint, joint.answers), _ANSWERS, ask, now, wall):
                continue
            if not now < joint.again_at < until:
                return held
            late = min(late, joint.again_at)
            del asked[joint]
        heard: asyncio.Future[None] = loop.create_future()
        told = partial(_finish, heard)
        for joint in lacking:
            joint.heard(told)
            if joint not in asked:
                continue  # what it lacks comes back at `late`
            if joint.opens_at > now:
                late = min(late, joint.opens_at)
            else:
                joint.want(ask, now, wall)
        timer = clock.call_at(late, told)
        try:
            await heard
        finally:
            timer.cancel()


def _finish(heard: "asyncio.Future[None]") -> None:
    if not heard.done():
        heard.set_result(None)
