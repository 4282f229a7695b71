"""Whose turn it is: all calls that wait, at all members, in one order (`cluster/lua/turns.lua`).

Rank by rank, the lowest first. Within a rank by normalised service v of the flow, the least first: start-time fair
queuing (Goyal, Vin and Cheng, SIGCOMM 1996) by what was granted; ties by flow. Of one flow that waits at several
members the one that was given nothing for longest goes first. Nobody overtakes: the first call that does not fit ends
it.

v is kept as a *lead*: how far it is above the least v of those that wait in the rank. Who has nothing waiting keeps its
lead, less what the others catch up; so it comes back with max(its own, the least of those that wait), and saves up
nothing.

Bound: two flows that both wait throughout are granted, over any interval, amounts whose difference, divided by weight,
is at most two largest calls, one of each; besides what is granted to others while their members have not asked.

Complexity: O(demands) to begin with, O(log flows) for each step; at most `STEPS` of them, where one step takes several
calls of a flow while no other flow is between them, or so much is left that a part of it may be taken ahead of turn:
the others' turn comes before the rest is divided.
"""

from heapq import heappop, heappush
from typing import Final

from tests.cluster.oracle.dimension import LOTS
from tests.cluster.oracle.fund import Flow, Fund, Waiting

STEPS: Final = 256
LOOK: Final = 64  # calls before its own that a member's waiting time looks at
UNIT: Final = 64
LARGEST: Final = 1 << 36  # a larger call counts as this large


class Depth:
    """What there can be of a dimension: `most`, while so much is withheld for lost members, and `whole`."""

    __slots__ = ("most", "whole")

    def __init__(self, most: int, whole: int) -> None:
        self.most = most
        self.whole = whole


class Entry:
    """A demand in its order."""

    __slots__ = ("calls", "demand", "owner", "place", "taken")

    def __init__(self, demand: Waiting, owner: int, place: int) -> None:
        self.demand = demand
        self.owner = owner
        self.place = place
        self.calls = demand.calls
        self.taken = False

    def age(self) -> tuple[int, int, int]:
        return self.demand.since, self.owner, self.place

    def units(self, d: int) -> int:
        return self.demand.units[d] if d < len(self.demand.units) else 0

    def service(self, main: int) -> int:
        """Normalised, of one call."""
        return max(1, min(self.units(main), LARGEST) * 1000 * UNIT // max(1, self.demand.weight))

    def needed(self, d: int, main: int, depth: int) -> int:
        """Units that must be there for one: what it costs and leaves to higher ranks, as far as that can be."""
        units, kept = self.units(d), self.demand.floor
        if d != main:
            kept = 2 if d == 0 and kept > 0 else 0
        return min(units + kept, depth)


class Group:
    """The demands of one flow in one rank."""

    __slots__ = ("entries", "flow", "key", "rank")

    def __init__(self, rank: int, flow: int) -> None:
        self.rank = rank
        self.flow = flow
        self.key = 0
        self.entries: list[Entry] = []

    def __lt__(self, other: "Group") -> bool:
        return (self.rank, self.key, self.flow) < (other.rank, other.key, other.flow)

    def rotate(self) -> None:
        entry = self.entries.pop(0)
        if entry.calls > 0:
            self.entries.append(entry)


class Crowd:
    """All that waits: by rank and flow; the asking member's own; by rank what waits at others, and whose flows."""

    __slots__ = ("ahead", "alive", "groups", "own")

    def __init__(self, fund: Fund, mine: int, now: int) -> None:
        self.groups: list[Group] = []
        self.own: list[Entry] = []
        self.alive: set[int] = set()
        by_rank: dict[int, tuple[int, int]] = {}
        known: dict[tuple[int, int], Group] = {}
        for owner, member in enumerate(fund.members):
            for place, demand in enumerate(member.waiting if member.alive(now) else ()):
                name = demand.rank, demand.flow
                if name not in known:
                    known[name] = Group(*name)
                    self.groups.append(known[name])
                entry = Entry(demand, owner, place)
                known[name].entries.append(entry)
                if owner == mine:
                    self.own.append(entry)
                    continue
                calls, units = by_rank.get(demand.rank, (0, 0))
                by_rank[demand.rank] = calls + demand.calls, units + demand.calls * entry.units(fund.main)
                self.alive.add(demand.flow)
        for group in self.groups:
            group.entries.sort(key=Entry.age)
        self.ahead = [(rank, *by_rank[rank]) for rank in sorted(by_rank)]


def catch_up(fund: Fund, alive: set[int], last: dict[int, int]) -> None:
    """A rank's time is where the least served of those that wait stands; of nobody, where the last call began."""
    least: dict[int, int] = {}
    for flow in fund.flows:
        if flow.flow in alive:
            least[flow.rank] = min(least.get(flow.rank, flow.lead), flow.lead)
    for rank, by in (last | least).items():
        for flow in fund.flows:
            if by > 0 and flow.rank == rank:
                flow.lead = max(0, flow.lead - by)


class Turns:
    """One division of what is left."""

    __slots__ = ("_depths", "_heap", "_main", "_mine", "_virtual", "blocked", "cut", "last", "left")

    def __init__(self, fund: Fund, mine: int, left: list[int], depths: list[Depth]) -> None:
        self._main = fund.main
        self._mine = mine
        self._depths = depths
        self._heap: list[Group] = []
        self._virtual: dict[int, int] = {}
        self.left = left
        self.last: dict[int, int] = {}  # of ranks: where the last call that was granted began
        self.blocked = False  # an own call needs more than there can be while so much is withheld
        self.cut = False  # there are more calls than steps

    @property
    def unserved(self) -> bool:
        return bool(self._heap)

    def divide(self, groups: list[Group], flows: dict[int, Flow], granted: list[int]) -> None:
        """Go through it all until a call does not fit; what falls to the asking member is granted."""
        for group in groups:
            group.key = self._virtual[group.flow] = flows[group.flow].lead
            heappush(self._heap, group)
        steps = 0
        while self._heap:
            group = heappop(self._heap)
            if self._stale(group):
                continue
            entry = group.entries[0]
            count = self._fits(entry)
            steps += 1
            if count == 0 or steps > STEPS:
                self.cut = steps > STEPS
                heappush(self._heap, group)
                return
            if count < 0:
                self.blocked = self.blocked or entry.owner == self._mine
                group.entries.pop(0)
            else:
                self._serve(group, entry, count, flows[group.flow], granted)
            if group.entries:
                heappush(self._heap, group)

    def _stale(self, group: Group) -> bool:
        """The same flow was served in another rank meanwhile."""
        if group.key == self._virtual[group.flow]:
            return False
        group.key = self._virtual[group.flow]
        heappush(self._heap, group)
        return True

    def _fits(self, entry: Entry) -> int:
        """How many calls like it; -1: none, while so much is withheld. Who can not be served holds up nobody."""
        count = entry.calls
        for d, depth in enumerate(self._depths):
            units = entry.units(d)
            if depth.most >= LOTS or units <= 0:
                continue
            if min(units, depth.whole) > depth.most:
                return -1
            need = entry.needed(d, self._main, depth.most)
            if self.left[d] < need:
                return 0
            count = min(count, 1 + max(0, (self.left[d] - need) // units))
        return count

    def _serve(self, group: Group, entry: Entry, count: int, flow: Flow, granted: list[int]) -> None:
        cost = entry.service(self._main)
        first = self._heap[0] if self._heap else None
        if first is not None and first.rank == group.rank:
            room = count
            for d, depth in enumerate(self._depths):
                if depth.most < LOTS and entry.units(d) > 0:
                    room = min(room, self.left[d] // entry.units(d))
            count = min(count, max(1, (first.key - group.key) // cost, room // (2 * len(self._heap) + 2)))
        if len(group.entries) > 1:
            count = max(1, count // len(group.entries))
        for d in range(len(self.left)):
            if self.left[d] < LOTS:
                self.left[d] -= count * entry.units(d)
        group.key = self._virtual[group.flow] = group.key + cost * count
        entry.calls -= count
        if entry.owner == self._mine:
            for d in range(len(granted)):
                granted[d] += count * entry.units(d)
            entry.taken = True
            flow.lead += cost * count
            flow.granted += count * entry.units(self._main)
            self.last[flow.rank] = flow.lead - cost
        group.rotate()

    def wait(self, fund: Fund, open_ppm: int, now: int, *, least_us: int, renew_us: int) -> int:
        """Until the first of its own calls fits behind what goes before it."""
        ahead = [0] * len(self.left)
        for _ in range(LOOK):
            if not self._heap:
                return least_us
            group = heappop(self._heap)
            if self._stale(group):
                continue
            entry = group.entries[0]
            if entry.owner == self._mine:
                return self._comes(fund, entry, ahead, open_ppm, now, least_us, renew_us)
            for d in range(len(ahead)):
                ahead[d] += entry.units(d)
            group.key = self._virtual[group.flow] = group.key + entry.service(self._main)
            entry.calls -= 1
            group.rotate()
            if group.entries:
                heappush(self._heap, group)
        return renew_us

    def _comes(
        self, fund: Fund, entry: Entry, ahead: list[int], open_ppm: int, now: int, least_us: int, renew_us: int
    ) -> int:
        longest = least_us
        for d, dim in enumerate(fund.dims):
            if self._depths[d].most < LOTS and entry.units(d) > 0:
                need = ahead[d] + entry.needed(d, self._main, self._depths[d].most)
                longest = max(longest, dim.back(need - self.left[d], open_ppm, now, renew_us))
        return longest
