"""A target: one model at one provider, through whichever of its scopes can serve first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import msgspec

from tidegate.line.gate import Gate
from tidegate.line.lane import Lane, Slot
from tidegate.model.call import Call
from tidegate.model.snapshot import ModelEntry
from tidegate.policy.allowance import NEVER
from tidegate.policy.quota import Charge
from tidegate.policy.route import Candidate

CHOICES = 8

Sampler = Callable[[Sequence[Lane], int], Sequence[Lane]]  # so many of them, by chance


class Pick(msgspec.Struct):
    """The lane to queue at and the predicted wait there (NEVER: too large for all of them)."""

    lane: Lane
    charge: Charge
    wait_us: int
    full: bool = False  # no room to wait in, here or before the strategy's own bound
    answer_us: int = 0  # how long the answer itself will take

    def candidate(self, extra_us: int) -> Candidate:
        """As `policy.route` sees it; `extra_us` is the call's own back-off on this target."""
        wait = self.wait_us if self.wait_us == NEVER else max(self.wait_us, extra_us)
        return Candidate(wait, self.lane.gate.health.tripped, self.full, self.answer_us)


@dataclass(frozen=True, slots=True)
class Target:
    """`bound` is the strategy's own limit, which holds for its primary only."""

    provider: str
    model: str
    entry: ModelEntry
    lanes: Sequence[Lane]
    bound: Gate | None = None

    def unfit(self, call: Call) -> str:
        """Why this target cannot serve the call, "" when it can; as far as its model entry says."""
        entry = self.entry
        if call.shape.tools and not entry.tools:
            return "has no tools"
        if call.shape.images and not entry.images:
            return "has no images"
        least = call.size.fixed + call.size.weight // 8 + call.shape.output
        if entry.context and least > entry.context:
            return f"has a context of {entry.context} tokens, the call needs at least {least}"
        return ""

    def elsewhere(self, lane: Lane, now: int) -> bool:
        """Whether another of its lanes is open: what one scope refuses, another may serve."""
        return any(other is not lane and other.gate.health.wait(now) == 0 for other in self.lanes)

    def used_permille(self, now: int) -> int:
        """How much of the strictest token quota on the way is in use; of several lanes, the first one's."""
        tokens = self.lanes[0].gate.quota.tokens
        used = tokens[0].used_permille(now) if tokens else 0
        return used if self.bound is None else max(used, self.bound.quota.used_permille(now))

    def take_nowait(self, call: Call, now: int, sample: Sampler) -> Slot | None:
        """A slot, when nobody has to wait for it."""
        lane = self.lanes[0] if len(self.lanes) == 1 else self.pick(call, now, sample).lane
        tokens = lane.reserve(call)
        own = None
        if self.bound is not None:
            own = self.bound.take_nowait(tokens, now)
            if own is None:
                return None
        permit = lane.gate.take_nowait(tokens, now)
        if permit is not None:
            return lane.slot(permit, own, now)
        if own is not None:
            own.give_back()
        return None

    def pick(self, call: Call, now: int, sample: Sampler) -> Pick:
        """The lane with the shortest predicted wait; of more than `CHOICES` lanes, of so many taken by chance."""
        lanes = self.lanes
        if len(lanes) == 1:
            return self._at(lanes[0], call, now)
        if len(lanes) > CHOICES:
            lanes = sample(lanes, CHOICES)
        return min((self._at(lane, call, now) for lane in lanes), key=_order)

    def _at(self, lane: Lane, call: Call, now: int) -> Pick:
        charge = lane.charge(call)
        wait, full = lane.gate.wait(charge, now), lane.gate.full()
        if self.bound is not None and wait != NEVER:
            own = self.bound.wait(charge, now)
            wait = own if own == NEVER or own > wait else wait
            full = full or self.bound.full()
        return Pick(lane, charge, wait, full, lane.pace.upper_us)


def _order(pick: Pick) -> tuple[bool, int]:
    return pick.wait_us == NEVER, pick.wait_us
