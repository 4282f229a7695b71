"""Totals of reports over regions: state-based counters that only grow, and their merge. Pure.

A replica (`REGION/NODE`) counts for itself alone; a PN-counter is two of them: what was counted, and what was taken
back. Merging takes the larger of each, so it may happen twice, late, or in any order (Shapiro et al., INRIA RR-7506).
What is sent is a delta, the counters that changed; it merges as the whole does (Almeida et al., arXiv:1603.01529).
Totals are for people to look at: no decision rests on them, since a region that is cut off counts on by itself.
"""

from collections.abc import Mapping
from typing import Final

from tidegate.model.regions import Counted

MOST: Final = 1_000  # names of each replica; what comes after them is counted as `OTHER`
OTHER: Final = "other"
_NONE: Final = Counted()


class Counters:
    """All replicas' counters as this one knows them: `state[replica][name]`."""

    __slots__ = ("_changed", "me", "state")

    def __init__(self, me: str) -> None:
        self.me = me
        self.state: dict[str, dict[str, Counted]] = {me: {}}
        self._changed: set[str] = set()

    def add(self, name: str, units: int) -> None:
        """Count; a negative number takes back. O(1)."""
        mine = self.state[self.me]
        if name not in mine and len(mine) >= MOST:
            name = OTHER
        known = mine.get(name, _NONE)
        mine[name] = Counted(known.up + max(0, units), known.down + max(0, -units))
        self._changed.add(name)

    def delta(self) -> dict[str, Counted]:
        """What this replica counted since the last delta, as whole counters. To be sent again when it was lost."""
        mine, names = self.state[self.me], sorted(self._changed)
        self._changed.clear()
        return {name: mine[name] for name in names}

    def merge(self, replica: str, counters: Mapping[str, Counted]) -> None:
        """What is known of another replica."""
        known = self.state.setdefault(replica, {})
        for name, theirs in counters.items():
            ours = known.get(name, _NONE)
            known[name] = Counted(max(ours.up, theirs.up), max(ours.down, theirs.down))

    def recall(self, counters: Mapping[str, Counted]) -> None:
        """What this replica counted before it forgot: once, before its first delta is sent."""
        mine = self.state[self.me]
        for name, before in counters.items():
            since = mine.get(name, _NONE)
            mine[name] = Counted(before.up + since.up, before.down + since.down)

    def total(self, name: str) -> int:
        """Over all replicas. O(replicas)."""
        every = (counters.get(name, _NONE) for counters in self.state.values())
        return sum(one.up - one.down for one in every)

    def names(self) -> list[str]:
        """Everything that is counted anywhere, in order."""
        return sorted({name for counters in self.state.values() for name in counters})
