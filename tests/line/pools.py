"""Pools of plain outlets, and calls that wait at them."""

import asyncio

from tidegate.line.pool import Permit, Pool
from tidegate.model.outcome import Reason
from tidegate.model.tenant import FREE, NOBODY, VIP, Tenant
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.pick import make as make_strategy
from tidegate.policy.queue.dispatcher import Rules, Waiting
from tidegate.policy.queue.outlet import Cap, Outlet
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge, Quota
from tidegate.policy.schedule.make import make as make_scheduler
from tidegate.testing import ManualClock
from tidegate.testing.clock import SECOND, settle

LATE = 10**12
ONE_VIP, ONE_FREE, ACME = Tenant("v", VIP), Tenant("f", FREE), Tenant("acme", VIP)


def lane_of(
    clock: ManualClock, name: str, tpm: int = 0, rpm: int = 0, *, breaker: Breaker | None = None, cap: Cap | None = None
) -> Outlet:
    now = clock.now()
    quota = Quota((Bucket(rpm, now),) if rpm else (), (Bucket(tpm, now),) if tpm else ())
    return Outlet(name, quota, breaker, cap)


def pool_by(clock: ManualClock, rules: Rules, how: str, *lanes: Outlet) -> Pool[Outlet]:
    return Pool("p", clock, lanes, rules, make_scheduler(how), make_strategy("headroom"), lambda: 0.0)


def drain(pool: Pool[Outlet], clock: ManualClock) -> None:
    """The tokens and requests of all lanes are spent."""
    now = clock.now()
    for lane in pool.lanes:
        for allowed in (*lane.quota.requests, *lane.quota.tokens):
            allowed.take(allowed.left(now), now)


def at_once(pool: Pool[Outlet], clock: ManualClock, tokens: int = 0, tenant: Tenant = NOBODY) -> Permit[Outlet] | None:
    return pool.take_nowait(tenant, Charge(tokens), 0, clock.now())


def held(permit: Permit[Outlet] | None) -> Permit[Outlet]:
    assert permit is not None
    return permit


def refuse(lane: Outlet, clock: ManualClock, seconds: int, times: int = 1) -> None:
    """The provider refuses the lane, for so long."""
    for _ in range(times):
        lane.breaker.fail(Reason.RATE, lane.breaker.epochs, 0, clock.now(), seconds * SECOND)


class Queue:
    """Calls that wait at a pool, and the order and time in which their turns come."""

    def __init__(self, clock: ManualClock, pool: Pool[Outlet]) -> None:
        self.clock = clock
        self.pool = pool
        self.began = clock.now()
        self.turns: list[tuple[str, int]] = []
        self.tasks: dict[str, asyncio.Task[Permit[Outlet] | None]] = {}

    def join(
        self, name: str, tokens: int = 0, patience: int = LATE, tenant: Tenant = NOBODY, *, least: int = 0,
        elsewhere: bool = False, first: bool = False,
    ) -> "asyncio.Task[Permit[Outlet] | None]":  # fmt: skip
        now = self.clock.now()
        ticket = Waiting(tenant, Charge(tokens, least), now, now + patience, elsewhere=elsewhere)
        task = asyncio.get_running_loop().create_task(self._wait(name, ticket, first=first))
        self.tasks[name] = task
        return task

    async def _wait(self, name: str, ticket: Waiting, *, first: bool) -> Permit[Outlet] | None:
        permit = await self.pool.take(ticket, first=first)
        self.turns.append((name if permit else f"{name} gave up", self.clock.now() - self.began))
        return permit

    @property
    def order(self) -> list[str]:
        return [name for name, _ in self.turns]

    def permit(self, name: str) -> Permit[Outlet]:
        return held(self.tasks[name].result())

    def lane(self, name: str) -> str:
        return self.permit(name).lane.name

    async def leave(self) -> None:
        for task in self.tasks.values():
            task.cancel()
        await settle()
