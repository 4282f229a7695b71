"""Answers in this process's memory, bounded by bytes. Who must go is chosen by S3-FIFO.

Yang et al., "FIFO queues are all you need for cache eviction" (SOSP 2023): who is new stands in a small queue of a
tenth of the bytes; who was asked for more than once meanwhile goes on into the main queue, anybody else leaves and is
remembered as a *ghost*, a key without an answer. A ghost that is put again goes straight into the main queue, where who
was asked for goes round once more for each time, three at most. So a scan of answers that nobody asks for again passes
through the small queue and pushes out nobody else; and a hit moves nothing: it adds one.

`get` and `drop` are O(1), `put` is O(1) amortised over the answers that it pushes out.
"""

from collections import deque
from typing import Final

from tidegate.model.cached import CacheEntry

GHOST_BYTES: Final = 120  # what remembering one costs
PLACE_BYTES: Final = 250  # what an answer costs here beside itself: its place, and its share of the tables
_MOST_ASKED: Final = 3
_SMALL_SHARE: Final = 10  # one in so many bytes is the small queue's
_SPARE_DEAD: Final = 64


class _Place:
    """Where one answer stands. It stays in its queue when the answer is dropped, without it, until its turn."""

    __slots__ = ("asked", "entry", "key", "main", "size")

    def __init__(self, entry: CacheEntry, size: int) -> None:
        self.entry: CacheEntry | None = entry
        self.key = entry.key
        self.size = size
        self.asked = 0
        self.main = False


class Memory:
    """Answers by their keys. Never holds more than `max_bytes`, ghosts and tables included."""

    __slots__ = ("_dead", "_ghost_line", "_ghosts", "_main", "_places", "_small", "_small_bytes", "_small_most",
                 "bytes", "evicted", "max_bytes")  # fmt: skip

    def __init__(self, max_bytes: int) -> None:
        """With 0 bytes it keeps nothing."""
        self.max_bytes = max_bytes
        self.bytes = 0
        self.evicted = 0  # answers that had to make room
        self._small_most = max_bytes // _SMALL_SHARE
        self._small_bytes = 0
        self._places: dict[bytes, _Place] = {}
        self._small: deque[_Place] = deque()
        self._main: deque[_Place] = deque()
        self._dead = 0  # places in the queues without an answer
        self._ghosts: set[bytes] = set()
        self._ghost_line: deque[bytes] = deque()

    def __len__(self) -> int:
        return len(self._places)

    def get(self, key: bytes) -> CacheEntry | None:
        """The answer under this key, which has been asked for once more."""
        place = self._places.get(key)
        if place is None:
            return None
        if place.asked < _MOST_ASKED:
            place.asked += 1
        return place.entry

    def put(self, entry: CacheEntry) -> bool:
        """Keep it, in the place of what had its key. False when it is larger than the whole memory."""
        size = entry.size + PLACE_BYTES
        known = self._places.get(entry.key)
        asked = 0
        if known is not None:
            asked = known.asked + 1 if known.asked < _MOST_ASKED else _MOST_ASKED
            self._leave(known)
        if size > self.max_bytes:
            return False
        self._make_room(size)
        place = _Place(entry, size)
        place.asked = asked
        self._places[place.key] = place
        self.bytes += size
        if place.key in self._ghosts or (known is not None and known.main):
            self._ghosts.discard(place.key)
            self._join_main(place)
        else:
            self._small.append(place)
            self._small_bytes += size
        return True

    def drop(self, key: bytes) -> None:
        """Forget it. Harmless when it is not there."""
        place = self._places.get(key)
        if place is not None:
            self._leave(place)

    def limit(self, max_bytes: int) -> None:
        """Hold no more than this from now on. O(answers that must go)."""
        self.max_bytes = max_bytes
        self._small_most = max_bytes // _SMALL_SHARE
        self._make_room(0)

    def clear(self) -> None:
        """Forget everything."""
        self._places.clear()
        self._small.clear()
        self._main.clear()
        self._ghosts.clear()
        self._ghost_line.clear()
        self.bytes = self._small_bytes = self._dead = 0

    def _leave(self, place: _Place) -> None:
        """It is not known any more; the queue is told when there are many such."""
        self._forget(place)
        if not place.main:
            self._small_bytes -= place.size
        self._dead += 1
        if self._dead > len(self._places) + _SPARE_DEAD:
            self._small = deque([one for one in self._small if one.entry is not None])
            self._main = deque([one for one in self._main if one.entry is not None])
            self._dead = 0

    def _forget(self, place: _Place) -> None:
        del self._places[place.key]
        place.entry = None
        self.bytes -= place.size

    def _make_room(self, size: int) -> None:
        while self.bytes + size > self.max_bytes:
            if self._small_bytes > self._small_most or not self._main:
                if self._small:
                    self._pass_small()
                else:
                    self._trim_ghosts(0)  # nothing but ghosts is left
            else:
                self._pass_main()

    def _pass_small(self) -> None:
        """The oldest of the small queue: on into the main one, or out."""
        place = self._small.popleft()
        if place.entry is None:
            self._dead -= 1
            return
        self._small_bytes -= place.size
        if place.asked > 1:
            place.asked = 0
            self._join_main(place)
            return
        self._forget(place)
        self.evicted += 1
        self._ghosts.add(place.key)
        self._ghost_line.append(place.key)
        self.bytes += GHOST_BYTES
        self._trim_ghosts(len(self._places))

    def _pass_main(self) -> None:
        """The oldest of the main queue: round once more, or out."""
        place = self._main.popleft()
        if place.entry is None:
            self._dead -= 1
        elif place.asked > 0:
            place.asked -= 1
            self._main.append(place)
        else:
            self._forget(place)
            self.evicted += 1

    def _join_main(self, place: _Place) -> None:
        place.main = True
        self._main.append(place)

    def _trim_ghosts(self, most: int) -> None:
        """As many as there are answers: what came back later than that was not missed."""
        while len(self._ghost_line) > most:
            self._ghosts.discard(self._ghost_line.popleft())
            self.bytes -= GHOST_BYTES
