"""A kept stream that is played as it came: its pieces, with the time between them."""

from typing import Final

from tidegate.edge.sink import Sink
from tidegate.ports import Clock, Timer

LONGEST_US: Final = 2_000_000  # of a pause between two pieces


class Pacer:
    """One client that is played a stream. Its body is in memory whole, so a client that does not read holds nothing."""

    __slots__ = ("_at", "_beats", "_body", "_clock", "_next", "_out", "_said", "_timer")

    def __init__(self, clock: Clock, out: Sink, body: bytes, beats: tuple[tuple[int, int], ...]) -> None:
        self._clock = clock
        self._out = out
        self._body = body
        self._beats = beats
        self._next = 0
        self._said = 0  # bytes
        self._at = clock.now()  # when the next piece is due
        self._timer: Timer | None = None

    def start(self, head: bytes) -> None:
        """Begin the reply."""
        self._out.on_gone = self._stop
        self._out.start(200, head)
        self._play()

    def _play(self) -> None:
        """Whatever is due."""
        beats, now = self._beats, self._clock.now()
        while self._next < len(beats):
            length, at = beats[self._next]
            before = beats[self._next - 1][1] if self._next else at
            pause = min(max(0, at - before), LONGEST_US)
            if self._at + pause > now:
                self._timer = self._clock.call_at(self._at + pause, self._play)
                return
            self._at += pause
            self._next += 1
            self._out.write(self._body[self._said : self._said + length])
            self._said += length
        self._out.on_gone = None
        self._out.end()

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
