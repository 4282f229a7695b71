"""How many webhooks are on their way: in all, to one host, and of one tenant.

A host that never answers holds its own places and no others; after the first time it has a single one until it answers.
Who finds none is put off to a turn of its own, so that those behind it are found. O(1); memory is bounded.
"""

from collections import OrderedDict
from typing import Final

from tidegate.policy.jobs.webhooks import put_off

MOST: Final = 64
OF_TENANT: Final = 16
OF_HOST: Final = 8
_REMEMBERED: Final = 1_024  # hosts and tenants that nothing is on its way for
_WAIT_US: Final = 10_000_000
_SOON_US: Final = 200_000


class Lane:
    """What is on its way to a host, or for a tenant."""

    __slots__ = ("busy", "each_us", "most", "turn_us")

    def __init__(self, most: int) -> None:
        self.most = most
        self.busy = 0
        self.each_us = 0
        self.turn_us = 0  # of the last that was put off

    @property
    def full(self) -> bool:
        """Whether there is no place."""
        return self.busy >= self.most

    def later(self, wall: int) -> int:
        """When another one may come."""
        self.turn_us = put_off(self.turn_us, self.each_us, self.most, wall)
        return self.turn_us

    def seen(self, took_us: int) -> None:
        """An attempt has taken so long."""
        self.each_us += (took_us - self.each_us) // 4


class Lanes:
    """Those of one kind, by name. The idle ones that were used least lately are forgotten."""

    __slots__ = ("_lanes", "_most")

    def __init__(self, most: int) -> None:
        self._most = most
        self._lanes: OrderedDict[str, Lane] = OrderedDict()

    def of(self, name: str) -> Lane:
        """The lane of that name."""
        lane = self._lanes.get(name)
        if lane is None:
            lane = self._lanes[name] = Lane(self._most)
            self._forget()
        else:
            self._lanes.move_to_end(name)
        return lane

    def __len__(self) -> int:
        return len(self._lanes)

    def _forget(self) -> None:
        if len(self._lanes) <= _REMEMBERED:
            return
        for name, lane in self._lanes.items():  # few are busy: the first that is not stands near
            if not lane.busy:
                del self._lanes[name]
                return


class Places:
    """All of them."""

    __slots__ = ("_busy", "_hosts", "_most", "_of_host", "_tenants")

    def __init__(self, most: int = MOST, of_tenant: int = OF_TENANT, of_host: int = OF_HOST) -> None:
        self._most = most
        self._busy = 0
        self._of_host = of_host
        self._hosts = Lanes(of_host)
        self._tenants = Lanes(of_tenant)

    @property
    def free(self) -> int:
        """Places that nobody has."""
        return self._most - self._busy

    def worth_waiting(self, host: str, ahead: int) -> bool:
        """Whether its places are taken, and one will soon be free for who has so many before it."""
        lane = self._hosts.of(host)
        return lane.full and lane.most == self._of_host and ahead * lane.each_us // lane.most < _WAIT_US

    def take(self, host: str, tenant: str, wall: int) -> int:
        """0: it has one. Else the moment at which to try again."""
        lanes = (self._hosts.of(host), self._tenants.of(tenant))
        if self.free <= 0 or any(lane.full for lane in lanes):
            return max((lane.later(wall) for lane in lanes if lane.full), default=wall + _SOON_US)
        self._busy += 1
        for lane in lanes:
            lane.busy += 1
        return 0

    def give(self, host: str, tenant: str, took_us: int, *, answered: bool) -> None:
        """It is over."""
        self._busy -= 1
        lanes = (self._hosts.of(host), self._tenants.of(tenant))
        for lane in lanes:
            lane.busy -= 1
            lane.seen(took_us)
        lanes[0].most = self._of_host if answered else 1
