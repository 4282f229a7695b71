"""One timer for many deadlines: instead of a timer per request, a periodic look at an attribute.

A sweep over n connections costs O(n), about 60 ns each, once per interval; setting a deadline costs an attribute.
"""

from collections.abc import Callable
from typing import Final

from tidegate.ports import Clock, Timer

NEVER: Final = 1 << 62  # a deadline that is never reached


class Sweep:
    """Calls `tick` with the time once per `interval` microseconds while it runs.

    `now` is the time of the last tick: at most one interval old while running, and free to read.
    """

    __slots__ = ("_clock", "_interval", "_tick", "_timer", "now")

    def __init__(self, clock: Clock, interval: int, tick: Callable[[int], None]) -> None:
        self._clock = clock
        self._interval = interval
        self._tick = tick
        self._timer: Timer | None = None
        self.now = clock.now()

    @property
    def running(self) -> bool:
        return self._timer is not None

    def start(self) -> None:
        """Begin, or go on when it runs already."""
        if self._timer is None:
            self.now = self._clock.now()
            self._arm()

    def stop(self) -> None:
        """No more ticks. `now` stands still."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _arm(self) -> None:
        self._timer = self._clock.call_at(self.now + self._interval, self._fire)

    def _fire(self) -> None:
        self.now = self._clock.now()
        self._arm()
        self._tick(self.now)
