"""Amounts by when they were, in slots, so that however many calls there were it is a short list.

A slot counts as its beginning (`early`) or as its end, whichever errs to the safe side; when there are too many slots
the oldest two become one, to the same side. `add` O(1), and O(slots) when it overflows.
"""

SLOT_US = 100_000


class Ages:
    """Sums by slot, the oldest first."""

    __slots__ = ("_early", "_most", "_slot_us", "_slots")

    def __init__(self, most: int, *, early: bool, slot_us: int = SLOT_US) -> None:
        """At most so many slots."""
        self._most = most
        self._early = early
        self._slot_us = slot_us
        self._slots: dict[int, int] = {}

    def __bool__(self) -> bool:
        return bool(self._slots)

    def add(self, amount: int, at: int) -> None:
        """So much more, at that moment."""
        slots, slot = self._slots, at // self._slot_us
        slots[slot] = slots.get(slot, 0) + amount
        if len(slots) > self._most:
            first, second = sorted(slots)[:2]
            kept, gone = (first, second) if self._early else (second, first)
            slots[kept] += slots.pop(gone)

    def pairs(self, now: int) -> list[tuple[int, int]]:
        """(age, amount), the oldest first."""
        end = 0 if self._early else self._slot_us
        return [(max(0, now - slot * self._slot_us - end), amount) for slot, amount in sorted(self._slots.items())]

    def left_by(self, when: int) -> int:
        """Take out the slots that ended by then: their sum."""
        gone = [slot for slot in self._slots if (slot + 1) * self._slot_us <= when]
        return sum(self._slots.pop(slot) for slot in gone)

    def clear(self) -> None:
        """None of it any more."""
        self._slots.clear()
