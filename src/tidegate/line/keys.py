"""The credentials of one scope, used in turn."""

from collections import deque


class KeyRing:
    """Round robin over the keys of a scope, O(1). A key that the provider refused leaves; the last one never does."""

    __slots__ = ("_ring",)

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._ring = deque(key.encode("latin-1") for key in keys)

    def __len__(self) -> int:
        return len(self._ring)

    def next(self) -> bytes:
        """The key whose turn it is."""
        ring = self._ring
        if len(ring) > 1:
            ring.rotate(-1)
        return ring[0]

    def retire(self, key: bytes) -> bool:
        """The provider refused this key. False when it is the only one left."""
        if len(self._ring) == 1 or key not in self._ring:
            return False
        self._ring.remove(key)
        return True
