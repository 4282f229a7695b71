"""Sums over rows of numbered slots, so that a walk to where an amount is reached skips most of them.

A tree of two sparse levels above the slots, each node the sum of sixteen: O(1) to add; a window of 5,000 slots is
searched in at most 20 + 16 steps, and the caller looks at the 16 slots of the block that is found.
"""

from typing import Final

BLOCK = 16  # slots
_LOWEST: Final = -(1 << 60)


class Sums:
    """Of blocks of slots. Memory is O(blocks that hold something).

    Most is added where the last was: what the highest block has got is noted apart, and put to the others when a
    higher one begins, or when somebody looks.
    """

    __slots__ = ("_amount", "_blocks", "_highest", "_wards")

    def __init__(self) -> None:
        self._blocks: dict[int, int] = {}
        self._wards: dict[int, int] = {}
        self._highest = _LOWEST
        self._amount = 0  # of the highest block, that stands in neither row

    def add(self, slot: int, amount: int) -> None:
        """So much more (negative: less) is in this slot."""
        block = slot // BLOCK
        if block == self._highest:
            self._amount += amount
        elif block > self._highest:
            self._put_apart()
            self._highest = block
            self._amount = amount
        else:
            _add(self._blocks, block, amount)
            _add(self._wards, block // BLOCK, amount)

    def clear(self) -> None:
        """Nothing is anywhere."""
        self._blocks.clear()
        self._wards.clear()
        self._highest = _LOWEST
        self._amount = 0

    def _put_apart(self) -> None:
        amount = self._amount
        if amount:
            self._amount = 0
            _add(self._blocks, self._highest, amount)
            _add(self._wards, self._highest // BLOCK, amount)

    def reach(self, amount: int) -> tuple[int, int]:
        """The block in which so much is reached, counted from the lowest, and what is still missing before it.

        The block is -1 where there is not as much.
        """
        self._put_apart()
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
