"""Which of many outlets can serve a call first, without asking all of them.

*Parked* are those that can serve no call at all for now, whatever its size: closed by their breaker, without a request,
at their cap. They stand in a heap by the time at which that ends. All others are *ready*, and among these tokens
decide. Buckets of one size refill alike: whichever is full first has any amount first. So each size has a heap by the
time of being full, and its top is the answer for every cost.

Both heaps are lazy: an entry says no later than the truth. What makes an outlet later (a call) is found out when it
comes to the top; what makes it sooner (a call's end, a breaker that opens, a new limit) is told by `Tally.sooner`,
`heard` or `changed`. Whatever nobody told is found within `HEAL_US`.

Costs O(sizes + log outlets), amortised. Two exceptions cost O(outlets) a look: tokens that are no single bucket
(sliding logs: how they refill depends on their past), and calls that leave a floor where requests are what is scarce.
So do calls whose prompt may be cached at one of them, for free.
"""

from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush, heapreplace

from tidegate.policy.queue.outlet import UNTOLD, Outlet, Tally, clamped, needed
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.quota.quota import Charge

HEAL_US = 1_000_000
SLACK_US = 1_000  # more than what rounding to ticks may hide
_MOST_STALE = 4  # entries per outlet before a heap is made anew

Entry = tuple[int, int, Outlet]  # when, the outlet's number (so that no two entries compare equal), the outlet


class Size:
    """The ready outlets whose tokens are buckets of one size, by when they are full."""

    __slots__ = ("bucket", "heap")

    def __init__(self, like: Bucket) -> None:
        self.bucket = Bucket(like.limit, 0, window_us=like.window_us, jitter_us=like.jitter_us)  # never spent from
        self.heap: list[Entry] = []

    def before_full(self, charge: Charge, floor: int) -> int:
        """How long before being full one has enough for the call, or NEVER when none ever has."""
        bucket = self.bucket
        cost = charge.beside if charge.prefix else clamped(bucket, charge)  # it may all be cached at one of them
        if cost == NEVER:
            return NEVER
        spare = bucket.depth - needed(bucket, cost, floor)
        return spare * bucket.window_us // bucket.limit if spare > 0 else 0


class Index:
    """Ready and parked outlets of one pool."""

    __slots__ = (
        "_closed", "_filed", "_freed", "_healed_at", "_heard", "_misfits", "_number", "_parked", "_parked_heap",
        "_place", "_sizes", "_tally", "ready",
    )  # fmt: skip

    def __init__(self, outlets: Sequence[Outlet], tally: Tally, freed: Callable[[], None]) -> None:
        """`freed` is called when a cap that held an outlet up has room again; it calls `heard`."""
        self._freed = freed
        self._number = {outlet: number for number, outlet in enumerate(outlets)}
        self._tally = tally
        tally.sooner = {}
        self._heard = False
        self._healed_at = -HEAL_US
        self.ready: list[Outlet] = []
        self._place: dict[Outlet, int] = {}  # in `ready`
        self._parked: dict[Outlet, int] = {}  # until when
        self._parked_heap: list[Entry] = []
        self._closed: dict[Outlet, None] = {}  # of the parked, those at a breaker or a cap
        self._sizes: dict[tuple[int, int, int], Size] = {}
        self._filed: dict[Outlet, tuple[Size, int]] = {}  # where its valid entry is, and what it says
        self._misfits: dict[Outlet, None] = {}
        for outlet in outlets:
            self._enlist(outlet)

    @property
    def parked(self) -> int:
        """How many cannot serve, as far as is known."""
        return len(self._parked)

    def heard(self) -> None:
        """A breaker changed, or a cap has room again."""
        self._heard = True

    def changed(self, outlet: Outlet) -> None:
        """It may be able to serve sooner."""
        if self._tally.sooner is not None:
            self._tally.sooner[outlet] = None

    def renew(self) -> None:
        """All of them may have changed."""
        self._healed_at = -HEAL_US

    def catch_up(self, now: int) -> None:
        """Make ready who can serve again."""
        if now - self._healed_at >= HEAL_US or now < self._healed_at:
            self._heal(now)
            return
        sooner = self._tally.sooner
        if sooner:
            for outlet in sooner:
                self._refresh(outlet, now)
            sooner.clear()
        if self._heard:
            self._heard = False
            for outlet in [outlet for outlet in self._closed if outlet.closed(now) != self._parked[outlet] - now]:
                self._refresh(outlet, now)
        heap, parked = self._parked_heap, self._parked
        while heap and heap[0][0] <= now:
            when, _, outlet = heappop(heap)
            if parked.get(outlet) == when:
                self._refresh(outlet, now)

    def find(self, charge: Charge, floor: int, now: int) -> tuple[int, Outlet | None]:
        """The microseconds until one can serve the call, and which; 0, NEVER and UNTOLD as `Outlet.soonest`."""
        self.catch_up(now)
        best: tuple[int, Outlet | None] = (NEVER, None)
        for size in self._sizes.values():
            best = self._first_of(size, charge, floor, now, best)
            if best[0] == 0:
                return best
        for outlet in list(self._misfits):
            best = self._try(outlet, charge, floor, now, best)
            if best[0] == 0:
                return best
        return self._first_parked(charge, floor, now, best)

    def _first_of(
        self, size: Size, charge: Charge, floor: int, now: int, best: tuple[int, Outlet | None]
    ) -> tuple[int, Outlet | None]:
        early = size.before_full(charge, floor)
        if early == NEVER:
            return best
        heap, filed, aside = size.heap, self._filed, []
        while heap:
            entry = heap[0]
            when, number, outlet = entry
            if filed.get(outlet) != (size, when):
                heappop(heap)
                continue
            if best[0] != NEVER and when - early - now - SLACK_US > best[0]:
                break
            bucket = outlet.quota.tokens[0]
            missing = bucket.wait(bucket.depth, now)
            if missing and now + missing > when:
                filed[outlet] = size, now + missing
                heapreplace(heap, (now + missing, number, outlet))
                continue
            heappop(heap)
            best = self._try(outlet, charge, floor, now, best)
            if outlet in filed:
                aside.append(entry)
            if best[0] == 0:
                break
        for entry in aside:
            heappush(heap, entry)
        return best

    def _first_parked(
        self, charge: Charge, floor: int, now: int, best: tuple[int, Outlet | None]
    ) -> tuple[int, Outlet | None]:
        heap, parked, aside = self._parked_heap, self._parked, []
        while heap:
            entry = heap[0]
            when, _, outlet = entry
            if parked.get(outlet) != when:
                heappop(heap)
                continue
            if best[0] not in {NEVER, UNTOLD} and when - now >= best[0]:
                break
            aside.append(heappop(heap))
            best = _better(best, outlet, outlet.soonest(charge, now, floor))
        for entry in aside:
            heappush(heap, entry)
        if best[0] == NEVER and len(heap) < len(parked):
            for outlet in parked:
                best = _better(best, outlet, outlet.soonest(charge, now, floor))
                if best[0] != NEVER:
                    break
        return best

    def _try(
        self, outlet: Outlet, charge: Charge, floor: int, now: int, best: tuple[int, Outlet | None]
    ) -> tuple[int, Outlet | None]:
        """Ask a ready one; park it when it turns out to be closed."""
        wait = outlet.soonest(charge, now, floor)
        if wait:
            closed = outlet.closed(now)
            if closed:
                self._park(outlet, closed, now)
        return _better(best, outlet, wait)

    def _heal(self, now: int) -> None:
        """Look at all of them."""
        self._healed_at = now
        self._heard = False
        if self._tally.sooner is not None:
            self._tally.sooner.clear()
        for size in self._sizes.values():
            size.heap.clear()
        self._sizes.clear()
        self._parked_heap.clear()
        self._parked.clear()
        self._closed.clear()
        self._filed.clear()
        for outlet in self._number:
            self._refresh(outlet, now)

    def _refresh(self, outlet: Outlet, now: int) -> None:
        closed = outlet.closed(now)
        if closed:
            self._park(outlet, closed, now)
        else:
            self._unpark(outlet)
            self._file(outlet, now)

    def _park(self, outlet: Outlet, closed: int, now: int) -> None:
        self._delist(outlet)
        self._filed.pop(outlet, None)
        self._misfits.pop(outlet, None)
        if outlet.breaker.limited or closed == UNTOLD:
            self._closed[outlet] = None
        else:
            self._closed.pop(outlet, None)
        full = outlet.full()
        if full is not None:
            full.listen(self._freed)
        when = UNTOLD if closed == UNTOLD else now + closed
        if self._parked.get(outlet) == when:
            return
        self._parked[outlet] = when
        if when != UNTOLD:
            heappush(self._parked_heap, (when, self._number[outlet], outlet))

    def _unpark(self, outlet: Outlet) -> None:
        self._parked.pop(outlet, None)
        self._closed.pop(outlet, None)
        self._enlist(outlet)

    def _file(self, outlet: Outlet, now: int) -> None:
        """Among those of its size, by when it is full."""
        tokens = outlet.quota.tokens
        bucket = tokens[0] if len(tokens) == 1 else None
        if not isinstance(bucket, Bucket):
            self._filed.pop(outlet, None)
            self._misfits[outlet] = None
            return
        self._misfits.pop(outlet, None)
        key = (bucket.limit, bucket.window_us, bucket.jitter_us)
        size = self._sizes.get(key)
        if size is None:
            size = self._sizes[key] = Size(bucket)
        when = now + bucket.wait(bucket.depth, now)
        if self._filed.get(outlet) != (size, when):
            self._filed[outlet] = size, when
            heappush(size.heap, (when, self._number[outlet], outlet))
            if len(size.heap) > _MOST_STALE * len(self._number):
                size.heap = list({entry for entry in size.heap if self._filed.get(entry[2]) == (size, entry[0])})
                heapify(size.heap)

    def _enlist(self, outlet: Outlet) -> None:
        if outlet not in self._place:
            self._place[outlet] = len(self.ready)
            self.ready.append(outlet)

    def _delist(self, outlet: Outlet) -> None:
        place = self._place.pop(outlet, None)
        if place is not None:
            last = self.ready.pop()
            if last is not outlet:
                self.ready[place] = last
                self._place[last] = place


def _better(best: tuple[int, Outlet | None], outlet: Outlet, wait: int) -> tuple[int, Outlet | None]:
    return (wait, outlet) if wait != NEVER and (best[0] == NEVER or wait < best[0]) else best
