"""For how long something has gone on: pure, wall-clock microseconds as arguments.

What is seen again before a pause is over has gone on all the time. Kept over a restart of who looks, it goes on when it
is seen again soon after: what nobody looked at in between is no pause.
"""

from collections.abc import Mapping
from typing import Final

Key = tuple[str, ...]
_AWAY_US: Final = 60_000_000  # how long who looks may be away
_MOST: Final = 2_000


class Spans:
    """What goes on, since when, and when it was seen last. At most `_MOST` of them."""

    __slots__ = ("_pause_us", "_recalled", "_spans")

    def __init__(self, pause_us: int) -> None:
        """`pause_us`: what is not seen for so long is over."""
        self._pause_us = pause_us
        self._spans: dict[Key, tuple[int, int]] = {}
        self._recalled: set[Key] = set()

    def mark(self, key: Key, now: int) -> None:
        """It goes on at this moment."""
        since, seen = self._spans.get(key, (now, now))
        if key in self._recalled:
            self._recalled.discard(key)
        elif now - seen > self._pause_us:
            since = now
        if key in self._spans or len(self._spans) < _MOST:
            self._spans[key] = since, max(seen, now)

    def end(self, key: Key) -> None:
        """It is over. Harmless when it was."""
        self._spans.pop(key, None)
        self._recalled.discard(key)

    def sweep(self, now: int) -> None:
        """Let go of what is over. O(spans)."""
        for key, (_, seen) in list(self._spans.items()):
            if now - seen > (_AWAY_US if key in self._recalled else self._pause_us):
                self.end(key)

    def since(self, key: Key) -> int:
        """Since when it goes on, 0 = it does not."""
        return self._spans.get(key, (0, 0))[0]

    def until(self, key: Key) -> int:
        """When it was seen last, 0 = it does not go on."""
        return self._spans.get(key, (0, 0))[1]

    def __contains__(self, key: Key) -> bool:
        """Whether it goes on."""
        return key in self._spans

    def keys(self) -> list[Key]:
        """What goes on."""
        return list(self._spans)

    def dump(self) -> dict[Key, tuple[int, int]]:
        """What to remember."""
        return dict(self._spans)

    def recall(self, spans: Mapping[Key, tuple[int, int]], now: int) -> None:
        """What an earlier process remembered, and was seen in the last minute."""
        for key, (since, seen) in spans.items():
            if since <= seen <= now and now - seen <= _AWAY_US and len(self._spans) < _MOST:
                self._spans[key] = since, seen
                self._recalled.add(key)
