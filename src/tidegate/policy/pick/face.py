"""The face of every strategy.

A strategy looks at a few outlets, not at all: it may miss one that could serve. The pool then looks for it, so what a
strategy decides is preference, never whether a call passes.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.quota import Charge

Luck = Callable[[], float]  # uniform in [0, 1)


class Strategy(Protocol):
    """How one pool prefers."""

    @property
    def name(self) -> str:
        """As the configuration calls it."""

    def arrange(self, outlets: Sequence[Outlet], tally: Tally) -> None:
        """The pool has these outlets from now on; `tally` is what they carry together."""

    def choose(
        self, ready: Sequence[Outlet], charge: Charge, floor: int, affinity: int, now: int, luck: Luck
    ) -> Outlet | None:
        """One that can serve the call now (`Outlet.fits`), or None when the few looked at cannot.

        `ready` (not empty) are those that are not known to be closed. O(1) in outlets, or O(log outlets).
        """

    def score(self, outlet: Outlet, charge: Charge, now: int) -> int:
        """What it compares this one with others by, for who reads why another was taken; in thousandths. O(1)."""


def one_of(ready: Sequence[Outlet], luck: Luck) -> Outlet:
    """Any of them, each as likely as the other."""
    return ready[int(luck() * len(ready))]
