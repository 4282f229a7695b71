"""Server-sent events, as far as every maker's streams have them in common.

Only whole events leave: a cut never shows the client half an event. Source: WHATWG HTML 9.2 (framing; of its line ends
we write LF and read LF and CRLF).
"""

from typing import Final

from tidegate.model.outcome import Usage

MAX_EVENT_BYTES: Final = 8_388_608
_LF: Final = 10
_CR: Final = 13
_LINE_END: Final = b"\r\n"
_ENDS: Final = b"\n", b"\r"


class EventTap:
    """Feed the body of a streamed answer, forward what comes back. Fulfils `codec.Tap`; a maker's tap says the rest."""

    __slots__ = ("_plain", "committed", "events", "failure", "finished", "partial", "prompt", "tier", "usage")

    def __init__(self) -> None:
        self._plain = False  # committed, neither finished nor failed, and between two events
        self.partial = bytearray()  # an event that has not arrived whole; empty between two
        self.committed = False
        self.finished = False
        self.failure = b""
        self.usage: Usage | None = None
        self.prompt = 0
        self.tier = ""
        self.events = 0  # that carried something, for an estimate where no usage is told

    def feed(self, data: bytes) -> bytes:
        """What may be forwarded of this piece and of what was held back before. O(bytes of the piece), amortised."""
        if self._plain and data.endswith(b"}\n\n"):
            events = self.ordinary(data)
            if events:
                self.events += events
                return data
        ready = self._framed(data)
        self._plain = self.committed and not self.finished and not self.failure and not self.partial
        return ready

    def _framed(self, data: bytes) -> bytes:
        if self.failure or self.finished:
            return b""
        held = self.partial
        if held and held[-1] in _LINE_END:
            data = _line_end(held) + data
        if _CR in data:
            data = data.replace(b"\r\n", b"\n")
        *events, rest = data.split(b"\n\n")
        if events and held:
            events[0] = bytes(held) + events[0]
            held.clear()
        held.extend(rest)
        if len(held) > MAX_EVENT_BYTES:
            self.failure = b"the provider sent an event of more than 8 MiB"
        return b"".join([event + b"\n\n" for event in events if self._forward(event)])

    def rest(self) -> bytes:
        """The blank line that some servers leave out after their last event; "" where half an event or none is held."""
        held = bytes(self.partial)
        return b"\n\n" if held.endswith(_ENDS) and payload_of(held.rstrip(_LINE_END)) else b""

    def ordinary(self, data: bytes) -> int:
        """How many events of plain content these whole ones are; 0 when one of them needs a closer look."""
        raise NotImplementedError

    def look(self, payload: bytes) -> bool:
        """What an event's data says; True when the event goes to the client."""
        raise NotImplementedError

    def _forward(self, event: bytes) -> bool:
        if self.failure or self.finished:
            return False
        payload = payload_of(event)
        return self.look(payload) if payload else True  # a comment


def _line_end(held: bytearray) -> bytes:
    """Taken off what is held: a line's end, whole or half, that may be half a blank line. O(1)."""
    at = len(held) - (2 if held.endswith(b"\n\r") else 1)
    end = bytes(held[at:])
    del held[at:]
    return end


def payload_of(event: bytes) -> bytes:
    """The data of one event; its lines joined, empty when it has none."""
    if event.startswith(b"data:"):
        if _LF not in event:
            return event[5:].strip()
    else:
        at = event.find(b"\ndata:") + 6
        if at > 5 and event.find(b"\n", at) < 0:  # a name, then one line of data
            return event[at:].strip()
    lines = [line[5:].strip() for line in event.split(b"\n") if line.startswith(b"data:")]
    return b"\n".join(lines)
