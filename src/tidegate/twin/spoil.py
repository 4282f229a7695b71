"""Faults within a reply: it begins as any other, and goes wrong after so many bytes of its body, or at a place."""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.ports import Clock
from tidegate.twin import sockets
from tidegate.twin.dialect import Forms
from tidegate.twin.faults import Rule
from tidegate.twin.places import BEFORE_HEAD, HEAD, Place, share
from tidegate.wire.exchange import Exchange

_EVENT_END: Final = b"\n\n"
_BROKEN_CHUNK: Final = b"zz\r\nno chunk has this size\r\n"
_EVENT_FAULTS: Final = frozenset({"malformed_json", "error_event"})
_NO_END: Final = 1 << 60


class Outlet(Protocol):
    """Where a reply goes: an exchange, or one that spoils it."""

    def respond(self, status: int, head: bytes, body: bytes) -> None: ...

    def start(self, status: int, head: bytes) -> None: ...

    def write(self, data: bytes) -> None: ...

    def end(self) -> None: ...


class Spoiled:
    """An outlet that fulfils a fault rule. `done` hears "complete" or "cut"; nothing of a stall that never ends."""

    __slots__ = ("_clock", "_done", "_ended", "_exchange", "_forms", "_held", "_left", "_place", "_rule", "_struck")

    def __init__(
        self, exchange: Exchange, rule: Rule, forms: Forms, clock: Clock, done: Callable[[str], None]
    ) -> None:  # fmt: skip
        self._exchange = exchange
        self._rule = rule
        self._forms = forms
        self._clock = clock
        self._done = done
        self._left = rule.after_bytes or 0
        self._place = Place(rule.at, forms) if rule.at is not None else None
        self._struck = False
        self._ended = False
        self._held: list[bytes] | None = None  # what comes during a stall

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply, spoiled: a cut keeps the promise of `content-length`, the others travel in chunks."""
        rule = self._rule
        if rule.at in {BEFORE_HEAD, HEAD}:
            self._strike_head(status, head)
            return
        if rule.at is not None:
            self._left, self._place = share(rule.at, len(body)), None
        first = body[: self._left]
        if rule.fault in _EVENT_FAULTS:
            self._exchange.respond(status, head, first)
            self._done("complete")
        elif rule.fault in {"cut", "reset"} and self._left < len(body):
            self._struck = True
            sockets.write(self._exchange, sockets.head(status, head, len(body)) + first)
            self._cut()
        else:
            self.start(status, head)
            self.write(body)
            self.end()

    def start(self, status: int, head: bytes) -> None:
        """Begin a stream."""
        if self._rule.at in {BEFORE_HEAD, HEAD}:
            self._strike_head(status, head)
        else:
            self._exchange.start(status, head)

    def write(self, data: bytes) -> None:
        """Some events, or a body."""
        if self._held is not None:
            self._held.append(data)
        elif self._struck:
            if self._rule.fault == "malformed_json":
                self._exchange.write(data)
        elif (at := self._found(data)) < 0:
            self._exchange.write(data)
        else:
            self._struck = True
            self._strike(data, at)

    def end(self) -> None:
        """The reply would be complete."""
        self._ended = True
        if self._held is None and (not self._struck or self._rule.fault == "malformed_json"):
            self._exchange.end()
            self._done("complete")

    def _found(self, data: bytes) -> int:
        """Where in `data` the fault strikes; -1 = not yet."""
        if self._place is not None:
            return self._place.find(data, within=self._rule.fault not in _EVENT_FAULTS)
        if len(data) <= self._left:
            self._left -= len(data)
            return -1
        at = self._left
        if self._rule.fault in _EVENT_FAULTS and self._rule.after_bytes is not None:
            end = data.find(_EVENT_END, max(0, at - 1))
            return end + len(_EVENT_END) if end >= 0 else len(data)
        return at

    def _strike(self, data: bytes, at: int) -> None:
        self._exchange.write(data[:at])
        match self._rule.fault:
            case "malformed_json":
                self._exchange.write(self._forms.broken + data[at:])
            case "error_event":
                self._exchange.write(self._forms.failure(self._rule))
                self._exchange.end()
                self._done("cut")
            case "stall":
                self._stall(data[at:])
            case "malformed_chunk":
                sockets.write(self._exchange, _BROKEN_CHUNK)
                self._cut()
            case _:
                self._cut()

    def _strike_head(self, status: int, head: bytes) -> None:
        """A part of the head, or nothing of it; then the end, or silence for ever."""
        self._struck = True
        if self._rule.at == HEAD:
            whole = sockets.head(status, head, 0)
            sockets.write(self._exchange, whole[: len(whole) // 2])
        if self._rule.fault == "stall":
            self._held = []
        else:
            self._cut()

    def _stall(self, rest: bytes) -> None:
        self._held = [rest]
        if self._rule.ms is not None:
            self._clock.call_at(self._clock.now() + int(self._rule.ms * 1_000), self._go_on)

    def _go_on(self) -> None:
        held, self._held, self._left, self._place = self._held or [], None, _NO_END, None
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


class Miscounted:
    """An outlet whose `content-length` is wrong by `by`: more is promised than comes, or less (`by` < 0)."""

    __slots__ = ("_by", "_done", "_exchange")

    def __init__(self, exchange: Exchange, by: int, done: Callable[[str], None]) -> None:
        self._exchange = exchange
        self._by = by
        self._done = done

    def respond(self, status: int, head: bytes, body: bytes) -> None:
        """The whole reply under a wrong length, then the end of the connection."""
        sockets.write(self._exchange, sockets.head(status, head, max(0, len(body) + self._by)) + body)
        self._close()

    def start(self, status: int, head: bytes) -> None:
        """A stream whose length is stated: far too much, or `-by` bytes."""
        sockets.write(self._exchange, sockets.head(status, head, _NO_END if self._by > 0 else -self._by))

    def write(self, data: bytes) -> None:
        """Some events, not in chunks."""
        sockets.write(self._exchange, data)

    def end(self) -> None:
        """The end of the connection."""
        self._close()

    def _close(self) -> None:
        sockets.finish(self._exchange)
        self._done("cut")
