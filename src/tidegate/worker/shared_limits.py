"""What else a worker has in common with the others: tenants' limits, nonces, and what is to be executed once.

Imported when a cluster is configured.
"""

import asyncio
import os
from contextlib import suppress
from typing import Final

from tidegate.cluster.values import TEND_US, Values
from tidegate.edge.access.proofs import Proofs
from tidegate.edge.gateway import Gateway
from tidegate.edge.idempotency.elsewhere import RENEW_US, Elsewhere
from tidegate.model.cluster import ClusterSettings
from tidegate.observe.log import Log
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.joint import Together
from tidegate.ports import Clock, StoreError
from tidegate.worker.shared import ClusterMember

_IDENTITY: Final = 8


class SharedLimits:
    """One of a worker. From when it is made accounts and gateway are one with those of the other workers."""

    __slots__ = ("_clock", "_elsewhere", "_log", "_values")

    def __init__(
        self,
        shared: ClusterMember,
        settings: ClusterSettings,
        accounts: Accounts,
        gateway: Gateway,
        clock: Clock,
        log: Log,
    ) -> None:
        loop = asyncio.get_running_loop()
        self._clock = clock
        self._log = log
        self._values = Values(shared.client, settings.prefix, closed=settings.on_state_loss == "closed")
        self._elsewhere = Elsewhere(self._values, clock, loop, gateway.pipeline, os.urandom(_IDENTITY))
        gateway.share(self._elsewhere, Proofs(self._values, clock, loop))
        accounts.common.together = Together(shared.funds, shared.footing)

    async def tend(self) -> None:
        """Keep the claims of what runs, and know since when nonces are remembered. Never ends."""
        turn = 0
        while True:
            with suppress(StoreError):  # who needs it hears so, and the membership's log says it
                await self._values.tend()
            turn += TEND_US
            if turn >= RENEW_US:
                turn = 0
                await self._elsewhere.renew()
            await self._clock.sleep(TEND_US)
