"""One dimension of a fund, as the shared state keeps it: `cluster/lua/dimension.lua` and `slots.lua` do the same.

Level and leases. What is granted is taken out of what is free at once; `leased` is what members hold. So with p what
the provider would admit, for a BUCKET `level + unspent leases ≤ p` always: granting and returning move units between
both, spending takes them from both sides, and the refill is the provider's as long as `level + leases` is kept below
the capacity. For a LOG `units in its slots + leases` is never less than what the provider's window contains: what is
spent is put into the slot of the moment at which it is *told*, which is later than it was, and leaves with its *end*.

Integers only, and less than 2^53, so that a Lua script's doubles are exact. A bucket's level is kept in units times
ticks, as `policy/quota/bucket.py` does, with a tick that leaves room for a debt of four windows.

Complexity: O(1) for buckets, sums and slots; O(slots of the log) here, O(slots that are looked at) in Lua.
"""

from typing import Final

from tidegate.model.cluster import BUCKET, FREE, LOG, SLOTS, SUM, Dim, RecoveryState
from tidegate.policy.lease.times import STALE_US

LOTS: Final = 1 << 52  # what is left where nothing is limited
OWN: Final = 64  # rows of what a sum is put back from, at most
EXACT: Final = 1 << 50
MARGIN_US: Final = STALE_US  # an age is told by who does not know how long its exchange is on the way
QUARTER_US: Final = 250_000
QUARTERS: Final = 64
SLOTS_OF_LOG: Final = 598  # with those that begin and end the span: 600
HOUR_US: Final = 3_600_000_000


def part(amount: int, ppm: int) -> int:
    """So many millionths of it, rounded down, without a product beyond 2^53."""
    return amount // FREE * ppm + amount % FREE * ppm // FREE


class Dimension:
    """`level`: BUCKET: units × ticks that are free. LOG: units in its slots. SUM: spent in the period, beside `own`."""

    __slots__ = (
        "at",
        "booked",
        "brimmed",
        "jitter_us",
        "kind",
        "leased",
        "least",
        "level",
        "limit",
        "own",
        "quarter",
        "ring",
        "slots",
        "used",
        "window_us",
    )  # fmt: skip

    def __init__(self, said: Dim, full: bool, now: int) -> None:
        """As the first member says. A bucket is `full`, or empty."""
        self.kind = said.kind
        self.limit = said.limit
        self.window_us = said.window_us
        self.jitter_us = said.jitter_us
        self.used = 0  # by anybody, since the fund began: it only grows
        self.leased = 0
        self.level = 0
        self.at = 0  # BUCKET: tick of the last refill; SUM: the period
        self.brimmed = now  # when it was three quarters full
        self.slots: list[list[int]] = []  # LOG: slot, units
        self.quarter = 0  # of a second, and the least that was left in it
        self.least = 0
        self.ring: list[int] = []  # the same of those before
        self.booked = 0  # the quarter in which others' use was booked last
        self.own: list[list[int]] = []  # LOG: what members spent by themselves, until all that remember have told; SUM:
        # (epoch, spent), (used, 0), as `recount` has it, then (used, units) that members told since
        if said.kind == BUCKET:
            tick, _, capacity = self.shape()
            self.level = capacity if full else 0
            self.at = now // tick
        elif said.kind == SUM:
            self.at = said.period

    def shape(self) -> tuple[int, int, int]:
        """BUCKET: tick (µs), window in ticks, capacity. LOG: length of a slot, how long one counts (both µs), 0."""
        if self.kind == BUCKET:
            tick = 1
            while self.limit * -(-self.window_us // tick) >= EXACT and tick * 10 < self.window_us:
                tick *= 10
            ticks = -(-self.window_us // tick)
            return tick, ticks, self.limit * max(0, ticks - -(-self.jitter_us // tick))
        span = self.window_us + self.jitter_us
        return max(1, -(-span // SLOTS_OF_LOG)), span, 0

    def free(self, open_ppm: int, held: int = 0) -> int:
        """Units that may be granted, of what `open_ppm` leaves; `held`: SLOTS of members that can be heard. ≥ -LOTS."""
        if self.limit == 0:
            return LOTS
        if self.kind == BUCKET:
            return self.level // self.shape()[1]
        if self.kind == SLOTS:
            return min(self.limit - self.leased, part(self.limit, open_ppm) - held)
        return part(self.limit, open_ppm) - self.level - self.leased - self.owned()

    def charge(self, units: int, now: int) -> None:
        """Spend what was not leased, whatever is free."""
        if self.limit == 0 or units == 0:
            return
        measure, ticks, _ = self.shape()
        if self.kind == BUCKET:
            self.level = max(self.level - min(units, LOTS // ticks) * ticks, -LOTS)
        elif self.kind == LOG:
            self.add(now // measure, units)
        elif self.kind == SUM:
            self.level += units

    def add(self, slot: int, units: int) -> None:
        """So much more in that slot of the log."""
        self.level += units
        at = len(self.slots)
        while at and self.slots[at - 1][0] > slot:
            at -= 1
        if at and self.slots[at - 1][0] == slot:
            self.slots[at - 1][1] += units
        else:
            self.slots.insert(at, [slot, units])

    def recall(self, slots: list[list[int]]) -> None:
        """Somebody remembers these: whatever age, what is younger is not less than either knows. O(slots)."""
        known, told = {slot: units for slot, units in self.slots}, dict[int, int]()  # noqa: C416 - its rows are lists
        for slot, units in slots:
            told[slot] = told.get(slot, 0) + units
        merged: list[list[int]] = []
        here = there = most = 0
        for slot in sorted(known.keys() | told.keys(), reverse=True):
            here += known.get(slot, 0)
            there += told.get(slot, 0)
            if max(here, there) != most:
                merged.append([slot, max(here, there) - most])
                most = max(here, there)
        self.slots, self.level = merged[::-1], most

    def all_slots(self) -> list[list[int]]:
        """The log with what members spent by themselves."""
        sums = {slot: units for slot, units in self.slots}  # noqa: C416 - its rows are lists
        for slot, units in self.own:
            sums[slot] = sums.get(slot, 0) + units
        return [[slot, sums[slot]] for slot in sorted(sums)]

    def fold(self) -> None:
        """All that remember have told: what members spent by themselves comes on top."""
        if self.kind == SUM:
            return
        for slot, units in self.own:
            self.add(slot, units)
        self.own = []

    def owned(self) -> int:
        return sum(units for _, units in self.own)

    def count(self, epoch: int, used: int) -> None:
        """SUM: all that was spent is what `own` begins with. Epoch 0: nobody knows more; -1: not of one epoch."""
        self.own, self.level = [[epoch, self.level + self.owned()], [used, 0]], 0

    def recount(self, memory: RecoveryState, epoch: int) -> None:
        """SUM: what was spent is what the member knows that was told last, and what was told since.

        `used` is the clock: it grows with whatever is told as spent, so of what one member told, another one who was
        told a greater one knows. Where not all were told in one epoch, the most that anybody knows counts, and all
        that each told since.
        """
        if not self.own:
            self.count(0 if self.level == 0 else -1, -1)
        own, known = self.own, memory.period == self.at
        exact = known and memory.spent >= 0 and memory.used >= 0
        (of, spent), (used, _) = own[:2]
        if exact and of in {0, epoch}:
            if memory.used >= used:
                spent = max(spent, memory.spent) if memory.used == used else memory.spent
                used = memory.used
            own = self.own = [[epoch, spent], [used, 0], *(pair for pair in own[2:] if pair[0] > used)]
        else:
            level = memory.spent if exact else max(0, memory.level) if known else 0
            if level > 0 or memory.given:
                own[0] = [-1, max(spent, level)]
        for at, units in memory.given:
            if own[0][0] != -1 and at <= own[1][0]:
                continue
            if len(own) < OWN:
                own.append([at, units])
            else:
                own[-1] = [max(own[-1][0], at), own[-1][1] + units]

    def expire(self, now: int) -> None:
        """Take out of the log what no window contains any more."""
        slot_us, span, _ = self.shape()
        while self.slots and (self.slots[0][0] + 1) * slot_us + span <= now:
            self.level -= self.slots.pop(0)[1]

    def refill(self, open_ppm: int, now: int) -> None:
        """What has come back since; with members that are lost only `open_ppm` of it, and of the depth."""
        if self.limit == 0:
            return
        tick, ticks, capacity = self.shape()
        if self.kind == LOG:
            self.expire(now)
        if self.kind != BUCKET:
            return
        top = part(capacity, open_ppm)
        elapsed = now // tick - self.at
        if elapsed > 0:
            self.at += elapsed
            self.level += part(min(elapsed, LOTS // self.limit) * self.limit, open_ppm)
        if self.level + self.leased * ticks >= top * 3 // 4:
            self.brimmed = now
        if self.level > top - self.leased * ticks:
            self.level = max(top - self.leased * ticks, min(self.level, 0))

    def resize(self, limit: int, said: Dim, open_ppm: int, now: int) -> None:
        """Another configuration: what was left stays left, as far as it fits.

        What a bucket got back since its last refill stays, too, by the smaller of both limits: nobody knows since when
        it is another one. What follows is `refill`, by the new one.
        """
        if (self.limit, self.window_us, self.jitter_us) == (limit, said.window_us, said.jitter_us):
            return
        same = self.window_us == said.window_us
        if self.kind == BUCKET and same and self.limit < limit:
            self.refill(open_ppm, now)
        before, window, _ = self.shape()
        was = self.limit
        self.limit, self.window_us, self.jitter_us = limit, said.window_us, said.jitter_us
        if self.kind == BUCKET:
            left = self.level // window
            tick, window, capacity = self.shape()
            top = capacity - self.leased * window
            self.level = max(min(left * window, top), -LOTS) if was else top
            self.at = -(-self.at * before // tick) if was and same else now // tick
        elif self.kind == LOG and (slot_us := self.shape()[0]) != before:
            old, self.slots, self.level = self.slots, [], 0
            for slot, units in old:
                self.add(((slot + 1) * before - 1) // slot_us, units)

    def correct(self, age: int, delta: int, now: int) -> None:
        """A charge of `age` ago was `delta` more. Less is given back as far as it still stands, when in doubt not.

        BUCKET: not when it was three quarters full since (`policy/quota/bucket.py`). LOG: in the slot of its age, which
        is never later than the one it was booked in; what is there is never less than what the provider's window has.
        """
        if self.limit == 0:
            return
        at = now - age - (MARGIN_US if delta < 0 else 0)
        measure, ticks, capacity = self.shape()
        if self.kind == BUCKET:
            if delta > 0:
                self.charge(delta, now)
            elif at >= self.brimmed:
                back = min(-delta, LOTS // ticks) * ticks
                self.level = min(self.level + back, max(self.level, capacity - self.leased * ticks))
        elif self.kind == LOG:
            slot = at // measure
            if (slot + 1) * measure + ticks > now:
                self.add(slot, delta)
            elif delta > 0:
                self.charge(delta, now)
        elif self.kind == SUM:
            self.level = max(-self.owned(), self.level + delta)

    def drain(self, open_ppm: int, now: int) -> None:
        """The provider refused: nothing is left."""
        self.charge(max(0, self.free(open_ppm)), now)
        if self.kind == BUCKET:
            self.level = min(self.level, 0)

    def watch(self, left: int, now: int) -> None:
        """Note the least that was left in this quarter of a second."""
        quarter = now // QUARTER_US
        if self.quarter == quarter:
            self.least = min(self.least, left)
            return
        if self.quarter > 0:
            self.ring = [*self.ring, self.quarter, self.least][-2 * QUARTERS :]
        self.quarter, self.least = quarter, left

    def witness(self, shown: int, age: int, noise: int, left: int, now: int) -> None:
        """A reply to a call that was sent `age` ago showed so much to be left.

        The provider has at least what is free here, leases counted as spent. If it showed less than the least of that
        since the call was sent, others spend behind our back: the difference is booked, once a quarter of a second.
        """
        quarter, since = now // QUARTER_US, (now - age) // QUARTER_US
        if self.quarter == 0 or self.booked == quarter:
            return
        least, known = min(left, self.least), self.quarter <= since
        for at in range(len(self.ring) - 2, -2, -2):
            if known or at < 0:
                break
            least = min(least, self.ring[at + 1])
            known = self.ring[at] <= since
        if known and shown + noise < least:
            self.booked = quarter
            self.charge(least - shown, now)

    def back(self, missing: int, open_ppm: int, now: int, renew_us: int) -> int:
        """Microseconds until so many units more may be free; `renew_us` where only a member can give them back."""
        if missing <= 0:
            return 0
        measure, ticks, _ = self.shape()
        if self.kind == BUCKET:
            if open_ppm <= 0:
                return HOUR_US
            short = min(missing, LOTS // ticks) * ticks - self.level % ticks
            return min(HOUR_US, -(-short // self.limit) * measure) * FREE // open_ppm
        if self.kind == LOG:
            for slot, units in self.slots if missing <= self.level else ():
                missing -= units
                if missing <= 0:
                    return (slot + 1) * measure + ticks - now
            return renew_us
        if self.kind == SUM:
            return renew_us if missing <= self.leased else max(0, self.at - now)
        return renew_us // 10
