"""The outlets of a pool: which of them can serve a call now, or how soon one can.

`pick` finds one whenever there is one, by the strategy's preference; `soonest` is exact. A pool of one outlet asks it
directly.
"""

from collections.abc import Callable, Iterator, Sequence

import msgspec

from tidegate.policy.allowance import NEVER
from tidegate.policy.outlet import Outlet, Tally
from tidegate.policy.pick.face import Luck, Strategy
from tidegate.policy.quota import Charge


class States(msgspec.Struct, frozen=True):
    """Every outlet in one list. `busy`: quota or cap used up; `cooling`: refused for a while; `tripped`: on end."""

    ready: list[Outlet]
    busy: list[Outlet]
    cooling: list[Outlet]
    tripped: list[Outlet]


class Outlets:
    """The set of one pool."""

    __slots__ = ("_alert", "_only", "_outlets", "_strategy", "tally")

    def __init__(self, outlets: Sequence[Outlet], strategy: Strategy, alert: Callable[[], None] | None = None) -> None:
        """`alert` is called when the breaker of an outlet changed, by this pool or by another one."""
        self._strategy = strategy
        self._alert = alert
        self._outlets: list[Outlet] = []
        self._only: Outlet | None = None
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

    def arrange(self, outlets: Sequence[Outlet]) -> None:
        """The pool has these outlets from now on; who stays keeps what it carries, who left ends its calls alone."""
        for outlet in self._outlets:
            outlet.breaker.unlisten(self._heard)
            outlet.part(self.tally)
        self._outlets = list(outlets)
        self._only = self._outlets[0] if len(self._outlets) == 1 else None
        for outlet in self._outlets:
            outlet.join(self.tally)
            outlet.breaker.listen(self._heard)
        self._strategy.arrange(self._outlets, self.tally)

    def pick(self, charge: Charge, floor: int, affinity: int, now: int, luck: Luck) -> Outlet | None:
        """One that can serve the call now, None when none can."""
        only = self._only
        if only is not None:
            return only if only.fits(charge, now, floor) else None
        if not self._outlets:
            return None
        chosen = self._strategy.choose(self._outlets, charge, floor, affinity, now, luck)
        return chosen if chosen is not None else self._any(charge, floor, now)

    def _any(self, charge: Charge, floor: int, now: int) -> Outlet | None:
        for outlet in self._outlets:
            if outlet.fits(charge, now, floor):
                return outlet
        return None

    def soonest(self, charge: Charge, floor: int, now: int) -> int:
        """Microseconds until one can serve the call, if nobody else comes.

        0 = now; NEVER = too large for all; UNTOLD = only a probe's outcome or a call's end will tell.
        """
        best = NEVER
        for outlet in self._outlets:
            wait = outlet.soonest(charge, now, floor)
            if wait == 0:
                return 0
            if wait != NEVER and (best == NEVER or wait < best):
                best = wait
        return best

    def changed(self, outlet: Outlet, now: int) -> None:
        """It may be able to serve sooner: a call ended, tokens came back, a limit changed."""

    def _heard(self) -> None:
        if self._alert is not None:
            self._alert()

    def states(self, now: int) -> States:
        """How they stand, for who looks. O(outlets)."""
        states = States([], [], [], [])
        for outlet in self._outlets:
            breaker = outlet.breaker
            if breaker.limited and (breaker.wait(now) or breaker.blocked()):
                (states.tripped if breaker.tripped else states.cooling).append(outlet)
            else:
                fits = outlet.fits(Charge(1), now)
                (states.ready if fits else states.busy).append(outlet)
        return states
