"""What an attempt that is over means: for the health of its lane and its key, for what is charged, for the ledger.

Each attempt has one verdict, and each slot is settled once. A complete answer has settled its slot by itself
(`line/attempt.py`); a stream is settled here when it ends, and what was broken off or is not needed is here, too.
"""

from typing import Final

from tidegate.line.keys import is_dead
from tidegate.line.slot import Answered, Slot
from tidegate.line.tries import heard, note, note_stopped
from tidegate.model.call import Attempt, Call, Kind
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Failure
from tidegate.ports import Clock, Observer

FAIR_US: Final = 30_000_000  # who does not answer for so long has failed, whatever the call's deadline was
PASS: Final = Kind.PASS
NO_KEY: Final = b""  # of a stream that had begun: its key was accepted


class Settlement:
    """Judges and settles attempts. One per worker."""

    __slots__ = ("_clock", "_observer")

    def __init__(self, clock: Clock, observer: Observer) -> None:
        self._clock = clock
        self._observer = observer

    def judge(self, call: Call, slot: Slot, failure: Failure, key: bytes) -> None:
        """The verdict on an attempt that failed. Sent too late to be answered, it is not the provider's fault."""
        permit, now = slot.permit, self._clock.now()
        if failure.answer is None and now >= call.deadline and now - permit.taken_at < FAIR_US:
            slot.lane.breaker.abandon(permit.probe)
        else:
            self._condemn(slot, failure, key)

    def answered(self, call: Call, slot: Slot, key: bytes, status: int) -> None:
        """The verdict on an attempt that was answered, or whose stream has begun."""
        lane, permit = slot.lane, slot.permit
        call.attempts.append(Attempt(lane.name, status, None, call.queued_us + call.waited_us))
        self._observer.attempt(lane.name, None)
        lane.pace.learn(self._clock.now() - permit.taken_at)
        if lane.keys.restore(key):
            self._observer.key_restored(lane.name, slot.account)
        lane.breaker.succeed(permit.epochs)
        if lane.crowd is not None:
            lane.concurrency.answered(permit.taken_at)

    def failed(self, call: Call, slot: Slot, failure: Failure) -> None:
        """An attempt that failed, and was judged, is counted."""
        name, status = slot.lane.name, failure.answer.status if failure.answer is not None else 0
        call.attempts.append(Attempt(name, status, failure.reason, call.queued_us + call.waited_us))
        self._observer.attempt(name, failure.reason)
        if failure.unexplained is not None:
            self._observer.unexplained(name, failure.unexplained)

    def stopped(self, call: Call, slot: Slot) -> None:
        """An attempt was broken off by us: it stays charged, and is billed as far as it had come."""
        note_stopped(call, slot, self._clock.now())
        slot.lane.breaker.abandon(slot.permit.probe)

    def stream(self, call: Call, answered: Answered) -> tuple[Usage, int]:
        """Settle the slot of a stream that ended, for whatever reason: its usage and the charge that stands."""
        splice, lane, slot = answered.splice, answered.lane, answered.slot
        if splice is None:
            raise TypeError("not a stream")
        usage = splice.tap.usage
        if splice.failure is not None and not splice.gone:
            self._observer.attempt(lane.name, splice.failure.reason)
            self._condemn(slot, splice.failure, NO_KEY)
        now = self._clock.now()
        charged = lane.account(call, slot, usage, now)
        if usage is not None:
            lane.speed.learn(usage.completion, now - slot.permit.taken_at)
        elif call.kind is not PASS:
            prompt = splice.tap.prompt or lane.estimator.expected(call.size)
            usage = Usage(prompt, splice.tap.events, estimated=True, tier=splice.tap.tier)
        return usage or Usage(), charged

    def spare(self, call: Call, answered: Answered) -> None:
        """An answer that nobody needs: it is stopped, and stays charged."""
        usage, charged = answered.usage or Usage(), answered.charged
        if answered.splice is not None:
            answered.splice.abandon()
            usage, charged = self.stream(call, answered)
        now = self._clock.now()
        note(call, answered.slot, answered.status, "stopped", usage, charged, now, heard(answered))

    def _condemn(self, slot: Slot, failure: Failure, key: bytes) -> None:
        """What a failure means for everybody else on this lane."""
        lane, permit, now = slot.lane, slot.permit, self._clock.now()
        if is_dead(failure) and (gone := lane.keys.retire(key, now)) is not None:
            if gone.news:
                self._observer.key_retired(lane.name, gone.digest, gone.left)
            lane.breaker.succeed(permit.epochs)
            return
        if failure.reason is Reason.OVERLOAD:
            lowered = lane.concurrency.overloaded(permit.taken_at, now)
            if not lowered and not permit.probe and failure.named_us is None:
                return  # one of those that were in flight together: they are one failure
        lane.breaker.fail(failure.reason, permit.epochs, permit.probe, now, failure.named_us, failure.out)
