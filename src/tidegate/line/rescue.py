"""Again after a cut: another attempt in the place of a stream that broke when its client had some of it.

By policy it goes on where it stopped, at a provider that takes the beginning of an answer (`continue`), or begins anew
after an event that says so (`restart`). The call itself stays as it was asked: what a rescue asks for instead holds for
its attempts alone.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Final

from tidegate.line.plan import Plan
from tidegate.line.settlement import Settlement
from tidegate.line.slot import Answered
from tidegate.model.call import Call
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Downstream, Failure, Refused
from tidegate.ports import Clock
from tidegate.providers import continuation
from tidegate.providers.dialects import CODECS

MAX_DELIVERED_BYTES: Final = 1_048_576  # of events, kept so that the answer can go on; a longer one is not continued
FAIL: Final = "fail"
CONTINUE: Final = "continue"
RESTART: Final = "restart"

Again = Callable[[Call, Plan], Awaitable[Answered | Refused]]  # serve the call once more, by this plan


def after_cut(call: Call, plan: Plan, answered: Answered) -> str:
    """What a cut leads to: what the call asks for, else its plan; only what can be said, or sent, once more."""
    mode, body, splice = call.on_cut or plan.streams.on_cut, call.body, answered.splice
    if splice is None or not splice.tells or not isinstance(body, bytes):
        return FAIL
    return mode if mode != CONTINUE or continuation.asks_for_text(call.kind, body) else FAIL


class Rescue:
    """What one stream may be rescued with. `mode`: `CONTINUE` or `RESTART`."""

    __slots__ = ("_again", "_call", "_clock", "_kept", "_plan", "_settlement", "_text", "_times", "mode")

    def __init__(self, mode: str, call: Call, plan: Plan, again: Again, settlement: Settlement, clock: Clock) -> None:
        self.mode = mode
        self._call = call
        self._plan = plan
        self._again = again
        self._settlement = settlement
        self._clock = clock
        self._times = 0
        self._kept: _Kept | None = None
        self._text = ""  # what the client had of the answer when it was cut last

    def keep(self, out: Downstream) -> Downstream:
        """The client's side; where the answer may be continued, what it is sent is kept."""
        if self.mode != CONTINUE:
            return out
        self._kept = _Kept(out)
        return self._kept

    def allowed(self, failure: Failure) -> bool:
        """Whether policy and budget allow another attempt, which has been spent then."""
        plan = self._plan
        if self._times >= plan.retry.max_retries or failure.reason is Reason.POLICY:
            return False
        if not plan.budget.withdraw(self._clock.now()):
            return False
        self._times += 1
        return True

    async def ask(self, made: int) -> Answered | None:
        """The same call once more, or the rest of it, of which so many tokens are made. None: nobody can."""
        if self.mode == CONTINUE:
            return await self._rest(made)
        return await self._once_more(self._plan)

    async def _rest(self, made: int) -> Answered | None:
        call, plan = self._call, self._plan
        body, clamp = call.body, call.clamp
        text = self._text = self._delivered()
        able = tuple(target for target in plan.targets if target.continues)
        if not text.strip() or not able or not isinstance(body, bytes):
            return None
        call.body, call.continued = continuation.resumed(body, text), True
        if call.shape.output:
            call.clamp = max(1, call.shape.output - made)
        try:
            return await self._once_more(replace(plan, targets=able, ladder=()))
        finally:
            call.body, call.clamp, call.continued = body, clamp, False

    async def _once_more(self, plan: Plan) -> Answered | None:
        """With the time that it had in the first place, from now on."""
        call, deadline = self._call, self._call.deadline
        call.deadline = max(deadline, self._clock.now() + deadline - call.arrived)
        try:
            outcome = await self._again(call, plan)
        finally:
            call.deadline = deadline
        if isinstance(outcome, Refused):
            return None
        if outcome.splice is None:
            self._settlement.spare(call, outcome)  # a whole answer cannot follow the beginning of another
            return None
        return outcome

    def _delivered(self) -> str:
        """What the client has of the answer; empty when it cannot be continued."""
        events = None if self._kept is None else self._kept.events
        return "" if events is None else continuation.delivered(self._call.kind, events) or ""

    def join(self, out: Downstream, answered: Answered, failure: Failure, before: Usage) -> Downstream:
        """Tell the client that somebody else goes on, and why: where what that one says is to be written to.

        `before`: the usage of those that the client heard until now.
        """
        call = self._call
        if self.mode == RESTART:
            call.degraded = (*call.degraded, "restarted after a cut")
            out.write(CODECS[call.kind].says.restart_event(failure.message))
            return out
        call.degraded = (*call.degraded, "continued after a cut")
        out.write(b": continued by %b after a cut\n\n" % answered.lane.name.encode("latin-1", "replace"))
        return _Sewn(out, continuation.Seam(call.kind, self._text, before))


class _Kept:
    """A client's side that keeps what it was sent, while that is not too much."""

    __slots__ = ("_events", "_out", "_size")

    def __init__(self, out: Downstream) -> None:
        self._out = out
        self._events: list[bytes] = []
        self._size = 0

    @property
    def events(self) -> bytes | None:
        """Everything; None when it was too much."""
        return None if self._size > MAX_DELIVERED_BYTES else b"".join(self._events)

    def write(self, data: bytes) -> None:
        self._size += len(data)
        if self._size <= MAX_DELIVERED_BYTES:
            self._events.append(data)
        else:
            self._events.clear()
        self._out.write(data)

    def end(self) -> None:
        self._out.end()

    def abort(self) -> None:
        self._out.abort()


class _Sewn:
    """A client's side that has the beginning already."""

    __slots__ = ("_out", "_seam")

    def __init__(self, out: Downstream, seam: continuation.Seam) -> None:
        self._out = out
        self._seam = seam

    def write(self, data: bytes) -> None:
        ready = self._seam.feed(data)
        if ready:
            self._out.write(ready)

    def end(self) -> None:
        self._out.end()

    def abort(self) -> None:
        self._out.abort()
