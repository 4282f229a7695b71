"""How long calls had to wait in each queue, by tier, over the last minute: pure, whole seconds as arguments.

Workers tell counts ever. What they tell is held against what they told before; only what is new takes time and room.
"""

from collections import deque
from typing import Final

from tidegate.model.waits import quantile_ms
from tidegate.observe.meters import Report

QueueKey = tuple[str, str, str]  # pool, model, tier
_SECONDS: Final = 60
_MEDIAN, _LONG = 500, 990

Slots = dict[int, int]


class QueueWaits:
    """Of one node."""

    __slots__ = ("_before", "_new", "_recent", "_sums")

    def __init__(self) -> None:
        self._before: dict[tuple[int, QueueKey], tuple[int, Slots]] = {}  # by worker: its incarnation, and its counts
        self._new: dict[QueueKey, Slots] = {}
        self._recent: deque[tuple[int, dict[QueueKey, Slots]]] = deque()
        self._sums: dict[QueueKey, Slots] = {}

    def take(self, report: Report, *, known: bool) -> None:
        """One worker's round. `known`: it counts from nothing, or was heard before; else this is where it begins."""
        for pool in report.pools:
            for tier, slots in pool.waits.items():
                key = (pool.pool, pool.model, tier)
                incarnation, before = self._before.get((report.worker, key), (report.incarnation, {}))
                if incarnation == report.incarnation and before == slots:
                    continue
                first = not before and (report.worker, key) not in self._before
                self._before[report.worker, key] = report.incarnation, slots
                if known or not first:
                    self._add(key, slots, before if incarnation == report.incarnation else {})

    def _add(self, key: QueueKey, slots: Slots, before: Slots) -> None:
        new = self._new.setdefault(key, {})
        for slot, count in slots.items():
            more = count - before.get(slot, 0)
            if more:
                new[slot] = new.get(slot, 0) + (more if more > 0 else count)

    def tick(self, second: int) -> None:
        """It is that second now: forget what is older than a minute. O(what changed)."""
        if self._new:
            self._count(self._new, 1)
            self._recent.append((second, self._new))
            self._new = {}
        while self._recent and self._recent[0][0] <= second - _SECONDS:
            self._count(self._recent.popleft()[1], -1)

    def _count(self, some: dict[QueueKey, Slots], by: int) -> None:
        for key, slots in some.items():
            sums = self._sums.setdefault(key, {})
            for slot, count in slots.items():
                sums[slot] = sums.get(slot, 0) + by * count
                if not sums[slot]:
                    del sums[slot]
            if not sums:
                del self._sums[key]

    def quantiles(self) -> dict[QueueKey, tuple[int, int]]:
        """The median and the longest but one of a hundred, in milliseconds, of those that had to wait."""
        return {key: (quantile_ms(sums, _MEDIAN), quantile_ms(sums, _LONG)) for key, sums in self._sums.items()}
