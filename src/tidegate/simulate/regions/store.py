"""A linearizable store in virtual time, and the way to it: messages take their time, are lost, or cannot pass."""

import heapq
from collections.abc import Callable
from random import Random

from tidegate.model.regions import News, Parts
from tidegate.policy.regions.party import Drop, Place, Seen, Swap


class Agenda:
    """What happens when. O(log n) for each."""

    __slots__ = ("_heap", "_number", "now")

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._number = 0
        self.now = 0

    def at(self, moment: int, what: Callable[[], None]) -> None:
        """Of what is due at the same moment the first goes first."""
        self._number += 1
        heapq.heappush(self._heap, (moment, self._number, what))

    def play(self, until: int) -> None:
        """Everything up to then."""
        while self._heap and self._heap[0][0] <= until:
            self.now, _, what = heapq.heappop(self._heap)
            what()
        self.now = until


class Records:
    """What stands in the store."""

    __slots__ = ("news", "parts", "revision")

    def __init__(self) -> None:
        self.revision = 0
        self.parts: dict[str, tuple[int, Parts]] = {}
        self.news: dict[Place, tuple[int, News]] = {}

    def exchange(self, place: Place, news: News) -> Seen:
        """Write the news and read everything."""
        self.revision += 1
        self.news[place] = self.revision, news
        return Seen(self.revision, dict(self.parts), dict(self.news))

    def write(self, write: Swap | Drop) -> None:
        """If it is still at that revision."""
        if isinstance(write, Drop):
            if self.news.get(write.place, (0, None))[0] == write.revision:
                del self.news[write.place]
        elif self.parts.get(write.quota, (0, None))[0] == write.revision:
            self.revision += 1
            self.parts[write.quota] = self.revision, write.parts


class Way:
    """From a region to the store and back."""

    __slots__ = ("_agenda", "_half_us", "_lost_permille", "_random", "closed")

    def __init__(self, agenda: Agenda, round_trip_us: int, lost_permille: int, random: Random) -> None:
        self._agenda = agenda
        self._half_us = max(1, round_trip_us // 2)
        self._lost_permille = lost_permille
        self._random = random
        self.closed = 0  # how many reasons there are for which nothing passes

    def send(self, what: Callable[[], None]) -> None:
        """It happens at the other end, half a round trip and up to as much again later, unless it is lost."""
        if self.closed or self._random.randrange(1_000) < self._lost_permille:
            return
        moment = self._agenda.now + self._half_us + self._random.randrange(self._half_us)

        def arrives() -> None:
            if not self.closed:
                what()

        self._agenda.at(moment, arrives)
