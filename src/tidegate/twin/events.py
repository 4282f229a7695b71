"""The last admissions and refusals, one row each: whose call, when, and what it was charged. Memory is bounded.

It is what fairness is judged by: a call's `user` names the tenant it is for, and its time is the limiter's.
"""

from collections import deque
from collections.abc import Iterator
from itertools import islice

import msgspec


class Event(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One decision of the limiter. `at_us` is monotonic; `label` is "" for an admission, else why not."""

    at_us: int
    key: str
    model: str
    user: str
    tokens: int
    label: str


class Events:
    """Keeps the last `most` events, numbered from 0 since the reset."""

    __slots__ = ("_last", "noted")

    def __init__(self, most: int) -> None:
        self._last: deque[Event] = deque(maxlen=most)
        self.noted = 0

    def note(self, event: Event) -> None:
        """One more. O(1)."""
        self.noted += 1
        self._last.append(event)

    def after(self, number: int, limit: int) -> Iterator[Event]:
        """Event `number` and those after it, `limit` at most; earlier ones may be forgotten."""
        first = max(0, number - (self.noted - len(self._last)))
        return islice(self._last, first, first + limit)

    def forget(self) -> None:
        """Begin again."""
        self._last.clear()
        self.noted = 0
