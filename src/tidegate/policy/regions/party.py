"""One node of a region in the protocol of parts. Pure: what it reads comes in, what it would write goes out.

It says its news and reads everything in one linearizable step of the store. What it read it may spend by for `lease_us`
from the moment it *sent* that; then by the floor, which nobody else ever counts on, until it is answered again. A
process that has never been answered spends nothing.

*Shrink before grow.* Who is to give lowers its `use` by compare-and-swap; every node that read since keeps to it and
says so (`News.seen`), and who read before cannot go on for longer than the lease. Then, and not before, the part
itself shrinks, and others may take what is free. A node is in the store before it spends anything, so the nodes that
have to agree are those that a later read shows. Moments are of each node's own monotonic clock, and only lengths of
time matter: whoever waits for another's lease waits longer by a `SLOW`th, by which two clocks' rates may differ.

*What is lost.* A record that is gone, unsound, or older than one that was read before is begun anew with a new epoch,
in which all have their floor, and nobody takes more before everybody's leases of before must have ended. A process that
starts anew confirms nothing for as long, since workers may still go by what an earlier one told them.

*Who acts.* Any node may do any of it, compare-and-swap decides; so that they do not all try, the first node of a region
does it for its region, and the first of all for regions that are silent.
"""

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from tidegate.model.regions import Entry, News, Parts
from tidegate.policy.regions import balance, escrow

SLOW: Final = 50  # a part of the lease: clocks' rates differ by less than a fiftieth
_NOBODY: Final = Entry(0, 0, 0)


class Place(NamedTuple):
    """A node of a region."""

    region: str
    node: str


class Rule(NamedTuple):
    """What all regions agree on."""

    names: tuple[str, ...]
    floor_ppm: int
    lease_us: int


class Seen(NamedTuple):
    """What one linearizable read showed; each value beside the revision at which it was written."""

    revision: int
    parts: Mapping[str, tuple[int, Parts]]
    news: Mapping[Place, tuple[int, News]]


class Swap(NamedTuple):
    """Write this record if it is still at that revision; 0 = if there is none."""

    quota: str
    revision: int
    parts: Parts


class Drop(NamedTuple):
    """Remove the news of a node that is gone, if they are still at that revision."""

    place: Place
    revision: int


class Allotment(NamedTuple):
    """What a node may spend by: `ppm` before `until`, `floor` from then on."""

    ppm: int
    floor: int
    until: int
    epoch: int
    seq: int


class Party:
    """What one node knows and does. O(quotas × regions) for each read."""

    __slots__ = (
        "_beat", "_beats", "_born", "_demand", "_drains", "_epochs", "_kept", "_me", "_revision", "_rule",
        "_shrinks", "held",
    )  # fmt: skip

    def __init__(self, me: Place, rule: Rule, now: int) -> None:
        self._me = me
        self._rule = rule
        self._born = now
        self._beat = 0
        self._revision = 0
        self.held: dict[str, Allotment] = {}
        self._demand: dict[str, int] = {}
        self._drains: dict[str, int] = {}
        self._kept: dict[str, tuple[int, int, int]] = {}  # epoch and sequence that all workers keep, and since when
        self._beats: dict[Place, tuple[int, int]] = {}  # the last beat of each, and since when it is the last
        self._epochs: dict[str, tuple[int, int]] = {}  # the epoch of each quota, and since when it is that
        self._shrinks: dict[tuple[str, str], tuple[int, int, int]] = {}  # (epoch, sequence, since when it stands there)

    @property
    def lapse_us(self) -> int:
        """How long others' silence lasts until their lease has ended for certain."""
        return self._rule.lease_us + self._rule.lease_us // SLOW + 1

    # what the node's own workers say

    def want(self, quota: str, ppm: int, drain_us: int) -> None:
        """Somebody here spends from this quota; `drain_us`: how long what was spent counts after its part shrank."""
        self._demand[quota] = ppm
        self._drains[quota] = max(drain_us, self._drains.get(quota, 0))

    def forget(self, quota: str) -> None:
        """Nobody here spends from it any more."""
        self._demand.pop(quota, None)

    def kept(self, quota: str, epoch: int, seq: int, now: int) -> None:
        """All workers of this node go by that `use` now; the same again is no news."""
        known = self._kept.get(quota)
        if known is None or known[:2] != (epoch, seq):
            self._kept[quota] = epoch, seq, now

    def part(self, quota: str, now: int) -> int:
        """What the node may spend by, in parts per million."""
        held = self.held.get(quota)
        if held is None:
            return 0
        return held.ppm if now < held.until else held.floor

    # what goes to the store and comes back

    def news(self, now: int) -> News:
        """What to say now."""
        self._beat += 1
        seen = {}
        if now - self._born >= self.lapse_us:
            seen = {
                quota: (epoch, seq)
                for quota, (epoch, seq, since) in self._kept.items()
                if now - since >= self._drains.get(quota, 0)
            }
        return News(self._beat, dict(self._demand), seen)

    def heard(self, seen: Seen, sent_at: int, now: int, wall: int) -> list[Swap | Drop]:
        """What a read showed that was sent at `sent_at` together with the news: what to write."""
        if seen.revision < self._revision:
            self.held = {quota: held._replace(until=now) for quota, held in self.held.items()}
            self._revision = seen.revision
            self._epochs.clear()
            return [Swap(name, at, self._anew(name, wall)) for name, (at, _) in seen.parts.items()]
        self._revision = seen.revision
        live = self._live(seen.news, now)
        self._hold(seen.parts, sent_at + self._rule.lease_us)
        writes: list[Swap | Drop] = []
        if live and self._me == min(live):
            writes += [Drop(place, at) for place, (at, _) in seen.news.items() if self._gone(place, now)]
        for quota in sorted({*seen.parts, *self._demand}):
            at, parts = seen.parts.get(quota, (0, None))
            if parts is None or not escrow.sound(parts):
                writes.append(Swap(quota, at, self._anew(quota, wall)))
            else:
                after = self._moved(quota, parts, seen.news, live, now)
                if after is not parts:
                    writes.append(Swap(quota, at, after))
        return writes

    def _anew(self, quota: str, wall: int) -> Parts:
        epoch = max(wall, self._epochs.get(quota, (0, 0))[0] + 1)
        return escrow.begun(self._rule.names, self._rule.floor_ppm, epoch, self._drains.get(quota, 0))

    def _live(self, news: Mapping[Place, tuple[int, News]], now: int) -> list[Place]:
        """Who said something within a lease."""
        for place, (_, said) in news.items():
            if self._beats.get(place, (-1, 0))[0] != said.beat:
                self._beats[place] = said.beat, now
        for place in [place for place in self._beats if place not in news]:
            del self._beats[place]
        return [place for place in news if now - self._beats[place][1] < self.lapse_us]

    def _gone(self, place: Place, now: int) -> bool:
        """Whether nothing that it let through can count any more."""
        drain = max(self._drains.values(), default=0)
        return now - self._beats[place][1] >= self.lapse_us + drain

    def _hold(self, parts: Mapping[str, tuple[int, Parts]], until: int) -> None:
        for quota, (_, record) in parts.items():
            if escrow.sound(record):
                entry = record.entries.get(self._me.region, _NOBODY)
                floor = min(entry.use, self._rule.floor_ppm)
                self.held[quota] = Allotment(entry.use, floor, until, record.epoch, entry.seq)
        for quota in self.held.keys() - parts.keys():
            self.held[quota] = self.held[quota]._replace(until=0)

    # what moves

    def _moved(
        self, quota: str, parts: Parts, news: Mapping[Place, tuple[int, News]], live: list[Place], now: int
    ) -> Parts:
        """The record as it should be next."""
        epoch, since = self._epochs.get(quota, (-1, 0))
        if epoch != parts.epoch:
            since = now
            self._epochs[quota] = parts.epoch, now
        regions = {place.region for place in live}
        demands = dict.fromkeys(self._rule.names, 0)
        for place in live:
            if place.region in demands:
                demands[place.region] += news[place][1].demand.get(quota, 0)
        goals = balance.targets(demands, self._rule.floor_ppm)
        after = escrow.draining(parts, self._drains.get(quota, 0))
        had = {name: entry.part for name, entry in parts.entries.items()}
        calm = balance.content(demands, had, self._rule.floor_ppm)
        for name in self._mine(parts, live):
            after = self._step(quota, after, name, goals.get(name, 0), news, now, calm=calm and name in regions)
        goal = goals.get(self._me.region, 0)
        if now - since >= self.lapse_us + parts.drain_us and self._leads(live) and self._me.region in after.entries:
            after = escrow.grown(after, self._me.region, goal)
        return after

    def _leads(self, live: Iterable[Place]) -> bool:
        return self._me == min((place for place in live if place.region == self._me.region), default=self._me)

    def _mine(self, parts: Parts, live: list[Place]) -> list[str]:
        """The regions for which this node acts."""
        mine = [self._me.region] if self._leads(live) else []
        if live and self._me == min(live):
            heard = {place.region for place in live}
            mine += [name for name in parts.entries if name not in heard and name != self._me.region]
        return mine

    def _step(
        self,
        quota: str,
        parts: Parts,
        region: str,
        goal: int,
        news: Mapping[Place, tuple[int, News]],
        now: int,
        *,
        calm: bool,
    ) -> Parts:
        """One region's part: it shrinks, it has shrunk, or it stays."""
        if region not in parts.entries:
            return escrow.joined(parts, region)
        entry = parts.entries[region]
        if entry.use < entry.part:
            over = self._agreed(quota, parts, region, news) or self._silent(parts, region, news, now)
            return escrow.settled(parts, region) if over or self._outlived(quota, parts, region, now) else parts
        if region not in self._rule.names:
            return escrow.shrunk(parts, region, 0) if entry.use else escrow.left(parts, region)
        if not calm and entry.use > goal and balance.worth(entry.part, goal):
            return escrow.shrunk(parts, region, goal)
        return parts

    def _agreed(self, quota: str, parts: Parts, region: str, news: Mapping[Place, tuple[int, News]]) -> bool:
        """Whether every node of the region keeps to its `use`."""
        wanted = parts.epoch, parts.entries[region].seq
        return all(said.seen.get(quota) == wanted for place, (_, said) in news.items() if place.region == region)

    def _silent(self, parts: Parts, region: str, news: Mapping[Place, tuple[int, News]], now: int) -> bool:
        """Whether no node of the region has said anything for so long that its lease is over.

        Who had read between the shrinking and now would have said something by it.
        """
        beats = [self._beats[place] for place in news if place.region == region]
        return all(now - since >= self.lapse_us + parts.drain_us for _, since in beats)

    def _outlived(self, quota: str, parts: Parts, region: str, now: int) -> bool:
        """Whether whoever does not know of it cannot go on with what it had."""
        entry, key = parts.entries[region], (quota, region)
        epoch, seq, since = self._shrinks.get(key, (0, 0, 0))
        if (epoch, seq) != (parts.epoch, entry.seq):
            self._shrinks[key] = parts.epoch, entry.seq, now
            return False
        return now - since >= self.lapse_us + parts.drain_us
