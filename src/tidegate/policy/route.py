"""Which target serves the call: the first good one, else the one that makes the deadline, else none.

A gate that holds its quota sees no 429 to fall back on, so the choice is made by the *predicted* wait: the first
target in order that can start within `patience` and the deadline; when there is none, the soonest that makes the
deadline; when even that fails, the call is refused with the time at which the soonest could have served it.
O(targets), which are few.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.policy.allowance import NEVER


@dataclass(frozen=True, slots=True)
class Candidate:
    """A target that may still be tried. `wait_us` may be NEVER; `tripped` = refused on end, no probe due."""

    wait_us: int
    tripped: bool = False


@dataclass(frozen=True, slots=True)
class Choice:
    """`index` into the candidates, or -1: refused, and `wait_us` is when it could be served (NEVER: not at all)."""

    index: int
    wait_us: int


def choose(candidates: Sequence[Candidate], remaining_us: int, patience_us: int) -> Choice:
    """Pick by predicted wait; `remaining_us` is the time to the deadline."""
    soonest = -1
    for index, candidate in enumerate(candidates):
        wait = candidate.wait_us
        if wait == NEVER:
            continue
        last = index == len(candidates) - 1
        if wait <= remaining_us and wait <= patience_us and (not candidate.tripped or wait == 0 or last):
            return Choice(index, wait)
        if soonest < 0 or wait < candidates[soonest].wait_us:
            soonest = index
    if soonest < 0:
        return Choice(-1, NEVER)
    wait = candidates[soonest].wait_us
    return Choice(soonest if wait <= remaining_us else -1, wait)
