"""The intent of an attempt: what stands in the journal before its first byte leaves, so that no spending is unknown."""

from tidegate.line.plan import Plan
from tidegate.line.slot import Slot
from tidegate.model.call import Call
from tidegate.model.facts import Intent
from tidegate.policy.money import likely_nano
from tidegate.ports import Clock, Journal


class Intents:
    """Writes them down. One per worker."""

    __slots__ = ("_clock", "_journal")

    def __init__(self, clock: Clock, journal: Journal) -> None:
        self._clock = clock
        self._journal = journal

    def write(self, call: Call, plan: Plan, slot: Slot) -> None:
        """The intent to use this slot now. What cannot be written down is not sent: the slot is back, `OSError`."""
        wall, lane, charged = self._clock.wall(), slot.lane, slot.charged
        slot.at_us = wall
        call.last_at = slot.permit.taken_at
        likely, cost = (0, 0) if call.grant is None else (call.grant.likely_tokens, call.grant.likely_nano)
        if not cost and lane.prices:
            cost = likely_nano(lane.prices, likely or charged, 0)
        intent = Intent(
            call.id,
            len(call.attempts) + 1,
            wall,
            lane.key,
            charged,
            slot.left_tokens,
            slot.left_requests,
            call.client,
            plan.name,
            lane.name,
            call.tenant.name,
            call.user,
            cost,
            likely,
            call.job,
        )
        try:
            self._journal.append(intent)
        except BaseException:
            slot.give_back()
            raise
