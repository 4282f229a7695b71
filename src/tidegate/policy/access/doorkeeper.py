"""Who comes again, among many who come once: a mark for each newcomer, as TinyLFU has it before its cache. Pure. O(1).

What is kept for a visitor pays only when the visitor returns; where very many call in turn, nobody returns in time, and
to keep them costs a cold line of memory when they are put in and another when they go. Source: Einziger, Friedman and
Manes, "TinyLFU: A Highly Efficient Cache Admission Policy" (ACM Transactions on Storage 13(4), 2017), 3.4.2.
"""

from typing import Final

PLACES: Final = 65_536  # bytes
# Newcomers, then all are forgotten: about as many as what is guarded holds, so that who is let in finds it there again.
# Until then one in thirty-two on average is taken for another.
FULL: Final = PLACES // 16


class Doorkeeper:
    """Remembers the newcomers since it last forgot them all, by their hash."""

    __slots__ = ("_came", "_count")

    def __init__(self) -> None:
        self._came = bytearray(PLACES)
        self._count = 0

    def again(self, visitor: int) -> bool:
        """Whether this hash came before; it has now. Somebody else may have been taken for it, never the reverse."""
        at = visitor & (PLACES - 1)
        if self._came[at]:
            return True
        if self._count >= FULL:
            self._came = bytearray(PLACES)
            self._count = 0
        self._came[at] = 1
        self._count += 1
        return False
