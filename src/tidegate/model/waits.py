"""How long calls had to wait, counted in slots: four to each doubling, so a quantile is told to a fifth. Pure."""

from collections.abc import Mapping


def wait_slot(ms: int) -> int:
    """The slot of a wait of so many milliseconds. O(1)."""
    shift = max(0, ms.bit_length() - 3)
    return 4 * shift + (ms >> shift)


def slot_ms(slot: int) -> int:
    """The longest wait, in milliseconds, that falls into the slot."""
    shift = max(0, slot // 4 - 1)
    return ((slot - 4 * shift + 1) << shift) - 1


def quantile_ms(slots: Mapping[int, int], permille: int) -> int:
    """So long waited this part of them at most; 0 where nobody did. O(slots)."""
    rank = -(-sum(slots.values()) * permille // 1_000)
    for slot in sorted(slots):
        rank -= slots[slot]
        if rank <= 0:
            return slot_ms(slot)
    return 0
