"""What happens when: a heap of events in virtual time."""

from collections.abc import Callable
from heapq import heappop, heappush
from typing import Any


class Agenda:
    """Events in order of time; those of the same moment in the order in which they were put down. O(log events)."""

    __slots__ = ("_events", "_number", "now")

    def __init__(self) -> None:
        self._events: list[tuple[int, int, Callable[[Any], object], Any]] = []
        self._number = 0
        self.now = 0

    def put(self, at: int, act: Callable[[Any], object], what: object = None) -> None:
        """Call `act(what)` at the microsecond `at`, or now when that is over."""
        self._number = number = self._number + 1
        heappush(self._events, (at if at > self.now else self.now, number, act, what))

    def run(self, until: int) -> int:
        """Play everything up to and including `until`; how many events that were."""
        events, played = self._events, 0
        while events and events[0][0] <= until:
            self.now, _, act, what = heappop(events)
            act(what)
            played += 1
        self.now = until
        return played

    def __len__(self) -> int:
        """How many events are to come."""
        return len(self._events)
