"""The most headroom among a few: the largest share of its scarcest limit that would be left after the call.

Looks at every dimension (requests, tokens), so a scope with tokens but without requests is not taken for a rich one.
Sampling keeps it O(1) and keeps many workers from running to the same outlet at once.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.policy.pick.face import Luck
from tidegate.policy.queue.outlet import Outlet, Tally
from tidegate.policy.quota.quota import Charge

SAMPLED = 4


class Headroom:
    """The best of `SAMPLED` neighbours at a random place."""

    __slots__ = ()
    name: Final = "headroom"

    def arrange(self, outlets: Sequence[Outlet], tally: Tally) -> None:
        """Nothing is kept."""

    def choose(
        self, ready: Sequence[Outlet], charge: Charge, floor: int, affinity: int, now: int, luck: Luck
    ) -> Outlet | None:
        """Of those sampled that can serve, the one with the most headroom."""
        count, best, most = len(ready), None, 0.0
        at = int(luck() * count)
        for step in range(min(SAMPLED, count)):
            outlet = ready[(at + step) % count]
            if outlet.fits(charge, now, floor):
                room = outlet.headroom(charge, now)
                if best is None or room > most:
                    best, most = outlet, room
        return best

    def score(self, outlet: Outlet, charge: Charge, now: int) -> int:
        """What would be left of its scarcest limit: the most goes first."""
        return int(1_000 * outlet.headroom(charge, now))
