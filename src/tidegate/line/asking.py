"""One attempt whose intent is written: with which key it is sent, and what its end means, whatever that is."""

from collections.abc import Callable

from tidegate.line.attempt import Answered, attempt
from tidegate.line.settlement import Settlement
from tidegate.line.slot import Slot
from tidegate.model.call import Call
from tidegate.model.reply import Failure
from tidegate.ports import Clock
from tidegate.providers.translate.face import Crossed


class Asking:
    """Asks providers. One per worker."""

    __slots__ = ("_clock", "_judge", "_settlement")

    def __init__(self, clock: Clock, settlement: Settlement) -> None:
        self._clock = clock
        self._settlement = settlement
        self._judge: Callable[[Call, Slot, Failure, bytes], None] = settlement.judge

    async def ask(self, call: Call, slot: Slot, crossed: Crossed | None) -> Answered | Failure:
        """Send the call once, through this slot; `crossed` is the call in the provider's dialect, None: as it came."""
        keys, settlement = slot.lane.keys, self._settlement
        key = keys.next(slot.permit.taken_at)
        slot.account = keys.accounts[key]
        call.asking += 1
        try:
            outcome = await attempt(call, slot, key, crossed, self._clock, self._judge)
        except BaseException:  # the client left, or a defect of ours: nobody else may suffer from it
            settlement.stopped(call, slot)
            raise
        finally:
            call.asking -= 1
        if isinstance(outcome, Answered):
            settlement.answered(call, slot, key, outcome.status)
        else:
            settlement.failed(call, slot, outcome)
        return outcome
