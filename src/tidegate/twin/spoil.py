"""Faults within a reply: it begins as any other, and goes wrong after so many bytes of its body."""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.ports import Clock
from tidegate.twin import sockets
from tidegate.twin.dialect import Forms
from tidegate.twin.faults import Rule
from tidegate.wire.exchange import Exchange

_EVENT_END: Final = b"\n\n"
_BROKEN_CHUNK: Final = b"zz\r\nno chunk has this size\r\n"


class Outlet(Protocol):
    """Where a reply goes: an exchange, or one that spoils it."""

    def respond(self, status: int, head: bytes, body: bytes) -> None: ...

    def start(self, status: int, head: bytes) -> None: ...

    def write(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class Spoiled:
    """An outlet that fulfils a fault rule. `done` hears "complete" or "cut"; nothing of a stall that never ends."""

    __slots__ = ("_clock", "_done", "_ended", "_exchange", "_forms", "_held", "_left", "_rule", "_struck")

    def __init__(
        self, exchange: Exchange, rule: Rule, forms: Forms, clock: Clock, done: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._forms = forms
        self._exchange = exchange
        self._rule = rule
        self._clock = clock
        self._done = done
        self._left = rule.after_bytes or 0
        self._struck = False
        self._ended = False
        self._held: list[bytes] | None = None  # what comes during a stall

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply, spoiled: a cut keeps the promise of `content-length`, the others travel in chunks."""
        first = body[: self._left]
        if self._rule.fault in {"malformed_json", "error_event"}:
            self._exchange.respond(status, head, first)
            self._done("complete")
        elif self._rule.fault in {"cut", "reset"} and self._left < len(body):
            self._struck = True
            sockets.write(self._exchange, sockets.head(status, head, len(body)) + first)
            self._cut()
        else:
            self.start(status, head)
            self.write(body)
            self.end()

    def start(self, status: int, head: bytes) -> None:
        """Begin a stream."""
        self._exchange.start(status, head)

    def write(self, data: bytes) -> None:
        """Some events, or a body."""
        if self._held is not None:
            self._held.append(data)
        elif self._struck:
            if self._rule.fault == "malformed_json":
                self._exchange.write(data)
        elif len(data) <= self._left:
            self._left -= len(data)
            self._exchange.write(data)
        else:
            self._struck = True
            self._strike(data)

    def end(self) -> None:
        """The reply would be complete."""
        self._ended = True
        if self._held is None and (not self._struck or self._rule.fault == "malformed_json"):
            self._exchange.end()
            self._done("complete")

    def _strike(self, data: bytes) -> None:
        fault = self._rule.fault
        if fault in {"malformed_json", "error_event"}:
            self._break_event(data)
            return
        self._exchange.write(data[: self._left])
        if fault == "stall":
            self._stall(data[self._left :])
            return
        if fault == "malformed_chunk":
            sockets.write(self._exchange, _BROKEN_CHUNK)
        self._cut()

    def _break_event(self, data: bytes) -> None:
        at = 0
        if self._rule.after_bytes is not None:
            at = data.find(_EVENT_END, max(0, self._left - 1))
            at = at + len(_EVENT_END) if at >= 0 else len(data)
        self._exchange.write(data[:at])
        if self._rule.fault == "malformed_json":
            self._exchange.write(self._forms.broken + data[at:])
            return
        self._exchange.write(self._forms.failure(self._rule))
        self._exchange.end()
        self._done("cut")

    def _stall(self, rest: bytes) -> None:
        self._held = [rest]
        if self._rule.ms is not None:
            self._clock.call_at(self._clock.now() + int(self._rule.ms * 1_000), self._go_on)

    def _go_on(self) -> None:
        held, self._held, self._left = self._held or [], None, 1 << 60
        self._struck = False
        for data in held:
            self.write(data)
        if self._ended:
            self.end()

    def _cut(self) -> None:
        if self._rule.fault == "reset" or self._rule.rst:
            sockets.reset(self._exchange)
        else:
            sockets.finish(self._exchange)
        self._done("cut")
