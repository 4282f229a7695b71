"""How often somebody may come: so many at once, then so many a minute, for any number of names in bounded memory.

GCRA (ITU-T I.371; as a limiter: Brandur Leach, "Rate limiting, cells, and GCRA"): all that is kept of a name is the
moment at which it will have paid for what it did. When that is more than the burst ahead, the next is refused, and
costs nothing. A moment that has passed equals none, so idle names are forgotten: two generations, each as long as a
name can be in debt.

Exact for the `MAX_NAMES` names that are in debt first. Those that come while the table is full share a sketch, where
a name's debt is never less than its own: nobody is freed by strangers, however many. It may be more: when strangers
have D requests in debt there, at most D ÷ (burst × 131,072) of a row's cells are full, and a newcomer is refused for
their sake with the fourth power of that (a million strangers and a burst of 20: 2 % at most). Pure. O(1).
"""

from typing import Final

from tidegate.policy.access.sketch import Sketch
from tidegate.units import MINUTE_US

MAX_NAMES: Final = 32_768  # in both generations together, some 150 bytes each


class Meter:
    """One limit for many names. `now` is monotonic microseconds."""

    __slots__ = ("_interval", "_max", "_old", "_rotate_at", "_secret", "_sketch", "_span", "_tolerance", "_young")

    def __init__(self, per_minute: int, burst: int, secret: bytes, max_names: int = MAX_NAMES) -> None:
        """`per_minute` and `burst` are at least 1; an interval is rounded up to a microsecond. `secret`: `Sketch`."""
        self._span = 0
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._rotate_at = 0
        self._sketch: Sketch | None = None
        self._secret = secret
        self._max = max_names
        self.change(per_minute, burst)

    def change(self, per_minute: int, burst: int) -> None:
        """Another limit from now on. Debts are kept, and nobody is forgotten before the longest of them is paid."""
        self._interval = -(-MINUTE_US // per_minute)
        self._tolerance = (burst - 1) * self._interval
        self._span = max(self._span, burst * self._interval)

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def take(self, name: bytes, now: int) -> int:
        """0, and it is counted; else how long to wait, and it is not. Microseconds, and true where `name` is exact."""
        if now >= self._rotate_at:
            self._rotate(now)
        paid_at = self._young.get(name)
        if paid_at is None:
            return self._recall(name, now)
        if paid_at < now:
            paid_at = now
        wait = paid_at - now - self._tolerance
        if wait > 0:
            return wait
        self._young[name] = paid_at + self._interval
        return 0

    def wait(self, name: bytes, now: int) -> int:
        """What `take` would answer. Counts nothing."""
        wait = self._debt(name, now) - now - self._tolerance
        return wait if wait > 0 else 0

    def _debt(self, name: bytes, now: int) -> int:
        paid_at = self._young.get(name)
        if paid_at is None:
            paid_at = self._old.get(name)
        if paid_at is None:
            sketch = self._sketch
            paid_at = 0 if sketch is None or sketch.latest <= now else sketch.read(name)
        return paid_at if paid_at > now else now

    def _recall(self, name: bytes, now: int) -> int:
        """A name that was not here in this generation."""
        paid_at = self._debt(name, now)
        known = self._old.pop(name, 0) != 0
        wait = paid_at - now - self._tolerance
        if wait <= 0:
            paid_at += self._interval
        elif not known:
            return wait  # it stands in the sketch
        if known or len(self._young) + len(self._old) < self._max:
            self._young[name] = paid_at
        else:
            if self._sketch is None:
                self._sketch = Sketch(self._secret)
            self._sketch.write(name, paid_at)
        return wait if wait > 0 else 0

    def _rotate(self, now: int) -> None:
        """What was not seen since the last turn owes nothing any more."""
        self._old = self._young if now < self._rotate_at + self._span else {}
        self._young = {}
        self._rotate_at = now + self._span
        sketch = self._sketch
        if sketch is not None and sketch.latest <= now:
            self._sketch = None
