"""Failed tokens are counted by address, and an address that failed too often is refused unheard for a while.

Memory is bounded: `MOST` addresses, the one that failed longest ago goes first. O(1).
"""

from collections import OrderedDict

BURST = 10
EACH_US = 6_000_000  # one more try every six seconds
MOST = 4_096
_NONE = (0, 0)


class Brake:
    """A bucket of tries for each address, `BURST` deep. `now` is in microseconds, of one clock."""

    __slots__ = ("_full_at",)

    def __init__(self) -> None:
        self._full_at: OrderedDict[str, tuple[int, int]] = OrderedDict()  # when its bucket is full again, and failures

    def wait_us(self, address: str, now: int) -> int:
        """How long this address has to wait before its next try; 0 = not at all."""
        return max(0, self._full_at.get(address, _NONE)[0] - now - (BURST - 1) * EACH_US)

    def failures(self, address: str, now: int) -> int:
        """How often this address failed since its bucket was full."""
        full_at, failures = self._full_at.get(address, _NONE)
        return failures if full_at > now else 0

    def failed(self, address: str, now: int) -> int:
        """A try of this address failed. Returns its failures since its bucket was full."""
        failures = self.failures(address, now) + 1
        self._full_at[address] = (max(now, self._full_at.get(address, _NONE)[0]) + EACH_US, failures)
        self._full_at.move_to_end(address)
        if len(self._full_at) > MOST:
            self._full_at.popitem(last=False)
        return failures
