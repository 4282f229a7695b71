"""What a worker could put a fund back from: what it was told last, what came of it since, and what it spent alone."""

from collections.abc import Sequence

import msgspec

from tidegate.model.cluster import BUCKET, SLOTS, SLOTS_OF_LOG, SUM, Dim, ExchangeReply, RecoveryState
from tidegate.policy.lease.ages import Ages
from tidegate.policy.lease.flight import aged
from tidegate.policy.lease.purse import QuotaLease


class Recollection:
    """By dimension. `at`: when the logs were told."""

    __slots__ = ("_epoch", "_given", "_left", "_memory", "_own", "_recalled", "_told", "at")

    def __init__(self, dimensions: int) -> None:
        self.at = -(1 << 62)
        self._memory: list[RecoveryState] = []
        self._left = [0] * dimensions
        self._own = [Ages(SLOTS_OF_LOG, early=False) for _ in range(dimensions)]
        self._given = [Ages(SLOTS_OF_LOG, early=False) for _ in range(dimensions)]
        self._told: list[list[tuple[int, int]]] = [[] for _ in range(dimensions)]
        self._recalled = False
        self._epoch = 0

    @property
    def owed(self) -> bool:
        """Whether something was spent that nobody knows, or is known that the fund may not know."""
        return self._recalled or any(bool(own) for own in self._own)

    def told(self, told: ExchangeReply, said: Sequence[Dim], now: int) -> None:
        """The fund answered to what was said."""
        self._left = list(told.left)
        another, self._epoch = told.epoch != self._epoch, told.epoch
        if told.memory is not None:
            self._memory = told.memory
            self.at = now
            for given in self._given:
                given.clear()
            for row in self._told:
                row.clear()
            return
        if another:  # its `used` begins anew: nothing that was told before can be compared
            self._memory = [msgspec.structs.replace(known, spent=-1, used=-1) for known in self._memory]
        for row, dim, used in zip(self._told, said, told.used, strict=False):
            if dim.kind == SUM:
                _note(row, dim, used)
        for given, units in zip(self._given, told.granted, strict=True):
            if units:
                given.add(units, now)

    def recall(self, memory: Sequence[RecoveryState], now: int) -> None:
        """What was known before."""
        self._memory = list(memory)
        self._recalled = True
        self.at = now

    def level(self, index: int, period: int) -> int:
        """What was spent of a sum in this period, by anybody, as it was told."""
        known = self._memory[index] if index < len(self._memory) else RecoveryState()
        return known.level if known.period == period else 0

    def slots(self, index: int, since: int) -> list[tuple[int, int]]:
        """What was in the log, as it was told then or later: (when it was taken, units)."""
        if index >= len(self._memory) or self.at < since:
            return []
        known = self._memory[index]
        slots = [(self.at - age, units) for age, units in known.slots]
        return slots[:-1] if known.level > 0 else slots  # the last are leases: nobody knows when they will leave

    def spent(self, index: int, own: Sequence[tuple[int, int]], now: int) -> None:
        """So much was spent on this worker's share: (age, units)."""
        for age, units in own:
            self._own[index].add(units, now - age)

    def restore(self, purses: Sequence[QuotaLease], now: int) -> list[RecoveryState]:
        """What the fund is told when it has lost what it knew, or this worker was on its own."""
        return [self._of(index, purse, now) for index, purse in enumerate(purses)]

    def _of(self, index: int, purse: QuotaLease, now: int) -> RecoveryState:
        known = self._memory[index] if index < len(self._memory) else RecoveryState()
        if purse.kind == SUM:
            told = known if known.period == purse.period else RecoveryState()
            since, own = list(self._told[index]), self._own[index].pairs(now)
            return RecoveryState(told.level, [], own, purse.period, since, told.spent, told.used)
        level = self._left[index] if purse.kind == BUCKET else purse.spent if purse.kind == SLOTS else known.level
        slots = aged(known.slots, now - self.at) if known.slots else []
        return RecoveryState(level, slots, self._own[index].pairs(now), purse.period, self._given[index].pairs(now))

    def clear(self) -> None:
        """It is told."""
        self._recalled = False
        for own in self._own:
            own.clear()


def _note(row: list[tuple[int, int]], said: Dim, used: int) -> None:
    """What was told as spent, by `used` when it was. What is only corrected moves no `used`: more counts as later."""
    units = said.spent + sum(delta for _, delta in said.corrections)
    if not units:
        return
    row.append((used if said.spent or units < 0 else used + 1, units))
    if len(row) > SLOTS_OF_LOG:
        (_, first), (at, second) = row[:2]
        row[:2] = [(at, first + second)]
