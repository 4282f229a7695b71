"""The sliding log: never more than `limit` in any stretch of `window + jitter`.

For providers that count in windows. Whatever the phase of a fixed window, whatever the delays up to `jitter`, none of
its windows can contain more than `limit`. A provider that enforces per second ("60,000 a minute as 1,000 a second") is
mirrored by the same log over one second.

Charges are kept in slots of a five-thousandth of the window, each slot counted until its *end* has left the window, so
the log errs only to the safe side, by 0.02 %. Memory is O(slots in use), time amortised O(1), and O(log slots) for a
slot that is late; a wait is exact however much leaves before, by sums over blocks of slots (`sums.py`).

A window has no refill that would forgive an estimate that was too low by a few tokens, so as much as such calls missed
of late is kept back, up to a share of the limit: only a call that needs it, alone, gets it.

Nor does a window forgive a call that reached the provider late: it is charged there later, leaves later, and who takes
its place a window after its departure comes too soon. A slot that is known to have been `late` is counted for so much
longer; those behind it are not, each call's reply tells of its own lateness. Where the provider shows less than it can
have left, `hold` keeps that back for a moment: what left here of late has perhaps not left there.
"""

from collections import deque
from heapq import heappop, heappush

from tidegate.policy.quota.allowance import ALWAYS, NEVER, Allowance, View
from tidegate.policy.quota.sums import BLOCK, Sums

SLOTS = 5_000
LATE_US = 2_000_000  # no call is believed to be later than that on its way
HOLD_US = 500_000
_GONE = 256  # slots that a minute's log loses within `LATE_US`, and some more
MISSES = 8  # calls in flight at once whose estimates may be too low
_FADE = 64  # calls over which a large miss is forgotten
_NONE = -(1 << 62)  # no slot's number


class _Slot:
    """What was taken in one slot. Most is taken where the last was: adding there looks nothing up."""

    __slots__ = ("used",)

    def __init__(self, used: int) -> None:
        self.used = used


class SlidingLog(Allowance):
    """At most `limit` per window, by a log of what was taken when."""

    __slots__ = (
        "_due", "_gone", "_held", "_held_since", "_held_until", "_kept", "_last", "_late", "_leaving", "_missed",
        "_newest", "_newest_at", "_slot_us", "_slots", "_span_us", "_spare_permille", "_sums", "_untils", "_used",
    )  # fmt: skip

    def __init__(self, limit: int, *, window_us: int, jitter_us: int = 0, spare_permille: int = 0) -> None:
        """Start empty. `limit` ≥ 1; at most `spare_permille` of it is kept back."""
        self._spare_permille = spare_permille
        self._missed = 0
        self.firm_until = ALWAYS
        self.fleeting = True
        self._kept = 0
        self._held = self._held_since = self._held_until = 0
        self._shape(limit)
        self._slot_us = max(1, window_us // SLOTS)
        self._span_us = window_us + jitter_us
        self._slots: dict[int, _Slot] = {}
        self._newest = _Slot(0)
        self._newest_at = _NONE  # which of them that is
        self._late: dict[int, tuple[int, int]] = {}  # slots that are counted for longer: until when, and how much
        self._untils: list[tuple[int, int]] = []  # a heap: when which of them leaves, or was to leave
        self._leaving: dict[int, list[int]] = {}  # them, by the slot that leaves next after them
        self._last = 0  # when the last of them leaves
        self._sums = Sums()  # of what leaves when
        self._due = ALWAYS  # nothing changes before
        self._gone: deque[tuple[int, int]] = deque(maxlen=_GONE)  # when and how much left of late
        self._used = 0

    def _gone_at(self, slot: int) -> int:
        return (slot + 1) * self._slot_us + self._span_us

    def _expire(self, now: int) -> None:
        if now < self._due:
            return
        if self._held and now >= self._held_until:
            self._held = 0
            self._shape(self.limit)
        self._due = self._held_until if self._held else ALWAYS
        slots, before = self._slots, self._used
        while slots:
            oldest = next(iter(slots))
            if (gone_at := self._gone_at(oldest)) > now:
                self._due = min(self._due, gone_at)
                break
            used = self._pop(oldest)
            self._used -= used
            self._sums.add(oldest, -used)
        if self._late:
            self._expire_late(now)
        if before != self._used:
            gone = self._gone
            gone.append((now, before - self._used))
            while gone[0][0] < now - LATE_US:
                gone.popleft()

    def _expire_late(self, now: int) -> None:
        untils, late = self._untils, self._late
        while untils and untils[0][0] <= now:
            until, slot = heappop(untils)
            if slot in late and late[slot][0] == until:
                self._used -= self._take_out(slot)
        if untils:
            self._due = min(self._due, untils[0][0])

    def _leaves_with(self, until: int) -> int:
        """The first slot that is not gone before then."""
        return -((self._span_us - until) // self._slot_us) - 1

    def _put_in(self, slot: int, until: int, used: int) -> None:
        """A late slot leaves then."""
        self._late[slot] = until, used
        self._last = max(self._last, until)
        heappush(self._untils, (until, slot))
        leaves_with = self._leaves_with(until)
        self._leaving.setdefault(leaves_with, []).append(slot)
        self._sums.add(leaves_with, used)

    def _take_out(self, slot: int) -> int:
        """A slot is late no more. Returns what was in it."""
        until, used = self._late.pop(slot)
        leaves_with = self._leaves_with(until)
        row = self._leaving[leaves_with]
        row.remove(slot)
        if not row:
            del self._leaving[leaves_with]
        self._sums.add(leaves_with, -used)
        return used

    def _shape(self, limit: int) -> None:
        self.limit = limit
        spare = min(limit * self._spare_permille // 1_000, MISSES * self._missed)
        self.depth = max(1, limit - spare - self._kept - self._held)

    def rate(self) -> float:
        return self.depth * 1e6 / self._span_us

    def wait(self, cost: int, now: int, ahead: int = 0) -> int:
        """Exact when what is ahead fits into one window; beyond, whole windows are added."""
        if cost > self.limit:
            return NEVER
        self._expire(now)
        depth = self.depth
        missing = self._used + ahead + (cost if cost < depth else depth) - depth
        if missing <= 0:
            return 0
        if missing <= self._held:
            return min(self._held_until - now, self._freed(min(missing, self._used), now) or LATE_US)
        rounds = 0
        if missing > self._used:
            rounds, missing = divmod(missing, depth)
        return rounds * (self._span_us + self._slot_us) + self._freed(missing, now)

    def has(self, cost: int, now: int) -> bool:
        self._expire(now)
        return self._used + cost <= self.depth or (self._used <= 0 and cost <= self.limit)

    def _freed(self, amount: int, now: int) -> int:
        """When so much has left; 0 where nothing is to leave, a whole window where less is."""
        whole = self._span_us + self._slot_us
        if self._used <= 0:
            return whole if amount > 0 else 0
        block, amount = self._sums.reach(max(1, amount))
        for slot in range(block * BLOCK, (block + 1) * BLOCK) if block >= 0 else ():
            if slot in self._leaving:
                for until, used in sorted(self._late[late] for late in self._leaving[slot]):
                    amount -= used
                    if amount <= 0:
                        return until - now
            if slot in self._slots:
                amount -= self._slots[slot].used
            if amount <= 0:
                return self._gone_at(slot) - now
        return whole

    def take(self, cost: int, now: int) -> None:
        self._expire(now)
        slot = now // self._slot_us
        if slot == self._newest_at:
            self._newest.used += cost
        else:
            self._begin(slot, cost)
        self._used += cost
        self._sums.add(slot, cost)

    def _begin(self, slot: int, cost: int) -> None:
        slots = self._slots
        if not slots:
            self._due = min(self._due, self._gone_at(slot))
        newest = slots.get(slot)
        if newest is None:
            newest = slots[slot] = _Slot(cost)
        else:
            newest.used += cost
        self._newest, self._newest_at = newest, slot

    def _pop(self, slot: int) -> int:
        """What is in a slot, which is no more; 0 where it is none."""
        if slot == self._newest_at:
            self._newest_at = _NONE
        gone = self._slots.pop(slot, None)
        return 0 if gone is None else gone.used

    def owe(self, cost: int, until: int, now: int) -> None:
        self._expire(now)
        gone_at = self._gone_at((until + LATE_US) // self._slot_us)
        self._put_in(now // self._slot_us - 1, gone_at, cost)  # nothing was taken there: what is taken is corrected
        self._used += cost
        self._due = min(self._due, gone_at)

    def correct(self, delta: int, taken_at: int, now: int) -> None:
        self._expire(now)
        slot = taken_at // self._slot_us
        if slot in self._late:
            until, used = self._late[slot]
            self._late[slot] = until, used + delta
            self._sums.add(self._leaves_with(until), delta)
        elif slot in self._slots:
            self._slots[slot].used += delta
            self._sums.add(slot, delta)
        else:
            return
        self._used += delta
        if self._spare_permille:
            self._learn(delta)

    def _learn(self, delta: int) -> None:
        """By how much an estimate was too low."""
        missed = self._missed
        if delta > missed:
            self._missed = delta
        elif missed:
            self._missed = missed - max(1, missed // _FADE)
        else:
            return
        self._shape(self.limit)

    def left(self, now: int) -> int:
        self._expire(now)
        return self.depth - self._used

    def used_permille(self, now: int) -> int:
        self._expire(now)
        return self._used * 1000 // self.depth

    def used(self, now: int) -> int:
        self._expire(now)
        return self._used

    def view(self, now: int) -> View:
        self._expire(now)
        full_at = self._gone_at(next(reversed(self._slots))) if self._slots else now
        if self._late:
            full_at = max(full_at, self._last)
        return View(self.limit, max(0, self.depth - self._used), full_at - now)

    def keep_back(self, amount: int, now: int) -> None:
        self._kept = amount
        self._shape(self.limit)

    def late(self, taken_at: int, by_us: int) -> None:
        """What was taken at `taken_at` may have been charged so much later than usual. O(log slots)."""
        slot = taken_at // self._slot_us
        before, used = self._late.get(slot, (0, 0))
        more = self._pop(slot)
        if not before and not more:
            return
        self._sums.add(slot, -more)
        until = max(before, self._gone_at(slot) + min(by_us, LATE_US))
        if until == before:
            self._late[slot] = until, used + more
            self._sums.add(self._leaves_with(until), more)
            return
        if before:
            self._take_out(slot)
        self._put_in(slot, until, used + more)
        self._due = min(self._due, until)

    def lingering(self, since: int, now: int) -> int:
        """How much has left the log since then (`LATE_US` ago at most), and may still be in the provider's."""
        self._expire(now)
        since = max(since, now - LATE_US)
        return sum(used for at, used in self._gone if at >= since)

    def hold(self, amount: int, now: int) -> bool:
        """Leave so much untouched for `HOLD_US`. False when that has been asked for longer than calls are late."""
        self._expire(now)
        if not self._held:
            self._held_since = now
        elif now - self._held_since > LATE_US:
            return False
        self._held = max(self._held, amount)
        self._held_until = now + HOLD_US
        self._due = min(self._due, self._held_until)
        self._shape(self.limit)
        return True

    def restore(self, left: int, at: int, now: int) -> None:
        self._slots.clear()
        self._newest_at = _NONE
        self._late.clear()
        self._untils.clear()
        self._leaving.clear()
        self._last = 0
        self._sums.clear()
        self._gone.clear()
        self._held = 0
        self._due = ALWAYS
        self._shape(self.limit)
        self._used = 0
        self.take(max(0, self.depth - left), at)
        self._expire(now)

    def resize(self, limit: int, now: int) -> None:
        self._shape(limit)
