"""Sending an answer in its time: whole, or as a stream with one timer for all of its tokens."""

from typing import Final

from tidegate.ports import Timer
from tidegate.twin.answers import Answer
from tidegate.twin.dialect import Script
from tidegate.twin.faults import Rule
from tidegate.twin.pace import Pace
from tidegate.twin.service import Service
from tidegate.twin.spoil import Miscounted, Outlet, Spoiled
from tidegate.wire.exchange import Exchange

_TICK_US: Final = 100_000  # how often a limit of output hears of a reply that nobody has seen yet


class Delivery:
    """What both forms share: the start, the caller's leaving, and the end."""

    __slots__ = ("_answer", "_exchange", "_first_at", "_head", "_outlet", "_pace", "_service", "_spoils", "_timer")

    def __init__(
        self, exchange: Exchange, service: Service, pace: Pace, answer: Answer, head: bytes, rule: Rule | None,
        script: Script,
    ) -> None:  # fmt: skip
        self._exchange = exchange
        self._service = service
        self._pace = pace
        self._answer = answer
        self._head = head
        self._spoils = rule is not None and rule.spoils
        self._outlet: Outlet = exchange
        if rule is not None and rule.fault == "wrong_length":
            self._outlet = Miscounted(exchange, rule.by, self._over)
        elif rule is not None and self._spoils:
            self._outlet = Spoiled(exchange, rule, script.forms, pace.clock, self._over)
        self._timer: Timer | None = None
        self._first_at = 0  # when the first token is there
        exchange.on_gone = self._gone

    def begin(self, now: int, delay: int | None) -> None:
        """Answer, `delay` microseconds later than the answer says; never if it is None."""
        if delay is None:
            self._first_at = now + self._answer.ttft
            return
        self._first_at = now + delay + self._answer.ttft
        self._at(self._first_at + self._lasts())

    def _lasts(self) -> int:
        """From the first token to the first byte."""
        raise NotImplementedError

    def _send(self) -> None:
        raise NotImplementedError

    def _at(self, when: int) -> None:
        if when <= self._pace.clock.now():
            self._send()
        else:
            self._timer = self._pace.clock.call_at(when, self._send)

    def _generated(self, now: int) -> int:
        return self._answer.due(now - self._first_at) * self._answer.n

    def _gone(self) -> None:
        self._over("aborted")

    def _over(self, end: str) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        exchange = self._exchange
        exchange.on_gone = exchange.on_pause = exchange.on_resume = None
        now = self._pace.clock.now()
        self._service.finish(end, self._generated(now), now)


class Unary(Delivery):
    """A reply in one piece, when all of its tokens are there. A limit of output takes them as they come."""

    __slots__ = ("_body", "_ticker")

    def __init__(
        self, exchange: Exchange, service: Service, pace: Pace, answer: Answer, head: bytes, rule: Rule | None,
        script: Script,
    ) -> None:  # fmt: skip
        super().__init__(exchange, service, pace, answer, head, rule, script)
        self._body = script.unary()
        self._ticker: Timer | None = None

    def begin(self, now: int, delay: int | None) -> None:
        """See `Delivery`."""
        super().begin(now, delay)
        if self._service.open and self._service.output_apart and self._answer.tpot and delay is not None:
            self._ticker = self._pace.clock.call_at(self._first_at, self._tick)

    def _tick(self) -> None:
        now = self._pace.clock.now()
        self._service.produced(self._generated(now), now)
        self._ticker = self._pace.clock.call_at(now + _TICK_US, self._tick)

    def _over(self, end: str) -> None:
        if self._ticker is not None:
            self._ticker.cancel()
            self._ticker = None
        super()._over(end)

    def _lasts(self) -> int:
        return self._answer.units * self._answer.tpot

    def _send(self) -> None:
        self._timer = None
        self._service.begun(self._pace.clock.now())
        self._outlet.respond(200, self._head, self._body)
        if not self._spoils:
            self._over("complete")


class Stream(Delivery):
    """A reply as events. Each tick writes what is due by then; a paused stream writes it all when it may again."""

    __slots__ = ("_begun", "_script", "_sent")

    def __init__(
        self, exchange: Exchange, service: Service, pace: Pace, answer: Answer, head: bytes, rule: Rule | None,
        script: Script,
    ) -> None:  # fmt: skip
        super().__init__(exchange, service, pace, answer, head, rule, script)
        self._script = script
        self._sent = 0
        self._begun = False
        exchange.on_pause = self._pause
        exchange.on_resume = self._send

    def _lasts(self) -> int:
        return 0

    def _send(self) -> None:
        pace, answer = self._pace, self._answer
        now = pace.clock.now()
        self._timer = None
        data = b"" if self._begun else self._open(now)
        due = answer.due(now - self._first_at)
        if due > self._sent:
            data += self._script.pieces(self._sent, due, pace.chunk_tokens)
            self._sent = due
            self._service.produced(due * answer.n, now)
        if due < answer.units:
            self._outlet.write(data)
            if self._service.open:  # a fault may have ended it
                when = pace.next_write(now, self._first_at + due * answer.tpot)
                self._timer = pace.clock.call_at(when, self._send)
            return
        self._outlet.write(data + self._script.closing())
        self._outlet.end()
        if not self._spoils:
            self._over("complete")

    def _open(self, now: int) -> bytes:
        self._begun = True
        self._pace.streams += 1
        self._service.begun(now)
        self._outlet.start(200, self._head)
        return self._script.opening()

    def _pause(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _over(self, end: str) -> None:
        if self._begun and self._service.open:
            self._pace.streams -= 1
        super()._over(end)
