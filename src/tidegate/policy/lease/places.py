"""How many calls a scope may have in flight at once, over all workers: each worker has as many places as it was leased.

Places are asked for when somebody waits for one, so many at a time as pools wait, and go back with the next exchange
when nobody took them. Without the shared state a worker has its part of them. All O(1).
"""

from collections.abc import Callable
from typing import Final

from tidegate.model.cluster import SLOTS, Demand, ExchangeReply
from tidegate.policy.lease.faces import Funds
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.queue.outlet import Cap

_FLOW: Final = 0
_RANK: Final = 0


class Places(Cap):
    """A `Cap` whose `limit` is what is in use here and what is leased beside. Fulfils `wallet.Source`."""

    __slots__ = ("_funds", "_open", "_purse", "_wallet")

    def __init__(self, key: str, funds: Funds, limit: int, now: int) -> None:
        """`limit` 0 = as many as come."""
        super().__init__()
        self._funds = funds
        self._open = False
        self._purse = QuotaLease(SLOTS)
        self._wallet = LeaseClient(key, (self._purse,), now // 1_000)
        self._wallet.sources.append(self)
        self.allow(limit)

    def without(self, on_loss: str) -> None:
        """What is done while the shared state is away; "" = as the cluster says."""
        self._wallet.on_loss = on_loss

    def allow(self, limit: int) -> None:
        """The configuration says so many now, for all workers."""
        self._purse.resize(limit, 0)
        if limit and not self._open:
            self._open = True
            self.limit = self.busy
            self._funds.open(self._wallet)
            self.shut = self._purse.shut
        elif not limit:
            self.close()
            super().allow(0)

    def close(self) -> None:
        """It is used no more."""
        if self._open:
            self._open = self.shut = False
            self._funds.close(self._wallet)

    def leave(self) -> None:
        """A call ended: its place is somebody's, here or elsewhere."""
        if self.shut:
            self.limit -= 1
        super().leave()
        if self._open and self.busy < self.limit:
            self._purse.spent, self._purse.held = self.busy, self.limit - self.busy
            self._wallet.stirred()

    def listen(self, listener: Callable[[], None]) -> None:
        """Call it once, when there is room; and ask the others for some."""
        super().listen(listener)
        if self._open and self.busy >= self.limit:
            self._wallet.want(_RANK, _FLOW)

    def demands(self, wallet: LeaseClient, now: int) -> list[Demand]:
        """What waits here. What is leased and not in use is on its way back from now on."""
        self._purse.spent = self.busy
        self._purse.held = max(0, self.limit - self.busy)
        self.limit = self.busy
        waiting = len(self._listeners)
        return [Demand(_RANK, _FLOW, 1_000, [1], waiting)] if waiting else []

    def told(self, wallet: LeaseClient, told: ExchangeReply | None, now: int) -> None:
        """So many more; or (None) the worker stands otherwise."""
        if not self._open:
            return
        purse = self._purse
        if told is None:
            purse.spent = self.busy
            self.shut = purse.shut
        alone = purse.alone
        room = purse.left(now) if alone is None else purse.own_limit if alone.open else alone.left(now)
        self.limit = self.busy + max(0, room)
        if self.busy < self.limit:
            self._tell()
