"""One streamed answer on its way to one client, over as many attempts as its policy allows.

A stream that is cut after its first content cannot be taken back. It ends in a typed error event, or another attempt
goes on in its place (`line/rescue.py`). However it ends, `close` settles it, once.
"""

import asyncio
import logging
from collections.abc import Callable

from tidegate.line import story
from tidegate.line.plan import Plan
from tidegate.line.records import Ending
from tidegate.line.rescue import FAIL, Rescue
from tidegate.line.settlement import Settlement
from tidegate.line.slot import Answered
from tidegate.line.tries import heard, note
from tidegate.model.call import Call
from tidegate.model.outcome import Usage
from tidegate.model.reply import Downstream, Failure
from tidegate.ports import Clock, Timer, TransportError

_log = logging.getLogger(__name__)


class Relay:
    """Fulfils what the edge needs of a stream: attach, pause, resume, abandon; `on_close` is called once."""

    __slots__ = (
        "_answered", "_call", "_charged", "_clock", "_closed", "_cut", "_drains", "_last", "_noted", "_out", "_paused",
        "_rescue", "_rescuing", "_settlement", "_splice", "_timer", "_usage", "on_close",
    )  # fmt: skip

    def __init__(
        self, call: Call, plan: Plan, answered: Answered, rescue: Rescue | None, settlement: Settlement, clock: Clock
    ) -> None:
        """`rescue`: what follows a cut, None: nothing. Raises `TypeError` when the answer is no stream."""
        self._call = call
        self._drains = plan.streams.on_disconnect == "drain"
        self._rescue = rescue
        self._settlement = settlement
        self._clock = clock
        self._out: Downstream | None = None
        self._usage = self._last = Usage()  # of all attempts that the client heard; of the last one
        self._charged = 0
        self._noted = False  # the last attempt is among the call's tries already
        self._rescuing: asyncio.Task[None] | None = None
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
        self._out = out if self._rescue is None else self._rescue.keep(out)
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
        if self._rescuing is not None:
            if self._drains and self._call.asking:
                self._call.left, self._paused = True, False
            else:
                self._rescuing.cancel()
        elif self._drains:
            self._splice.drain()
        else:
            self._splice.abandon()

    def cut(self, failure: Failure) -> None:
        """The gate ends it, and the client is told why. Harmless after the end."""
        self._cut = failure
        if self._rescuing is not None:
            self._rescuing.cancel()
        elif not self._closed:
            self._splice.cut(failure)

    def close(self, *, gone: bool, failed: bool) -> None:
        """The one end of the answer: told once, whoever says it. Raises what `on_close` raises."""
        if self._closed:
            return
        self._closed = True
        self._stop_timer()
        closed, self.on_close = self.on_close, None
        if closed is not None:
            lane = None if self._noted else self._answered.lane
            usage = Usage() if self._noted else self._last
            headers = heard(self._answered) if lane is not None and (gone or failed) else ()
            closed(Ending(lane, self._answered.status, usage, self._charged, gone, failed, headers))

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
        self._rescue = None
        self._splice.stream.abort()
        self._splice.failed(TransportError("the stream took longer than the provider's total time-out", sent=True))

    def _ended(self) -> bool:
        """The attempt is over: settle it. True when another one goes on in its place."""
        self._stop_timer()
        splice = self._splice
        usage, self._charged = self._settlement.stream(self._call, self._answered)
        self._last, before = usage, self._usage
        self._usage = Usage(
            before.prompt + usage.prompt,
            before.completion + usage.completion,
            before.cached + usage.cached,
            before.estimated or usage.estimated,
            before.written + usage.written,
            before.reasoning + usage.reasoning,
        )
        if self._call.shape.wants_usage:
            splice.heard = self._usage
        self._call.answer_bytes += splice.sent
        if splice.failure is not None and not splice.gone and self._goes_on(splice.failure):
            return True
        self.close(gone=splice.gone, failed=splice.failure is not None)
        return False

    def _goes_on(self, failure: Failure) -> bool:
        """It was cut: whether somebody may go on with it, who has begun then."""
        call, answered, now, rescue = self._call, self._answered, self._clock.now(), self._rescue
        if rescue is not None and (self._out is None or call.left or not rescue.allowed(failure)):
            rescue = None
        if rescue is not None:
            note(call, answered.slot, answered.status, "cut", self._last, self._charged, now, heard(answered))
            self._noted, self._charged = True, 0
            self._rescuing = asyncio.get_running_loop().create_task(self._again(rescue, failure))
            self._rescuing.add_done_callback(self._rescued)
        then = FAIL if rescue is None else rescue.mode
        story.broke(call, answered.lane.name, failure, then, self._splice.sent, now)
        return rescue is not None

    async def _again(self, rescue: Rescue, failure: Failure) -> None:
        """Another attempt in the place of the one that failed."""
        old = self._splice
        try:
            answered = await rescue.ask(self._usage.completion)
            self._rescuing = None
            if answered is not None:
                self._replace(rescue, answered, failure)
                return
        except Exception:  # noqa: BLE001 - whatever it is, the client hears of the cut
            _log.exception("the gate failed while it went on with a stream")
            self._rescuing = None
            if self._splice is not old:
                self._splice.abandon()
        try:
            self.close(gone=False, failed=True)
        finally:
            old.heard = self._splice.heard
            old.say_failure(failure)

    def _replace(self, rescue: Rescue, answered: Answered, failure: Failure) -> None:
        """The client gets this answer from now on, and is told why."""
        out = self._out
        if out is None:
            raise RuntimeError("nobody is attached")
        self._follow(answered)
        self._splice.attach(rescue.join(out, answered, failure, self._usage))

    def _rescued(self, rescuing: "asyncio.Task[None]") -> None:
        """It is over; cancelled, perhaps before its first step, because the client left or may not go on."""
        if rescuing.cancelled():
            self.close(gone=True, failed=self._cut is not None)
            if self._cut is not None:
                self._splice.say_failure(self._cut)
