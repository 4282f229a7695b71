"""One admitted call from admission to its end: what it was charged, what was generated, what is billed. Once."""

from tidegate.twin.calls import Call
from tidegate.twin.directory import Seat


class Service:
    """Books an admitted call. `finish` counts once, however the reply ends."""

    __slots__ = ("_charged_at", "_seat", "_version", "call", "open")

    def __init__(self, call: Call, seat: Seat, now: int) -> None:
        self.call = call
        self._seat = seat
        self._charged_at = now
        self._version = seat.meter.version  # the limits its headers show
        self.open = True
        seat.entry.charged(call.charged_tokens, now)

    def begun(self, now: int) -> None:
        """A 2xx reply leaves now, and with it the headers made at admission."""
        call = self.call
        call.status = 200
        call.first_byte_at = now
        self._seat.entry.served()
        if not self._seat.meter.hidden:
            self._seat.meter.shown(call.key, self._version, now)

    def finish(self, end: str, completion_tokens: int, now: int) -> None:
        """The reply ended as `end` says, after so many generated tokens."""
        if not self.open:
            return
        self.open = False
        call = self.call
        call.end = end
        call.ended_at = now
        call.completion_tokens = completion_tokens
        call.billed_tokens = call.prompt_tokens + completion_tokens
        self._seat.entry.billed(call.billed_tokens)
        returned = self._seat.meter.settle(call.charged_tokens, call.billed_tokens, self._charged_at, now)
        if returned:
            call.charged_tokens -= returned
            self._seat.entry.charged(-returned, now)
