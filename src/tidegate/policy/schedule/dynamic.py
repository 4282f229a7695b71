"""Multilevel feedback by service received: the least served tenant goes first. The default.

Every tenant has a counter v of normalised service: tokens / weight, charged by reservation at dispatch and corrected by
`spent` (virtual token counter, VTC: Sheng et al., OSDI'24, arXiv 2401.00588). Its level is v in steps of U. A bitmap
says which levels are occupied, the lowest goes first. Within a level tenants take turns call by call and stay until v
has grown into another: deficit round robin by tokens with quantum U × weight (Shreedhar & Varghese, 1995). Let V be
the start of the level that was served last (the virtual time of start-time fair queuing: Goyal et al., SIGCOMM 1996).

* Entry (a tenant that had nothing waiting): v := V + min(max(lead, k × U), c / weight). Lead is what of v - V was left
  after V moved on, halved every `half_life` of idleness: nobody saves up service (VTC's lift), and who had much lately,
  by the queue or past it, starts behind who had little, by one largest call c at most. k = 0 usually, but grows by
  one with every n / 8 newcomers (4 at least) while V does not move, n = the tenants that wait: so that strangers,
  however many come, cannot hold V still.
* Tenants that entered without lead have every second turn of their level, in the order in which they came.
* A call that is due (its tenant was refused, told this time and came back) goes before every level when nothing else
  of its tenant waits and its lead is below 7c/8w, or when v with all that waits is below V + U + 3c/8w; else it is the
  next of its tenant. It counts as no newcomer, and V moves by its cost / the weight of all who wait or were told a
  time, but past nobody who waits.
* While a tenant waits nothing decays: what it is served is counted to the token.

Invariant, without corrections: V ≤ v < V + U + c/weight for all who wait (15c/8w where calls are due). Proof: entry
keeps it. A turn is given in the lowest occupied level, whose start becomes V, so V ≤ v of all and V only grows; who is
served had v < V + U (+ 7c/8w when it was due), and gains at most c/weight. U ≤ c / (16 × the largest weight); a change
of U lowers V by less than the new U. Who is corrected to below V shares the level of V, turn by turn, until it has
caught up.

Bounds, w = weight, r = tokens/s of this tier, c = the largest call of the last two measuring periods:
* Fairness: between two tenants of equal weight that wait throughout, over every interval, service differs by less than
  2 × (c + w × U) ≤ 2.125 c tokens + the corrections of both that came late (proof: v_i - v_j begins and ends within
  ± (U + c/w)), 3 c where calls are due; with different weights normalised service differs by less than
  c/w_i + c/w_j + 2 U. Rounding adds less than w / 10⁶ tokens a call.
* Wait of a first call that enters at V + l (l ≤ c/w): Σ over the others that wait of (w_j × (l + U) + c) / r, and as
  much for each tenant that comes later and enters below it. Nobody starves: no more than max(4, n / 8) newcomers enter
  at a level while V stands at one, so V moves on however many come. A tenant without lead usually waits for one or two
  calls.
* No idling: who waits is served.

Complexity: O(1) in calls and tenants, amortised. Levels beyond `_HORIZON` (weights 200 times apart, great corrections)
are looked at again when V gets there; U is measured anew, and levels rebuilt, once in `_PERIOD` + 4 × tenants turns.
Tenants without waiting calls are kept while their lead counts, at most `keep` of them, the oldest go first.
"""

from collections import OrderedDict, deque
from functools import partial
from typing import Final

from tidegate.model.tenant import Tenant
from tidegate.policy.schedule.flow import Band, Flow, around
from tidegate.policy.schedule.tiered import BOOST_AFTER_US, BOOST_SHARE_MILLI, Tiered

HALF_LIFE_US: Final = 60_000_000
KEEP: Final = 10_000
_UNIT: Final = 10**9  # v counts millionths of a token at weight 1: tokens × _UNIT / weight_milli
_STEPS: Final = 16  # levels to the largest call, at least
_HORIZON: Final = 4_095  # levels that the bitmap tells apart
_PERIOD: Final = 1_024  # turns between two looks at the size of calls
_GUESTS: Final = 4  # newcomers that may start at V before it moves, or an eighth of those who wait
_FRESH_US: Final = 500_000  # service past the queue within this time is one sum: its decay is not reckoned


class _Levels(Band):
    """The levels of one tier."""

    __slots__ = (
        "_base", "_bits", "_entered", "_fresh", "_half_life", "_heaviest", "_heavy", "_moves", "_passed", "_peak",
        "_rings", "_shift", "_since", "_tokens", "_turns", "_welcomed", "largest",
    )  # fmt: skip

    def __init__(self, rank: int, half_life: int = HALF_LIFE_US) -> None:
        super().__init__(rank)
        self._half_life = half_life
        self._shift = 0  # U = 1 << shift
        self._base = 0  # level of V
        self._bits = 0  # bit n: level base + n is occupied
        self._rings: dict[int, Flow] = {}  # by level: whose turn is next in it
        self._entered = 0  # newcomers without lead, since V moved
        self._passed = 0  # by which V is further than the start of its level, as due calls have moved it
        self._tokens = self._moves = 0.0  # of late: what was served, while V moved by so much
        self._since = 0  # tokens served since V moved
        self._fresh: OrderedDict[Flow, None] = OrderedDict()  # who entered without lead and has had no turn since
        self._welcomed = False  # the last turn was one of theirs
        self._turns = _PERIOD  # left of this measuring period
        self._peak = self._heavy = 1  # call and weight, greatest of this period
        self.largest = self._heaviest = 1  # and of the one before too

    def enter(self, flow: Flow, now: int, *, due: bool = False) -> None:
        cost = flow.tokens // flow.count  # who moves here from another tier may bring several
        if cost > self._peak or flow.weight > self._heavy:
            self._measure(cost, flow.weight)
        lead = self.lead(flow, now)
        held = 0 if due else self._held()
        if lead <= held and not due:
            self._entered += 1
        behind = min(max(lead, held), self.largest * _UNIT // flow.weight) if lead or held else 0
        if due:
            behind -= behind >> 3
        flow.v = (self._base << self._shift) + behind
        self._place(flow)
        if lead <= held and not due:
            self._fresh[flow] = None

    def _held(self) -> int:
        """By how much the next newcomer is behind V, so that newcomers cannot hold it still."""
        return self._entered // max(_GUESTS, self.flows >> 3) << self._shift

    def leave(self, flow: Flow, now: int) -> None:
        self._displace(flow)
        flow.touched = now
        self._fresh.pop(flow, None)

    def turn(self) -> Flow:
        while True:
            first = (self._bits & -self._bits).bit_length() - 1
            level = self._base + first
            flow = self._rings[level]
            if self._fresh and not self._welcomed:
                longest = next(iter(self._fresh))
                if longest.level == level:
                    flow = longest
            if flow.v >> self._shift <= level:
                return flow
            self._bring_near(flow, first)

    def order(self, most: int) -> list[Flow]:
        flows: list[Flow] = []
        for level in sorted(self._rings):
            flow = head = self._rings[level]
            while len(flows) < most:
                flows.append(flow)
                flow = flow.right
                if flow is head:
                    break
        return flows

    def served(self, flow: Flow, cost: int, now: int) -> None:
        level = flow.level
        self._since += cost
        if level != self._base:
            self._tokens += self._since - self._tokens / _STEPS
            self._moves += ((level - self._base) << self._shift) - self._moves / _STEPS
            self._since = 0
            self._bits >>= level - self._base
            self._base = level
            self._entered = 0
        self._welcomed = False
        if flow in self._fresh:
            del self._fresh[flow]
            self._welcomed = self._rings[level] is not flow
        flow.v += cost * _UNIT // flow.weight
        if flow.count and flow.v >> self._shift <= level:
            if self._rings[level] is flow:
                self._rings[level] = flow.right
        else:
            self._displace(flow)
            if flow.count:
                self._place(flow)
            else:
                flow.touched = now
        self._size(flow, cost)

    def served_due(self, flow: Flow, cost: int, now: int) -> None:
        self._since += cost
        flow.v += cost * _UNIT // flow.weight
        if not flow.count:
            self.leave(flow, now)
        elif flow.v >> self._shift != flow.level:
            self._displace(flow)
            self._place(flow)
        self._pass(cost * _UNIT // (self.told + self.weight + flow.weight))
        self._size(flow, cost)

    def served_ahead(self, flow: Flow, cost: int, now: int) -> None:
        """V is where the least served of those that wait stands: nobody here decides who that will be."""
        self.served_due(flow, cost, now)
        steps = (self._bits & -self._bits).bit_length() - 1
        if steps > 0:
            self._bits >>= steps
            self._base += steps
            self._entered = 0

    def passed(self, tokens: int, told: int) -> None:
        if told:
            self._pass(tokens * _UNIT // (told + self.weight))

    def _pass(self, amount: int) -> None:
        """V moves by what each of those who were told a time has had on average, but never past one who waits."""
        self._passed += amount
        steps = self._passed >> self._shift
        if steps and self._bits:
            steps = min(steps, (self._bits & -self._bits).bit_length() - 1)
        if steps:
            self._bits >>= steps
            self._base += steps
            self._entered = 0
        self._passed &= (1 << self._shift) - 1

    def honours(self, flow: Flow, now: int) -> bool:
        if not flow.count:
            return 8 * self.lead(flow, now) * flow.weight < 7 * self.largest * _UNIT
        ahead = flow.v - ((self._base + 1) << self._shift)
        return 8 * (ahead * flow.weight + flow.tokens * _UNIT) < 3 * self.largest * _UNIT

    def _size(self, flow: Flow, cost: int) -> None:
        if cost > self._peak or flow.weight > self._heavy:
            self._measure(cost, flow.weight)
        self._turns -= 1
        if self._turns < 0:
            self._next_period()

    def before(self, flow: Flow | None, weight: int, others: int, now: int) -> int:
        start = self._start(flow, weight, now)
        mine = flow.count if flow is not None else 0
        fresh = -(-others * len(self._fresh) // (self.count - mine))
        if not mine:
            start = max(start, self._held())
        if not start:
            return 2 * fresh + self.largest  # every second turn is one of theirs
        start += 1 << self._shift
        rivals = self.weight - flow.weight if flow is not None and mine else self.weight
        return (start * rivals // _UNIT if start > 0 else 0) + fresh + self.largest

    def sooner(self, flow: Flow, weight: int, others: int) -> int:
        return (flow.tokens - flow.due_tokens) * (self.weight - flow.weight) // weight if flow.count else 0

    def drift(self, flow: Flow | None, weight: int, now: int) -> int:
        start = self._start(flow, weight, now)
        return int(start * self._tokens / self._moves) if start > 0 and self._moves else 0

    def _start(self, flow: Flow | None, weight: int, now: int) -> int:
        """How far V has to move until a new call of this tenant has its turn."""
        if flow is None:
            return 0
        if flow.count:
            return flow.v - (self._base << self._shift) + flow.tokens * _UNIT // weight
        return min(self.lead(flow, now), self.largest * _UNIT // weight)

    def spent(self, flow: Flow, tokens: int, now: int) -> None:
        gained = tokens * _UNIT // flow.weight
        if flow.count:
            flow.v += gained
            at = flow.v >> self._shift
            if at != flow.level and (at > flow.level or flow.level != self._base):
                self._displace(flow)
                self._place(flow)
                self._fresh.pop(flow, None)
        elif now - flow.touched < _FRESH_US and flow.v >= self._base << self._shift:
            flow.v += gained
        else:
            flow.v = (self._base << self._shift) + self.lead(flow, now) + gained
            flow.touched = now

    def moved(self, flow: Flow, old: Band, now: int) -> None:
        lead = old.lead(flow, now) if isinstance(old, _Levels) else 0
        flow.v = (self._base << self._shift) + lead
        flow.touched = now

    def renewed(self, flow: Flow, weight: int) -> None:
        super().renewed(flow, weight)
        self._measure(1, weight)

    def lead(self, flow: Flow, now: int) -> int:
        """By how much an idle tenant's service is ahead of V, decayed: a half each half-life, linear between."""
        lead = flow.v - (self._base << self._shift)
        if lead <= 0:
            return 0
        idle = now - flow.touched
        if idle <= 0:
            return lead
        halvings, rest = divmod(idle, self._half_life)
        lead >>= halvings
        return lead - lead * rest // (2 * self._half_life)

    def negligible(self, flow: Flow, now: int) -> bool:
        """Its lead is less than a level: forgetting it changes next to nothing."""
        return self.lead(flow, now) < 1 << self._shift

    def _place(self, flow: Flow) -> None:
        """At the back of its level's ring; who is behind V shares the level of V until it has caught up."""
        at = (flow.v >> self._shift) - self._base
        if at < 0:
            at = 0
        elif at > _HORIZON:
            at = _HORIZON
        level = flow.level = self._base + at
        head = self._rings.get(level)
        if head is None:
            self._rings[level] = flow
            self._bits |= 1 << at
        else:
            flow.join(head)

    def _displace(self, flow: Flow) -> None:
        after = flow.right
        if after is flow:
            del self._rings[flow.level]
            self._bits ^= 1 << (flow.level - self._base)
            return
        if self._rings[flow.level] is flow:
            self._rings[flow.level] = after
        flow.part()

    def _bring_near(self, flow: Flow, first: int) -> None:
        """A tenant that was beyond the horizon when it was placed: V has moved on, or all are beyond it."""
        if first < _HORIZON:
            self._displace(flow)
            self._place(flow)
        else:
            self._rebuild(min(each.v for each in around(flow)) >> self._shift)

    def _measure(self, cost: int, weight: int) -> None:
        """Keep the greatest call and weight; levels get finer at once, wider when nobody waits or a period ends."""
        self._peak = max(self._peak, cost)
        self._heavy = max(self._heavy, weight)
        if cost > self.largest or weight > self._heaviest:
            self.largest = max(self.largest, cost)
            self._heaviest = max(self._heaviest, weight)
            if self._fitting() < self._shift or not self._bits:
                self._rescale()

    def _next_period(self) -> None:
        self._turns = _PERIOD + 4 * self.flows
        self.largest, self._heaviest = self._peak, self._heavy
        self._peak = self._heavy = 1
        if self._fitting() != self._shift:
            self._rescale()

    def _fitting(self) -> int:
        """The width of levels, as a shift: at most a 16th of the largest call of the weightiest tenant."""
        return max(0, (self.largest * _UNIT // (_STEPS * self._heaviest)).bit_length() - 1)

    def _rescale(self) -> None:
        floor = self._base << self._shift
        self._shift = self._fitting()
        self._rebuild(floor >> self._shift)

    def _rebuild(self, base: int) -> None:
        """Place everybody anew, in the order of levels and turns. O(tenants + levels)."""
        rings = self._rings
        self._rings = {}
        self._bits = 0
        self._base = base
        for level in sorted(rings):
            for flow in around(rings[level]):
                flow.left = flow.right = flow
                self._place(flow)


class Dynamic(Tiered):
    """The least served tenant of the first tier goes first."""

    __slots__ = ("_keep", "_parked")

    def __init__(
        self,
        *,
        boost_after: int = BOOST_AFTER_US,
        boost_share_milli: int = BOOST_SHARE_MILLI,
        half_life: int = HALF_LIFE_US,
        keep: int = KEEP,
    ) -> None:
        """`half_life` of what counts as recent service, in microseconds; `keep` = tenants remembered, none waiting."""
        levels = partial(_Levels, half_life=half_life)
        super().__init__(levels, boost_after=boost_after, boost_share_milli=boost_share_milli)
        self._keep = keep
        self._parked: deque[Flow] = deque()  # those that may be forgotten, and some that wait again

    def spent(self, tenant: Tenant, tokens: int, now: int) -> None:
        flow = self._flows.get(tenant.flow)
        if flow is None:
            if tokens <= 0:
                return
            flow = self._met(tenant, now)
            self._idle(flow, now)
        flow.band.spent(flow, tokens, now)
        if self._debt > 0:
            self._repay(tokens)

    def _met(self, tenant: Tenant, now: int) -> Flow:
        self._forget(now)
        return super()._met(tenant, now)

    def _idle(self, flow: Flow, now: int) -> None:
        if not flow.parked:
            flow.parked = True
            self._parked.append(flow)
            if len(self._parked) > self._keep:
                self._forget(now)

    def _forget(self, now: int) -> None:
        """Look at the two that were parked first: a new tenant costs two looks, so that old ones go as fast."""
        parked = self._parked
        for _ in range(min(2, len(parked))):
            flow = parked.popleft()
            flow.parked = False
            if not flow.count:
                if len(parked) >= self._keep or flow.band.negligible(flow, now):
                    self._drop(flow)
                else:
                    flow.parked = True
                    parked.append(flow)
