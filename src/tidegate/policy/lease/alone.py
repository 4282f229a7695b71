"""What a worker may spend of one dimension while it hears nothing of the shared state: its share, from nothing.

A bucket refills at `share` of its rate, and holds no more than the largest call that asked, nor than its share of what
there can be: who needs more than that waits until the worker is back. It begins empty, for what was left is perhaps
spent by now. Of a log the share of what leaves it may be spent, as far as this worker was told what was in it; all the
rest, what was left included, counts as spent at the beginning, and so leaves a window and the jitter later, as do calls
of its own. So what all workers spend on their shares together stays within what comes back. Of places the share may be
in use; of sums, from which nothing comes back, nothing is spent. All O(1), amortised.
"""

from collections import deque
from collections.abc import Sequence

from tidegate.model.cluster import BUCKET, FREE, LOG, SLOTS, SLOTS_OF_LOG
from tidegate.policy.lease.ages import SLOT_US, Ages

NEVER_US = 5_000_000  # what is told where nothing comes back that is known of


class Alone:
    """One dimension, by its share."""

    __slots__ = (
        "_at", "_began", "_cost", "_depth_us", "_gain", "_kind", "_largest", "_leaving", "_level", "_limit", "_most",
        "_own", "_share", "_span_us", "open",
    )  # fmt: skip

    def __init__(
        self,
        kind: int,
        limit: int,
        window_us: int,
        jitter_us: int,
        share_ppm: int,
        slots: Sequence[tuple[int, int]],
        now: int,
    ) -> None:
        """`slots`: what is in the log, as (when it was taken, units); of a row of slots, what of them is in use."""
        self._kind = kind
        self._span_us = window_us + jitter_us if kind == LOG else max(1, window_us)
        self._share = share_ppm
        self._limit = limit
        self._depth_us = window_us - jitter_us if kind == BUCKET and window_us else self._span_us
        self._gain = limit * share_ppm if kind == BUCKET else share_ppm  # a microsecond, a unit that leaves
        self._cost = self._span_us * FREE if kind == BUCKET else FREE  # of a unit
        self._level = 0
        if kind == SLOTS:
            self._level = limit * share_ppm - sum(units for _, units in slots) * FREE
            slots = ()
        self._largest = 0
        self._at = self._began = now
        self._leaving = deque[tuple[int, int]]()
        room = limit  # a log that was put back by several may say more than there was: the newest is true
        for at, units in reversed(slots):
            if at + self._span_us > now and room > 0:
                self._leaving.appendleft((at + self._span_us, min(units, room)))
                room -= units
        if kind == LOG:
            known = sum(units for _, units in self._leaving)
            self._leaving.append((now + self._span_us, max(0, limit - known)))
        self._most = self._top() * share_ppm  # in FREE-ths of a unit
        self._own = Ages(SLOTS_OF_LOG, early=False, slot_us=max(SLOT_US, self._span_us // 256))
        self.open = False  # nothing is limited: it only counts

    def _top(self) -> int:
        return self._limit * self._depth_us // self._span_us

    def resize(self, limit: int, now: int) -> None:
        """The limit is another one, as where a region's part of it changes: so is the share of it.

        A bucket keeps its level as far as it fits. Of a log, and of places, the share of the difference is given or
        taken at once: what is there, in use, and to come back is together the share of the limit.
        """
        if limit == self._limit:
            return
        self._refill(now)
        if self._kind == BUCKET:
            self._gain = limit * self._share
        else:
            self._level += (limit - self._limit) * self._share
        self._limit = limit
        self._most = self._top() * self._share
        self._refill(now)

    def _refill(self, now: int) -> int:
        if self._kind == BUCKET:
            level = self._level + (now - self._at) * self._gain
            self._level = min(level, min(self._largest * FREE, self._most) * self._span_us)
            self._at = now
        elif self._kind == LOG and now != self._at:
            self._at = now
            while self._leaving and self._leaving[0][0] <= now:
                self._level += self._leaving.popleft()[1] * self._gain
            self._level = min(self._level + self._own.left_by(now - self._span_us) * FREE, self._most)
        return self._level

    def has(self, cost: int, now: int) -> bool:
        """Whether so much of the share is there."""
        if self.open:
            return True
        level = self._refill(now)
        self._largest = max(self._largest, cost)
        return level >= cost * self._cost

    def take(self, cost: int, now: int) -> None:
        """Spend it, whatever is there."""
        self._refill(now)
        self._level -= cost * self._cost
        self._own.add(cost, now)

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        """A charge turned out to be so much more. Less gives nothing back to a bucket, which was paced.

        Nor does it where the charge was made before: the fund had it.
        """
        if delta < 0 and taken_at < self._began and self._kind != SLOTS:
            return
        self._refill(now)
        if delta > 0 or self._kind != BUCKET:
            self._level -= delta * self._cost
        self._own.add(delta, taken_at)

    def left(self, now: int) -> int:
        """What may be spent now; negative in debt."""
        return self._refill(now) // self._cost

    def wait(self, cost: int, now: int) -> int:
        """Microseconds until so much will be there."""
        if self.open:
            return 0
        self._largest = max(self._largest, cost)
        missing = cost * self._cost - self._refill(now)
        if missing <= 0:
            return 0
        if self._kind == BUCKET:
            possible = self._gain and cost * FREE <= self._most
            return missing // self._gain + 1 if possible else max(NEVER_US, missing // max(1, self._gain))
        for gone_at, units in self._leaving:
            missing -= units * self._gain
            if missing <= 0:
                return max(1, gone_at - now)
        return NEVER_US

    def own(self, now: int) -> list[tuple[int, int]]:
        """What was spent, as (age, units): what the shared state is told of it."""
        return self._own.pairs(now)
