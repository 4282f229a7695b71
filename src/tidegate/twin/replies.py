"""Replies that are no answers: errors, faults that replace a reply, and lies in headers."""

from typing import Final

from tidegate.twin import headers, sockets
from tidegate.twin.calls import Call
from tidegate.twin.dialect import Dialect
from tidegate.twin.directory import Seat
from tidegate.twin.faults import REPLIES, Rule, Told
from tidegate.twin.meter import Refusal
from tidegate.twin.problems import Problem
from tidegate.twin.state import State
from tidegate.twin.windows import SECOND
from tidegate.wire.exchange import Exchange

AZURE_LIES: Final = {"x-ratelimit-reset-tokens": "0"}  # as measured while the token window was exhausted
_UNTOLD: Final = Told(500, "Injected.", "server_error")
AZURE_LIES_429: Final = AZURE_LIES | {"retry-after": "1", "retry-after-ms": "0"}


class Replies:
    """Sends them in one dialect, and closes the call's record."""

    __slots__ = ("_dialect", "_state")

    def __init__(self, state: State, dialect: Dialect) -> None:
        self._state = state
        self._dialect = dialect

    def head(self, call: Call, *, took: int | None = None, kind: bytes = headers.JSON) -> bytes:
        """What a head begins with: form and identity. `took` in microseconds, if it is not what passed so far."""
        spent = self._state.clock.now() - call.arrived_at if took is None else took
        return kind + self._dialect.identity(call, spent // 1_000)

    def send(self, exchange: Exchange, call: Call, status: int, head: bytes, body: bytes) -> None:
        """A complete reply that generates nothing."""
        self._close(call, status, "complete")
        exchange.respond(status, head, body)

    def problem(self, exchange: Exchange, call: Call, problem: Problem) -> None:
        """A bad request's error."""
        self.send(exchange, call, problem.status, self.head(call), self._dialect.error(problem, call.request_id))

    def fault(self, exchange: Exchange, call: Call, rule: Rule, seat: Seat | None) -> None:
        """What replaces a reply: an error on command, or the end of the connection."""
        if not rule.charged:
            call.charged_tokens = 0
        if rule.fault not in REPLIES:
            self._close(call, 0, "cut")
            (sockets.reset if rule.fault == "reset" or rule.rst else sockets.finish)(exchange)
            return
        status, body = self._told_body(rule, call)
        if status == 429:
            call.label = "injected"
            (self._state.directory.ledger.stray if seat is None else seat.entry).throttled(avoidable=False)
        head = self.head(call)
        if seat is not None:
            head += self.limits(seat, call.arrived_at)
            seat.meter.shown(call.key, seat.meter.version, self._state.clock.now())
        self.send(exchange, call, status, self._told(head, rule), body)

    def limits(self, seat: Seat, now: int, refusal: Refusal | None = None) -> bytes:
        """The rate-limit lines of a reply; none where the provider hides them."""
        if seat.meter.hidden:
            return b""
        return self._dialect.limits(seat.meter.quota, now, self._state.epoch, refusal)

    def lie(self, head: bytes, rule: Rule | None, status: int) -> bytes:
        """The head as it is, or as a rule wants it."""
        if rule is None:
            return head
        if rule.fault == "azure":
            return headers.overridden(head, AZURE_LIES_429 if status == 429 else AZURE_LIES)
        return headers.overridden(head, rule.headers) if rule.headers else head

    def _told_body(self, rule: Rule, call: Call) -> tuple[int, bytes]:
        told = rule.told(self._dialect.faults.get(rule.fault, REPLIES.get(rule.fault, _UNTOLD)))
        problem = Problem(told.status, told.message, kind=told.kind, code=told.code)
        body = rule.verbatim()
        return told.status, self._dialect.error(problem, call.request_id) if body is None else body

    def _told(self, head: bytes, rule: Rule) -> bytes:
        """The head with the times and headers that the rule states, verbatim."""
        told = dict(rule.headers)
        if rule.retry_after is not None:
            told["retry-after"] = str(rule.retry_after)
        elif rule.retry_after_date is not None:
            wall = self._state.clock.wall() + int(rule.retry_after_date * SECOND)
            told["retry-after"] = headers.http_date(wall)
        if rule.retry_after_ms is not None:
            told["retry-after-ms"] = str(rule.retry_after_ms)
        return headers.overridden(head, told) if told else head

    def _close(self, call: Call, status: int, end: str) -> None:
        call.status = status
        call.end = end
        call.ended_at = self._state.clock.now()
        call.first_byte_at = call.ended_at if status else 0
