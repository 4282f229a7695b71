"""Sums over rows of numbered slots, so that a walk to where an amount is reached skips most of them.

A tree of two sparse levels above the slots, each node the sum of sixteen: O(1) to add; a window of 5,000 slots is
searched in at most 20 + 16 steps, and the caller looks at the 16 slots of the block that is found.
"""

BLOCK = 16  # slots


class Sums:
    """Of blocks of slots. Memory is O(blocks that hold something)."""

    __slots__ = ("_blocks", "_wards")

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._wards: dict[int, int] = {}

    def add(self, slot: int, amount: int) -> None:
        """So much more (negative: less) is in this slot."""
        _add(self._blocks, slot // BLOCK, amount)
        _add(self._wards, slot // (BLOCK * BLOCK), amount)

    def clear(self) -> None:
        """Nothing is anywhere."""
        self._blocks.clear()
        self._wards.clear()

    def reach(self, amount: int) -> tuple[int, int]:
        """The block in which so much is reached, counted from the lowest, and what is still missing before it.

        The block is -1 where there is not as much.
        """
        for ward in sorted(self._wards):
            inside = self._wards[ward]
            if inside < amount:
                amount -= inside
                continue
            for block in range(ward * BLOCK, (ward + 1) * BLOCK):
                inside = self._blocks.get(block, 0)
                if inside >= amount:
                    return block, amount
                amount -= inside
        return -1, amount


def _add(sums: dict[int, int], at: int, amount: int) -> None:
    total = sums.get(at, 0) + amount
    if total:
        sums[at] = total
    else:
        sums.pop(at, None)
