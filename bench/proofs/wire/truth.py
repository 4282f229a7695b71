"""Were the times that refused calls were told true? Judged by the provider's ledger, not by the gate.

A refused call was told to come back after so long. What stood before it then, is known: the accepted calls that were
due earlier, less what the provider had charged by then, and those who were refused earlier and told a time that had not
come, as far as they come back: nobody is told a time that is another's. So a true time lies between two: when the
provider has charged what was accepted and has room for the call itself, and when it has done so for those, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import accumulate


@dataclass(frozen=True, slots=True)
class Offered:
    """A call of the run: seconds after the first when it was due, its weight in tokens, whether it was refused."""

    due_s: float
    weight: float
    refused: bool


@dataclass(frozen=True, slots=True)
class Told:
    """A refusal: which call, when it came, and the wait it named; seconds."""

    index: int
    at_s: float
    wait_s: float


def errors(calls: Sequence[Offered], refusals: Sequence[Told], charged: Sequence[int], rate: float) -> list[float]:
    """By how many seconds each told wait lies outside of what is true. `charged`: per second; `rate`: tokens a second.

    O(calls + seconds + refusals log refusals).
    """
    accepted_by = _accepted_by_second(calls)
    charged_by = [0, *accumulate(charged)]
    found, told, promised = [], list[tuple[float, float]](), 0.0
    for refusal in sorted(refusals, key=lambda one: one.at_s):
        second = min(int(refusal.at_s), len(accepted_by) - 1)
        before = accepted_by[second] - charged_by[min(second, len(charged_by) - 1)]
        while told and told[0][0] <= refusal.at_s:
            promised -= heappop(told)[1]
        weight = calls[refusal.index].weight
        soonest = (max(0.0, before) + weight) / rate
        latest = soonest + promised / rate
        found.append(min(0.0, refusal.wait_s - soonest) + max(0.0, refusal.wait_s - latest))
        heappush(told, (refusal.at_s + refusal.wait_s, weight))
        promised += weight
    return found


def _accepted_by_second(calls: Sequence[Offered]) -> list[float]:
    """Tokens of accepted calls that were due before each second."""
    seconds = int(max((call.due_s for call in calls), default=0.0)) + 2
    offered = [0.0] * seconds
    for call in calls:
        if not call.refused:
            offered[int(call.due_s)] += call.weight
    return [0.0, *accumulate(offered)]
