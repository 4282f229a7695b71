"""The less loaded of two: by tokens in flight relative to the limit.

Two random choices instead of one bring the largest load from O(log n / log log n) down to O(log log n) (Azar, Broder,
Karlin and Upfal, STOC 1994; Mitzenmacher 1996). Load is what is reserved, not the number of calls: ten long prompts
weigh more than ten short ones. O(1).
"""

from collections.abc import Sequence
from typing import Final

from tidegate.policy.pick.face import Luck
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.quota import Charge


class LeastLoaded:
    """Two choices."""

    __slots__ = ()
    name: Final = "least_loaded"

    def arrange(self, outlets: Sequence[Outlet], tally: Tally) -> None:
        """Nothing is kept."""

    def choose(
        self, ready: Sequence[Outlet], charge: Charge, floor: int, affinity: int, now: int, luck: Luck
    ) -> Outlet | None:
        """The less loaded of two different ones if it can serve, else the other."""
        count = len(ready)
        first = int(luck() * count)
        one = ready[first]
        if count > 1:
            other = ready[(first + 1 + int(luck() * (count - 1))) % count]
            if other.load() < one.load():
                one, other = other, one
            if one.fits(charge, now, floor):
                return one
            one = other
        return one if one.fits(charge, now, floor) else None

    def score(self, outlet: Outlet, charge: Charge, now: int) -> int:
        """The load: tokens in flight, as milliseconds of its limit. The least goes first."""
        return int(1_000 * outlet.load())
