"""Were the times that refused calls were told true? Judged by the provider's ledger, not by the gate.

A refused call was told to come back after so long. What stood before it then, is known: the accepted calls that were
due earlier, less what the provider had charged by then. Its turn comes when the provider has charged that much more
and has room for the call itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
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
    """For each refusal the told wait less the true one, in seconds. `charged` is per second, `rate` tokens per second.

    O(calls + seconds + refusals).
    """
    accepted_by = _accepted_by_second(calls)
    charged_by = [0, *accumulate(charged)]
    found = []
    for refusal in refusals:
        second = min(int(refusal.at_s), len(accepted_by) - 1)
        before = accepted_by[second] - charged_by[min(second, len(charged_by) - 1)]
        found.append(refusal.wait_s - (max(0.0, before) + calls[refusal.index].weight) / rate)
    return found


def _accepted_by_second(calls: Sequence[Offered]) -> list[float]:
    """Tokens of accepted calls that were due before each second."""
    seconds = int(max((call.due_s for call in calls), default=0.0)) + 2
    offered = [0.0] * seconds
    for call in calls:
        if not call.refused:
            offered[int(call.due_s)] += call.weight
    return [0.0, *accumulate(offered)]
