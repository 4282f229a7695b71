"""Moments of very many names in a fixed table: a count-min sketch that keeps the latest one.

Source: Cormode and Muthukrishnan, "An Improved Data Stream Summary" (2005), with conservative update (Estan and
Varghese, 2002). What is read for a name is never earlier than what was written for it, so nobody gains by sharing
cells; it is later only when others have raised all of its cells. The cells of a name depend on a secret, so that nobody
can choose to share somebody else's. Pure. O(rows).
"""

from array import array
from hashlib import blake2b
from struct import Struct
from typing import Final

_ROWS: Final = 4
_CELLS: Final = 131_072  # of a row, 8 bytes each: 4 MiB in all
_MASK: Final = _CELLS - 1
_NUMBERS: Final = Struct("<4I")  # one for each row


class Sketch:
    """Moments by name, 0 for a name that was never written."""

    __slots__ = ("_at", "_cells", "_name", "_secret", "latest")

    def __init__(self, secret: bytes) -> None:
        """`secret`: up to 64 bytes that nobody knows."""
        self._secret = secret
        self._cells = array("q", bytes(8 * _ROWS * _CELLS))
        self._name: bytes | None = None
        self._at = (0, 0, 0, 0)
        self.latest = 0  # of all moments written: from then on it is as if it were empty

    def read(self, name: bytes) -> int:
        """The latest moment written for this name, or a later one."""
        cells = self._cells
        a, b, c, d = self._places(name)
        return min(cells[a], cells[b], cells[c], cells[d])

    def write(self, name: bytes, moment: int) -> None:
        """Raise the cells of this name to `moment`."""
        cells = self._cells
        for at in self._places(name):
            if cells[at] < moment:
                cells[at] = moment
        if moment > self.latest:
            self.latest = moment

    def _places(self, name: bytes) -> tuple[int, int, int, int]:
        """One cell in each row. Who is read is mostly written next."""
        if name is not self._name:
            a, b, c, d = _NUMBERS.unpack(blake2b(name, key=self._secret, digest_size=_NUMBERS.size).digest())
            self._at = (a & _MASK, _CELLS + (b & _MASK), 2 * _CELLS + (c & _MASK), 3 * _CELLS + (d & _MASK))
            self._name = name
        return self._at
