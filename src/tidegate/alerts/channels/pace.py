"""How often a channel may be spoken to: pure, `now` is an argument, in microseconds.

Makers count messages in a minute and do not say when theirs begins; who comes too often is shut out for minutes. A
fifth of the limit may come at once and three fifths in a minute: then no minute of theirs sees more than all of it,
also when a process that died is followed by one that knows nothing of what it sent.
"""

from typing import Final

_SECOND: Final = 1_000_000
_MINUTE: Final = 60 * _SECOND


class Pace:
    """Messages of one channel. O(1)."""

    __slots__ = ("_ahead", "_each", "_shut", "_spaced")

    def __init__(self, per_minute: int, per_second: int = 0) -> None:
        """`per_second`: 0 = no such limit."""
        burst = max(per_minute // 5, 1)
        self._each = -(-_MINUTE * 5 // (per_minute * 3))
        if per_second:
            self._each = max(self._each, -(-_SECOND // per_second))
            burst = min(burst, max(per_second - -(-_SECOND // self._each), 1))  # and what follows it in that second
        self._ahead = self._each * (burst - 1)
        self._spaced = 0  # when the next one would be due, if they came evenly
        self._shut = 0

    def wait(self, now: int) -> int:
        """How long until one may be sent; 0 = now."""
        return max(self._spaced - self._ahead - now, self._shut - now, 0)

    def take(self, now: int) -> None:
        """One is sent."""
        self._spaced = max(self._spaced, now) + self._each

    def shut(self, until: int) -> None:
        """The channel has said that nothing is taken until then."""
        self._shut = max(self._shut, until)
