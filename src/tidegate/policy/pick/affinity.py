"""Where the prompt's beginning is cached: consistent hashing with bounded loads.

A call with an affinity key (digest of what its prompt begins with) goes to the outlet that follows the key on a ring,
unless that one carries more than ⌈(1 + ε) × its part of all calls in flight⌉; then it walks on to the next with room.
So a burst on one prefix overflows, and returns home when the load falls (Mirrokni, Thorup and Zadimoghaddam,
"Consistent Hashing with Bounded Loads", SODA 2018; ε = 0.25). When an outlet comes or goes only its own keys move.

Where cached input is free (`Outlet.prefixes`) tokens decide, not calls: a call goes to the first on its way where its
beginning is cached, or to one further on where that spares much more. When none of these has enough tokens just now,
the call waits for it rather than pay for its whole prompt elsewhere, unless that takes long or another has plenty.

A call without a key goes to the less loaded of two. O(log outlets) and the walk, which is short: a part of the
outlets of at most 1 / (1 + ε) can be full at once, so O(1/ε²) places on average.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from tidegate.policy.pick.face import Luck
from tidegate.policy.pick.least_loaded import LeastLoaded
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge
from tidegate.policy.ring import place

SLACK_PERMILLE = 250
POINTS = 32  # places of each outlet; the bound, not their number, keeps the loads even
LONGEST_WALK = 256
PATIENCE_US = 5_000_000  # how long a call waits for where its prompt is cached
PLENTY = 2  # 1 / PLENTY of the limit left after a call is more than who is at home there will need soon
CLOSE = 32  # 1 / CLOSE of the charge spared is no reason to leave home
NEAR = 8  # outlets in whose cache is looked
LONGEST_SEARCH = 8  # outlets with room that cannot serve: the pool is short of quota, and looks itself
_MASK = (1 << 64) - 1
_MIX = 0x9E3779B97F4A7C15  # odd: a digest may be short or regular, its place must not be


class Affinity:
    """A ring of outlets."""

    __slots__ = ("_homes", "_near", "_otherwise", "_places", "_tally", "_weight", "held")
    name: Final = "affinity"

    def __init__(self) -> None:
        self._otherwise = LeastLoaded()
        self._homes: list[Outlet] = []
        self._near: list[tuple[Outlet, ...]] = []  # the first few outlets from each place on
        self._places: list[int] = []
        self._tally = Tally()
        self._weight = 1
        self.held = 0  # microseconds that the call just refused had better wait for its cache, 0 = it need not

    def arrange(self, outlets: Sequence[Outlet], tally: Tally) -> None:
        """Build the ring. O(n log n) in outlets."""
        pairs = sorted(
            (place(f"{outlet.name}#{number}"), index)
            for index, outlet in enumerate(outlets)
            for number in range(POINTS)
        )
        self._places = [at for at, _ in pairs]
        self._homes = [outlets[index] for _, index in pairs]
        self._near = _first_from(self._homes, min(NEAR, len(outlets)))
        self._tally = tally
        self._weight = max(1, sum(outlet.weight_milli for outlet in outlets))

    def choose(
        self, ready: Sequence[Outlet], charge: Charge, floor: int, affinity: int, now: int, luck: Luck
    ) -> Outlet | None:
        """The key's home, or the first on the way from it that has room and can serve."""
        if not affinity:
            return self._otherwise.choose(ready, charge, floor, affinity, now, luck)
        homes = self._homes
        at = bisect_left(self._places, affinity * _MIX & _MASK)
        if charge.prefix:
            cached = self._where_cached(self._near[at % len(homes)], charge, floor, now)
            if cached is not None or self.held:
                return cached
        passed, unfit = None, 0
        for step in range(min(len(homes), LONGEST_WALK)):
            outlet = homes[(at + step) % len(homes)]
            if outlet is not passed and outlet.calls < self.room(outlet):
                if outlet.fits(charge, now, floor):
                    return outlet
                unfit += 1
                if unfit == LONGEST_SEARCH:
                    break
            passed = outlet
        return None

    def _where_cached(self, near: Sequence[Outlet], charge: Charge, floor: int, now: int) -> Outlet | None:
        """Where its prompt costs least, the first on the way if about the same; or where plenty is; else `held`."""
        self.held = 0
        best, least, wait = None, 0, 0
        for outlet in near:
            due = outlet.due(charge, now).tokens
            if due == charge.tokens or (best is not None and due + charge.tokens // CLOSE >= least):
                continue
            soon = 0 if outlet.fits(charge, now, floor) else outlet.soonest(charge, now, floor)
            if soon != NEVER and soon <= PATIENCE_US:
                best, least, wait = outlet, due, soon
        if best is None or wait == 0:
            return best
        for outlet in near:
            if _has_plenty(outlet, charge, now) and outlet.fits(charge, now, floor):
                return outlet
        self.held = wait
        return None

    def home(self, affinity: int) -> Outlet:
        """Where the key's calls go while there is room. Raises `LookupError` when the pool is empty."""
        if not self._homes:
            raise LookupError("the pool has no outlet")
        return self._homes[bisect_left(self._places, affinity * _MIX & _MASK) % len(self._homes)]

    def room(self, outlet: Outlet) -> int:
        """How many calls it may carry at once, when one more is in flight in the pool than now."""
        calls = (self._tally.calls + 1) * outlet.weight_milli * (1_000 + SLACK_PERMILLE)
        return -(-calls // (1_000 * self._weight))

    def score(self, outlet: Outlet, charge: Charge, now: int) -> int:
        """The calls that it carries, of as many as it may at once: from 1,000 on calls walk past it."""
        return outlet.calls * 1_000 // max(1, self.room(outlet))


def _has_plenty(outlet: Outlet, charge: Charge, now: int) -> bool:
    """Whether much is left there after the call, so that it would go to waste."""
    limit = min((allowed.limit for allowed in outlet.quota.tokens), default=0)
    return (outlet.left(now) - outlet.due(charge, now).tokens) * PLENTY >= limit


def _first_from(homes: Sequence[Outlet], most: int) -> list[tuple[Outlet, ...]]:
    """For each place of the ring the first `most` different outlets from there on. There are as many."""
    found: list[tuple[Outlet, ...]] = []
    for at in range(len(homes)):
        first: dict[Outlet, None] = {}
        step = at
        while len(first) < most:
            first[homes[step % len(homes)]] = None
            step += 1
        found.append(tuple(first))
    return found
