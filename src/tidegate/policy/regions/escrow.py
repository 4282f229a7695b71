"""The record of parts: what may change in it, and the bounded counter for limits that do not refill. Pure.

A rate is divided by parts (`Parts`): region i holds a bucket, or a window, of `limit × part`. The invariant is that all
parts together are never more than the whole, and that no region spends by more than its part. So a part shrinks in two
steps (`shrunk`, and `settled` once all of the region's nodes keep to it or cannot go on with the old one any longer),
and grows in one, out of what is free. A bucket that grows gains no level, and one that shrinks loses what is above its
brim: the levels of all regions together stay below the provider's, through any number of transfers. A window counts
what was spent before it shrank until that has left it (`Parts.drain_us`).

A sum (a budget, a day's limit) has no refill, so its rights themselves move: `Rights` is the bounded counter of
Balegas et al., "Extending Eventually Consistent Cloud Databases for Enforcing Numeric Invariants" (arXiv:1503.09052).
"""

from collections.abc import Mapping, Sequence

import msgspec

from tidegate.model.regions import WHOLE, Entry, Parts


def begun(names: Sequence[str], floor_ppm: int, epoch: int, drain_us: int = 0) -> Parts:
    """A new record: everybody has its floor, the rest is free. Raises `ValueError` when the floors exceed the whole."""
    if floor_ppm < 0 or len(names) * floor_ppm > WHOLE:
        raise ValueError(f"{len(names)} regions cannot have {floor_ppm} millionths each")
    return Parts(epoch, drain_us, {name: Entry(floor_ppm, floor_ppm, 1) for name in names})


def free(parts: Parts) -> int:
    """What nobody has. O(regions)."""
    return WHOLE - sum(entry.part for entry in parts.entries.values())


def sound(parts: Parts) -> bool:
    """Whether the record keeps its invariant; one that does not was written by nobody of us."""
    entries = parts.entries.values()
    return free(parts) >= 0 and all(0 <= entry.use <= entry.part for entry in entries)


def shrunk(parts: Parts, region: str, to_ppm: int) -> Parts:
    """The region is to spend by less. Its part stays until `settled`, so nobody counts on the difference yet."""
    entry = parts.entries[region]
    if not 0 <= to_ppm < entry.use:
        raise ValueError(f"a part of {entry.use} does not shrink to {to_ppm}")
    return _with(parts, region, Entry(entry.part, to_ppm, entry.seq + 1))


def settled(parts: Parts, region: str) -> Parts:
    """Nobody of the region spends by more than `use` any more: the difference is free."""
    entry = parts.entries[region]
    return _with(parts, region, Entry(entry.use, entry.use, entry.seq))


def grown(parts: Parts, region: str, to_ppm: int) -> Parts:
    """The region takes of what is free, up to `to_ppm`; the same record when there is nothing, or while it shrinks."""
    entry = parts.entries[region]
    part = min(to_ppm, entry.part + free(parts))
    if part <= entry.part or entry.use < entry.part:
        return parts
    return _with(parts, region, Entry(part, part, entry.seq + 1))


def joined(parts: Parts, region: str) -> Parts:
    """A region that the record did not know, with nothing."""
    return parts if region in parts.entries else _with(parts, region, Entry(0, 0, 1))


def left(parts: Parts, region: str) -> Parts:
    """A region that is nobody's any more, and has nothing left."""
    entry = parts.entries.get(region)
    if entry is None or entry.part:
        return parts
    return msgspec.structs.replace(parts, entries={n: e for n, e in parts.entries.items() if n != region})


def draining(parts: Parts, drain_us: int) -> Parts:
    """What was spent may count for that long, as somebody's configuration has it: the longest holds."""
    return parts if drain_us <= parts.drain_us else msgspec.structs.replace(parts, drain_us=drain_us)


def _with(parts: Parts, region: str, entry: Entry) -> Parts:
    return msgspec.structs.replace(parts, entries={**parts.entries, region: entry})


class Rights:
    """A bounded counter of one region's replica: the rights to spend a sum, who moved them to whom, and what was used.

    `moved[i, j]` is what i gave to j so far, `moved[i, i]` what i was given at first, `used[i]` what i spent. Row i and
    `used[i]` are written by region i alone and only grow, so the merge is the larger of each: commutative, associative
    and idempotent. What i may spend is what it got less what it gave and used, all of which i itself knows best: no
    message that is late, lost or repeated lets it spend twice. O(regions²) memory.
    """

    __slots__ = ("me", "moved", "used")

    def __init__(self, me: str, first: Mapping[str, int]) -> None:
        """`first`: what each region begins with; everybody has to say the same."""
        self.me = me
        self.moved: dict[tuple[str, str], int] = {(name, name): units for name, units in first.items()}
        self.used: dict[str, int] = {}

    def rights(self, of: str) -> int:
        """What a region may still spend, as far as is known here; of this one exactly."""
        got = sum(units for (_, to), units in self.moved.items() if to == of)
        gave = sum(units for (giver, to), units in self.moved.items() if giver == of != to)
        return got - gave - self.used.get(of, 0)

    def spend(self, units: int) -> bool:
        """Spend of what this region has. False, and nothing is done, when that is less."""
        if units < 0 or units > self.rights(self.me):
            return False
        self.used[self.me] = self.used.get(self.me, 0) + units
        return True

    def give(self, to: str, units: int) -> bool:
        """Move rights to another region. False, and nothing is done, when there are not so many."""
        if units < 0 or to == self.me or units > self.rights(self.me):
            return False
        self.moved[self.me, to] = self.moved.get((self.me, to), 0) + units
        return True

    def merge(self, moved: Mapping[tuple[str, str], int], used: Mapping[str, int]) -> None:
        """What another replica knows."""
        for edge, units in moved.items():
            self.moved[edge] = max(units, self.moved.get(edge, 0))
        for name, units in used.items():
            self.used[name] = max(units, self.used.get(name, 0))
