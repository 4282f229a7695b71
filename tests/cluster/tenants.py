"""Tenants' limits at several workers of one process, over a real Valkey."""

import asyncio
from typing import Any

from harness.servers.redis import Server
from tidegate.clock import SystemClock
from tidegate.cluster.client import StoreClient
from tidegate.cluster.figures import Figures
from tidegate.cluster.lease_exchanger import LeaseExchanger
from tidegate.cluster.membership import Membership
from tidegate.cluster.scripts import exchange, members
from tidegate.cluster.url import parse
from tidegate.edge.gathering import gather
from tidegate.model.cluster import ClusterSettings
from tidegate.model.entitlements import Allowance, ClientKey, Namespace
from tidegate.policy.lease.faces import SHARED, Footing
from tidegate.policy.lease.times import LEASE_US
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.joint import Together
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import Short
from tidegate.testing.kept import Told
from tidegate.zones import zone_of

SECOND = 1_000_000
TIMEOUT_US = 500_000


class Shifted(SystemClock):
    """The system's clock, with a wall that can be moved."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead = 0

    def wall(self) -> int:
        return super().wall() + self.ahead


class Member:
    """One worker: its connection, its exchanges, its accounts."""

    def __init__(self, url: str, number: int, incarnation: int, clock: SystemClock, policy: str = "local") -> None:
        self.clock = clock
        self.client = StoreClient(parse(url), clock, TIMEOUT_US)
        self.footing = Footing(f"n/{number}", incarnation)
        figures = Figures()
        self.keeper = LeaseExchanger(self.client, exchange(), self.footing, clock, "test", figures)
        settings = ClusterSettings(url, "test", "n", TIMEOUT_US, policy)
        log: Any = Told()
        self.membership = Membership(self.client, members(), self.footing, self.keeper, settings, clock, log, figures)
        self.accounts = Accounts(zone_of)
        self.accounts.common.together = Together(self.keeper, self.footing)

    async def join(self) -> None:
        assert await self.membership.join(10 * SECOND)
        while self.footing.mode != SHARED:
            await asyncio.sleep(0.01)

    def limits(self, of_key: Allowance | None = None, of_all: Allowance | None = None) -> Limits:
        namespace = Namespace("acme", allowance=of_all) if of_all is not None else None
        found = self.accounts.limits_of(
            namespace, None, ClientKey("k", b"", allowance=of_key or Allowance()), self.clock.wall()
        )
        assert found is not None
        return found

    async def grant(self, limits: Limits, ask: Ask) -> TenantReservation | Short:
        """As the edge does, without a call."""
        held = await gather(limits, "m", ask, self.clock, asyncio.get_running_loop(), 0)
        assert held is not None
        return held

    async def leave(self) -> None:
        await self.keeper.leave()
        await self.membership.leave()
        self.client.close()

    def die(self) -> None:
        self.membership.stop()
        self.client.close()


class Team:
    """Several."""

    def __init__(self, valkey: Server, count: int = 3, policy: str = "local") -> None:
        self.valkey = valkey
        self.clock = Shifted()
        self.members = [Member(valkey.url, number, 1, self.clock, policy) for number in range(count)]

    async def join(self) -> "Team":
        await asyncio.gather(*(member.join() for member in self.members))
        await asyncio.sleep(LEASE_US / SECOND)  # nothing is granted before
        return self

    async def leave(self) -> None:
        for member in self.members:
            await member.leave()
