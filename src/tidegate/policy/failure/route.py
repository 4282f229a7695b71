"""Which target serves the call: the first good one, else the one that makes the deadline, else none.

A gate that holds its quota sees no 429 to fall back on, so the choice is made by the *predicted* wait: the first
target in order that can start within `patience` and the deadline; when there is none, the soonest that makes the
deadline; when even that fails, the call is refused with the time at which the soonest could have served it.
O(targets), which are few.
"""

from collections.abc import Sequence

from tidegate.policy.queue.records import Candidate as Candidate
from tidegate.policy.queue.records import Choice as Choice
from tidegate.policy.quota.allowance import NEVER


def choose(candidates: Sequence[Candidate], remaining_us: int, patience_us: int) -> Choice:
    """Pick by predicted wait; `remaining_us` is the time to the deadline."""
    earliest = soonest = -1  # of all, and of those that have room
    for index, candidate in enumerate(candidates):
        wait = candidate.wait_us
        if wait == NEVER:
            continue
        limit = min(remaining_us - candidate.answer_us, patience_us)
        if _good(candidate, wait, limit, last=index == len(candidates) - 1):
            return Choice(index, wait)
        if earliest < 0 or wait < candidates[earliest].wait_us:
            earliest = index
        if not _no_room(candidate) and (soonest < 0 or wait < candidates[soonest].wait_us):
            soonest = index
    if soonest >= 0 and candidates[soonest].wait_us + candidates[soonest].answer_us <= remaining_us:
        return Choice(soonest, candidates[soonest].wait_us)
    if earliest < 0:
        return Choice(-1, NEVER)
    candidate = candidates[earliest]
    late = _no_room(candidate) and candidate.wait_us <= remaining_us
    return Choice(-1, candidate.wait_us, full=late, earliest=earliest)


def _no_room(candidate: Candidate) -> bool:
    return candidate.full and candidate.wait_us > 0


def _good(candidate: Candidate, wait: int, limit: int, *, last: bool) -> bool:
    return wait == 0 or (wait <= limit and (last or not candidate.tripped) and not _no_room(candidate))
