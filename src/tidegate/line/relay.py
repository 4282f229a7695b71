"""One streamed answer on its way to one client, over as many attempts as its policy allows.

A stream that is cut after its first content cannot be taken back. By policy it ends in a typed error event (`fail`),
goes on where it stopped, at a provider that takes the beginning of an answer (`continue`), or begins anew after an
event that says so (`restart`). However it ends, `close` settles it, once.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from tidegate.line import story
from tidegate.line.records import Ending
from tidegate.line.slot import Answered
from tidegate.line.tries import note
from tidegate.model.call import Call
from tidegate.model.outcome import Reason, Usage
from tidegate.model.reply import Downstream, Failure, Refused
from tidegate.ports import Clock, Timer, TransportError
from tidegate.providers import continuation
from tidegate.providers.dialects import CODECS

if TYPE_CHECKING:
    from tidegate.line.line import Line
    from tidegate.line.plan import Plan

_log = logging.getLogger(__name__)
MAX_DELIVERED_BYTES = 1_048_576  # of events, kept so that the answer can go on; a longer one is not continued
FAIL, CONTINUE, RESTART = "fail", "continue", "restart"


class Relay:
    """Fulfils what the edge needs of a stream: attach, pause, resume, abandon; `on_close` is called once."""

    __slots__ = (
        "_answered", "_asked", "_call", "_charged", "_clock", "_closed", "_cut", "_drains", "_last", "_line", "_mode",
        "_noted", "_out", "_paused", "_plan", "_rescue", "_rescues", "_splice", "_timer", "_usage", "on_close",
    )  # fmt: skip

    def __init__(self, line: "Line", clock: Clock, call: Call, plan: "Plan", answered: Answered) -> None:
        """Raises `TypeError` when the answer is no stream."""
        self._line = line
        self._clock = clock
        self._call = call
        self._plan = plan
        self._mode = _mode(call, plan, answered)
        self._asked = call.body, call.deadline - call.arrived  # as it was before any rescue
        self._drains = plan.streams.on_disconnect == "drain"
        self._out: Downstream | None = None
        self._usage = self._last = Usage()  # of all attempts that the client heard; of the last one
        self._charged = 0
        self._noted = False  # the last attempt is among the call's tries already
        self._rescues = 0
        self._rescue: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._closed = False
        self._cut: Failure | None = None  # why the gate ends it
        self._paused = False
        self.on_close: Callable[[Ending], None] | None = None
        self._follow(answered)

    @property
    def events(self) -> int:
        """How many events of content there were, which is about as many tokens."""
        return self._usage.completion + self._splice.tap.events

    def attach(self, out: Downstream) -> None:
        """Send what was held and, from now on, what arrives."""
        self._out = _Kept(out) if self._mode == CONTINUE else out
        self._splice.attach(self._out)

    def pause(self) -> None:
        """The client does not read: nor do we, whichever attempt runs."""
        self._paused = True
        self._splice.stream.pause()

    def resume(self) -> None:
        """The client reads on."""
        self._paused = False
        self._splice.stream.resume()

    def abandon(self) -> None:
        """The client left: the provider is stopped at once, or read to its end for the usage."""
        if self._rescue is not None:
            if self._drains and self._call.asking:
                self._call.left, self._paused = True, False
            else:
                self._rescue.cancel()
        elif self._drains:
            self._splice.drain()
        else:
            self._splice.abandon()

    def cut(self, failure: Failure) -> None:
        """The gate ends it, and the client is told why. Harmless after the end."""
        self._mode, self._cut = FAIL, failure
        if self._rescue is not None:
            self._rescue.cancel()
        elif not self._closed:
            self._splice.cut(failure)

    def close(self, *, gone: bool, failed: bool) -> None:
        """The one end of the answer: told once, whoever says it. Raises what `on_close` raises."""
        if self._closed:
            return
        self._closed = True
        self._stop_timer()
        closed, self.on_close = self.on_close, None
        self._call.body = self._asked[0]
        if closed is not None:
            lane = None if self._noted else self._answered.lane
            usage = Usage() if self._noted else self._last
            closed(Ending(lane, self._answered.status, usage, self._charged, gone, failed))

    def _follow(self, answered: Answered) -> None:
        """From now on the client gets this answer."""
        splice = answered.splice
        if splice is None:
            raise TypeError("not a stream")
        self._answered, self._splice, self._noted = answered, splice, False
        splice.on_end = self._ended
        limit = answered.lane.service.total_timeout_us
        self._timer = self._clock.call_at(self._clock.now() + limit, self._expire) if limit else None
        if self._paused:
            splice.stream.pause()

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _expire(self) -> None:
        """It takes too long as a whole, however steadily it comes."""
        self._mode = FAIL
        self._splice.stream.abort()
        self._splice.failed(TransportError("the stream took longer than the provider's total time-out", sent=True))

    def _ended(self) -> bool:
        """The attempt is over: settle it. True when another one goes on in its place."""
        self._stop_timer()
        answered = self._answered
        usage, charged = self._line.settle_stream(self._call, answered)
        before = self._usage
        self._usage = Usage(
            before.prompt + usage.prompt,
            before.completion + usage.completion,
            before.cached + usage.cached,
            before.estimated or usage.estimated,
        )
        self._last, self._charged = usage, charged
        splice = self._splice
        self._call.answer_bytes += splice.sent
        if splice.failure is not None and not splice.gone:
            goes_on = self._goes_on(splice.failure)
            then = self._mode if goes_on else FAIL
            story.broke(self._call, answered.lane.name, splice.failure, then, splice.sent, self._clock.now())
            if goes_on:
                return True
        self.close(gone=splice.gone, failed=splice.failure is not None)
        return False

    def _goes_on(self, failure: Failure) -> bool:
        """Whether the policy, the budget and the answer allow another attempt; it has begun then."""
        plan, now = self._plan, self._clock.now()
        if self._mode == FAIL or self._out is None or self._call.left or self._rescues >= plan.retry.max_retries:
            return False
        if failure.reason is Reason.POLICY or not plan.budget.withdraw(now):
            return False
        self._rescues += 1
        answered = self._answered
        note(self._call, answered.slot, answered.status, "cut", self._last, self._charged, now)
        self._noted, self._charged = True, 0
        self._rescue = asyncio.get_running_loop().create_task(self._again(failure))
        self._rescue.add_done_callback(self._rescued)
        return True

    def _rescued(self, rescue: "asyncio.Task[None]") -> None:
        """It is over; cancelled, perhaps before its first step, because the client left or may not go on."""
        if rescue.cancelled():
            self.close(gone=True, failed=self._cut is not None)
            if self._cut is not None:
                self._splice.say_failure(self._cut)

    async def _again(self, failure: Failure) -> None:
        """Another attempt in the place of the one that failed."""
        old = self._splice
        try:
            answered = await self._run()
            self._rescue = None
            if answered is not None:
                self._replace(answered, failure)
                return
        except Exception:  # noqa: BLE001 - whatever it is, the client hears of the cut
            _log.exception("the gate failed while it went on with a stream")
            self._rescue = None
            if self._splice is not old:
                self._splice.abandon()
        try:
            self.close(gone=False, failed=True)
        finally:
            old.say_failure(failure)

    async def _run(self) -> Answered | None:
        """The same call once more, or the rest of it; None where nobody can."""
        call, plan = self._call, self._plan
        body, allowed_us = self._asked
        call.deadline = max(call.deadline, self._clock.now() + allowed_us)
        if self._mode == CONTINUE:
            text = self._text()
            able = tuple(target for target in plan.targets if target.continues)
            if not text.strip() or not able or not isinstance(body, bytes):
                return None
            call.clamp = max(1, call.shape.output - self._usage.completion) if call.shape.output else 0
            call.body, call.continued = continuation.resumed(body, text), True
            plan = replace(plan, targets=able, ladder=())
        outcome = await self._line.run(call, plan, again=True)
        if isinstance(outcome, Refused):
            return None
        if outcome.splice is None:
            self._line.spare(call, outcome)  # a whole answer cannot follow the beginning of another
            return None
        return outcome

    def _text(self) -> str:
        """What the client has of the answer; empty when it cannot be continued."""
        kept = self._out.events if isinstance(self._out, _Kept) else None
        return "" if kept is None else continuation.delivered(self._call.kind, kept) or ""

    def _replace(self, answered: Answered, failure: Failure) -> None:
        """The client gets this answer from now on, and is told why."""
        out, text = self._out, self._text() if self._mode == CONTINUE else ""
        if out is None:
            raise RuntimeError("nobody is attached")
        self._follow(answered)
        self._call.degraded = (*self._call.degraded, "continued after a cut" if text else "restarted after a cut")
        if self._mode == RESTART:
            out.write(CODECS[self._call.kind].says.restart_event(failure.message))
            self._splice.attach(out)
            return
        out.write(b": continued by %b after a cut\n\n" % answered.lane.name.encode("latin-1", "replace"))
        self._splice.attach(_Sewn(out, continuation.Seam(self._call.kind, text, self._usage)))


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


def _mode(call: Call, plan: "Plan", answered: Answered) -> str:
    """What a cut leads to: what the call asks for, else its plan; only what can be said, or sent, once more."""
    mode, body, splice = call.on_cut or plan.streams.on_cut, call.body, answered.splice
    if splice is None or not splice.tells or not isinstance(body, bytes):
        return FAIL
    return mode if mode != CONTINUE or continuation.asks_for_text(call.kind, body) else FAIL
