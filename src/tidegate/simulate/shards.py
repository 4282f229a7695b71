"""Shards of a pool and who owns them.

Scheduling state has one owner: a shard's queue, mirrors and counters live with the owner that the ring names. A call
waits at its ingress; only its ticket is the owner's, so the death of an owner loses no call: after `notice_ms` its
shards are others', whose desks begin with empty queues and with mirrors in which nothing is left (whatever the dead
owner let go has reached the provider by then), and the ingresses hand in their tickets again, in order of arrival. A
shard that moves while both owners live takes everything with it.

A tenant's calls go round the shards, each to the shorter of two neighbours, so that a tenant gets its part of every
shard and the fairness within each adds up.
"""

from collections.abc import Sequence
from typing import Protocol

import msgspec

from tidegate.policy.queue.dispatcher import Dispatcher
from tidegate.policy.ring import Ring
from tidegate.simulate.agenda import Agenda
from tidegate.simulate.call import Call
from tidegate.simulate.pool import Pool
from tidegate.simulate.provider import Account
from tidegate.simulate.rules import owners
from tidegate.simulate.scenario import Scenario


class OwnerLoad(msgspec.Struct, frozen=True):
    """What one owner did: shards at the beginning and at the end, decisions (arrivals and looks at a queue)."""

    name: str
    shards: int
    shards_after: int
    decisions: int


class Handover(msgspec.Struct, frozen=True):
    """One change of owners: of `shards`, so many `lost` with their owner and `moved` between living ones."""

    at_s: float
    owner: str
    shards: int
    lost: int
    moved: int
    calls: int  # that waited with the dead owner, and were handed in again


class MakeDesk(Protocol):
    """A dispatcher over some accounts, as nobody has used it."""

    def __call__(self, part: Sequence[Account], now: int, *, drained: bool = False) -> Dispatcher: ...


def cut(accounts: Sequence[Account], count: int) -> list[list[Account]]:
    """So many parts of about the same number of accounts."""
    return [list(accounts[number::count]) for number in range(count)]


class Shards:
    """All pools of a run: one, or one for each shard."""

    __slots__ = (
        "_agenda",
        "_first",
        "_loads",
        "_make",
        "_notice_us",
        "_owner",
        "_pools",
        "_ring",
        "_turns",
        "handovers",
    )

    def __init__(self, pools: Sequence[Pool], scenario: Scenario, agenda: Agenda, make: MakeDesk) -> None:
        self._pools = list(pools)
        self._agenda = agenda
        self._make = make
        self._notice_us = int(scenario.shards.notice_ms * 1_000) if scenario.shards else 0
        self._ring = Ring(owners(scenario) or ["gate"])
        self._loads = dict.fromkeys(owners(scenario) or ["gate"], 0)
        self._owner = self._ring.spread([pool.name for pool in self._pools])
        self._first = dict(self._owner)
        self._turns: dict[int, int] = {}
        self.handovers: list[Handover] = []

    @property
    def waiting(self) -> int:
        """How many calls wait in all shards."""
        return sum(pool.waiting for pool in self._pools)

    def arrive(self, call: Call) -> None:
        """Hand a call to the shard whose turn it is for its tenant."""
        pools = self._pools
        if len(pools) == 1:
            pools[0].arrive(call)
            return
        turn = self._turns.get(call.number, call.number)
        self._turns[call.number] = turn + 1
        one, other = pools[turn % len(pools)], pools[(turn + 1) % len(pools)]
        (one if one.waiting <= other.waiting else other).arrive(call)

    def lose(self, owner: str) -> None:
        """It dies now; the others learn of it after the notice."""
        orphans = [pool for pool in self._pools if self._owner[pool.name] == owner]
        calls = 0
        for pool in orphans:
            calls += pool.dispatcher.waiting
            pool.fail()
        self._agenda.put(self._agenda.now + self._notice_us, self._rehome, (owner, orphans, calls))

    def come_back(self, owner: str) -> None:
        """It is there again, and takes its shards over from their living owners."""
        self._ring.add(owner)
        self._reassign(owner, 0, 0)

    def loads(self) -> list[OwnerLoad]:
        """What each owner did; none when the pool is not cut."""
        self._credit()
        before, after = list(self._first.values()), list(self._owner.values())
        return [
            OwnerLoad(name, before.count(name), after.count(name), decisions) for name, decisions in self._loads.items()
        ]

    def _rehome(self, what: tuple[str, list[Pool], int]) -> None:
        owner, orphans, calls = what
        self._ring.remove(owner)
        self._reassign(owner, len(orphans), calls)
        now = self._agenda.now
        for pool in orphans:
            pool.revive(self._make(list(pool.accounts.values()), now, drained=True))

    def _reassign(self, owner: str, lost: int, calls: int) -> None:
        self._credit()
        after = self._ring.spread([pool.name for pool in self._pools])
        moved = sum(after[name] != before for name, before in self._owner.items()) - lost
        self._owner = after
        self.handovers.append(Handover(self._agenda.now / 1e6, owner, len(after), lost, moved, calls))

    def _credit(self) -> None:
        for pool in self._pools:
            self._loads[self._owner[pool.name]] += pool.decisions
            pool.decisions = 0
