"""By weight: in the long run each outlet serves calls in proportion to its configured weight.

Rejection sampling: any outlet, accepted with the probability weight / largest weight. It keeps no state, so outlets
come and go at no cost. Of at most `TRIES` the last is taken as it is: with weights 100 : 1 that leaves the light ones
a little more than their part. O(1).
"""

from collections.abc import Sequence
from typing import Final

from tidegate.policy.pick.face import Luck, one_of
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.quota import Charge

TRIES = 16


class Weighted:
    """By `Outlet.weight_milli`."""

    __slots__ = ("_heaviest",)
    name: Final = "weighted"

    def __init__(self) -> None:
        self._heaviest = 1

    def arrange(self, outlets: Sequence[Outlet], tally: Tally) -> None:
        """Remember the largest weight."""
        self._heaviest = max((outlet.weight_milli for outlet in outlets), default=1)

    def choose(
        self, ready: Sequence[Outlet], charge: Charge, floor: int, affinity: int, now: int, luck: Luck
    ) -> Outlet | None:
        """The first that is accepted and can serve; when none is accepted, the last that can."""
        spare = None
        for _ in range(TRIES):
            outlet = one_of(ready, luck)
            accepted = luck() * self._heaviest < outlet.weight_milli
            if (accepted or spare is None) and outlet.fits(charge, now, floor):
                if accepted:
                    return outlet
                spare = outlet
        return spare

    def score(self, outlet: Outlet, charge: Charge, now: int) -> int:
        """Its weight: its part of the calls."""
        return outlet.weight_milli
