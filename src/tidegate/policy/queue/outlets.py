"""The outlets of a pool: which of them can serve a call now, or how soon one can.

`pick` finds one whenever there is one, by the strategy's preference as far as the few that it looks at can serve;
`soonest` is exact. A pool of one asks it directly, a small one asks all, a large one keeps an `Index`.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from tidegate.model.story import LaneSeen
from tidegate.policy.pick.affinity import Affinity
from tidegate.policy.pick.face import Luck, Strategy
from tidegate.policy.queue.index import Index
from tidegate.policy.queue.lineup import lineup
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.queue.records import States as States
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.quota import Charge
from tidegate.units import SECOND_US

SMALL = 12  # outlets up to which asking all is cheaper than keeping an index

_LEAST = Charge(1)
_TOLD: Final = 20  # times a second that how they stand is told: each takes as long as some decisions
_TOLD_US: Final = SECOND_US // _TOLD


class Outlets:
    """The set of one pool."""

    __slots__ = (
        "_alert", "_index", "_loyal", "_missed", "_only", "_outlets", "_room", "_serving", "_small", "_strategy",
        "_told", "tally",
    )  # fmt: skip

    def __init__(
        self,
        outlets: Sequence[Outlet],
        strategy: Strategy,
        alert: Callable[[], None] | None = None,
        room: Callable[[], None] | None = None,
        *,
        small: int = SMALL,
    ) -> None:
        """`alert` is called when a breaker opened or closed, `room` when a scope that was at its cap has room again.

        Both by whichever pool's calls.
        """
        self._strategy = strategy
        self._loyal = strategy if isinstance(strategy, Affinity) else None
        self._alert = alert
        self._room = room
        self._small = small
        self._outlets: list[Outlet] = []
        self._serving: Sequence[Outlet] | None = None  # None: to be found out
        self._only: Outlet | None = None
        self._index: Index | None = None
        self._missed: tuple[Charge, int, int, int] | None = None  # whom `pick` just found nobody for
        self._told = -SECOND_US  # how they stand may be told again from then on
        self.tally = Tally()
        self.arrange(outlets)

    def __len__(self) -> int:
        return len(self._outlets)

    def __iter__(self) -> Iterator[Outlet]:
        return iter(self._outlets)

    @property
    def all(self) -> Sequence[Outlet]:
        """Every outlet of the pool."""
        return self._outlets

    @property
    def serving(self) -> Sequence[Outlet]:
        """Those that are not drained; all of them where nobody else is left. O(outlets) after a change."""
        if self._serving is None:
            drained = any(outlet.breaker.drained for outlet in self._outlets)
            kept = [outlet for outlet in self._outlets if not outlet.breaker.drained] if drained else self._outlets
            self._serving = kept or self._outlets
        return self._serving

    def arrange(self, outlets: Sequence[Outlet]) -> None:
        """The pool has these outlets from now on; who stays keeps what it carries, who left ends its calls alone."""
        self.rest()
        self._outlets = list(outlets)
        self._only = self._outlets[0] if len(self._outlets) == 1 else None
        self._serving = None
        self.tally.sooner = None
        self._index = Index(self._outlets, self.tally, self._freed) if len(self._outlets) > self._small else None
        self._missed = None
        for outlet in self._outlets:
            outlet.join(self.tally)
            outlet.breaker.listen(self._heard)
        self._strategy.arrange(self._outlets, self.tally)

    def rest(self) -> None:
        """Nobody waits here any more, nor will: hear nothing of the outlets. They serve on when they are asked."""
        for outlet in self._outlets:
            outlet.breaker.unlisten(self._heard)
            outlet.part(self.tally)

    def pick(self, charge: Charge, floor: int, affinity: int, now: int, luck: Luck) -> Outlet | None:
        """One that can serve the call now, None when none can."""
        only = self._only
        if only is not None:
            return only if only.fits(charge, now, floor) else None
        index = self._index
        if index is None:
            ready: Sequence[Outlet] = self._outlets
        else:
            if index.parked:
                index.catch_up(now)
            ready = index.ready
        if ready:
            chosen = self._strategy.choose(ready, charge, floor, affinity, now, luck)
            if chosen is not None:
                return chosen
            if charge.prefix and affinity and self._loyal is not None and self._loyal.held:
                self._missed = charge, floor, now, self._loyal.held
                return None
        return self._any(charge, floor, now)

    def _any(self, charge: Charge, floor: int, now: int) -> Outlet | None:
        """One that the strategy did not look at."""
        if self._index is not None:
            wait, outlet = self._index.find(charge, floor, now)
            if wait == 0:
                return outlet
            self._missed = charge, floor, now, wait
            return None
        for outlet in self._outlets:
            if outlet.fits(charge, now, floor):
                return outlet
        return None

    def soonest(self, charge: Charge, floor: int, now: int) -> int:
        """Microseconds until one can serve the call, if nobody else comes. Who is told of `room` has asked this.

        0 = now; NEVER = too large for all; UNTOLD = only a probe's outcome or a call's end will tell.
        """
        missed, self._missed = self._missed, None
        if missed is not None and missed[:3] == (charge, floor, now):
            return missed[3]
        if self._index is not None:
            return self._index.find(charge, floor, now)[0]
        best = NEVER
        for outlet in self._outlets:
            wait = outlet.soonest(charge, now, floor)
            if wait == 0:
                return 0
            full = outlet.full()
            if full is not None:
                full.listen(self._freed)
            if wait != NEVER and (best == NEVER or wait < best):
                best = wait
        return best

    def changed(self, outlet: Outlet | None = None) -> None:
        """Its limit changed, or tokens came back that no call of this pool held; None: perhaps every one's.

        A call's end and a breaker need not be told.
        """
        self._missed = None
        if self._index is not None:
            if outlet is None:
                self._index.renew()
            else:
                self._index.changed(outlet)

    def _freed(self) -> None:
        self._missed = None
        if self._index is not None:
            self._index.heard()
        if self._room is not None:
            self._room()

    def _heard(self) -> None:
        self._missed = self._serving = None
        if self._index is not None:
            self._index.heard()
        if self._alert is not None:
            self._alert()

    @property
    def rule(self) -> str:
        """By which of several it prefers."""
        return self._strategy.name

    def lineup(self, charge: Charge, floor: int, now: int, taken: Outlet | None) -> tuple[LaneSeen, ...]:
        """How they stand to such a call, for its story; () when many asked of late: then it would be a crowd's.

        O(1): of many outlets a few are told, `taken` among them.
        """
        due = max(self._told, now - _TOLD_US * (_TOLD - 1))
        if due > now:
            return ()
        self._told = due + _TOLD_US
        return lineup(self._outlets, self._strategy, charge, floor, now, taken)

    def states(self, now: int) -> States:
        """How they stand, for who looks. O(outlets)."""
        states = States([], [], [], [])
        for outlet in self._outlets:
            breaker = outlet.breaker
            if breaker.limited and (breaker.wait(now) or breaker.blocked()):
                (states.tripped if breaker.tripped else states.cooling).append(outlet)
            else:
                (states.ready if outlet.fits(_LEAST, now) else states.busy).append(outlet)
        return states
