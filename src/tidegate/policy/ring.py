"""Who owns what: consistent hashing of keys to owners, with virtual nodes and a bound on every owner's load.

Each owner stands at `points` places of a ring of 2**64; a key belongs to the first owner at or after its own place. An
owner that leaves gives away its own keys only, one that comes takes only what is its own (Karger and others, STOC
1997). `spread` bounds the load as well: no owner gets more than its part and a quarter, and what overflows walks on to
the next with room (Mirrokni, Thorup and Zadimoghaddam, SODA 2018).

Places are BLAKE2b digests: the same in every process, whatever its hash seed. An owner's part deviates by about
1/√points of it: 9 % with 128.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from hashlib import blake2b

POINTS = 128
SLACK_PERMILLE = 250


def place(name: str) -> int:
    """Where a name stands on the ring: 0 to 2**64 − 1."""
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest())


class Ring:
    """A set of owners. Looking up is O(log(owners × points)), adding and removing O(owners × points)."""

    __slots__ = ("_owners", "_places", "_points", "_standing")

    def __init__(self, owners: Iterable[str] = (), *, points: int = POINTS) -> None:
        """`points` ≥ 1: places of each owner."""
        self._points = points
        self._standing: set[str] = set()
        self._places: list[int] = []
        self._owners: list[str] = []
        for owner in owners:
            self._standing.add(owner)
        self._arrange()

    def __len__(self) -> int:
        """How many owners there are."""
        return len(self._standing)

    def __contains__(self, owner: str) -> bool:
        return owner in self._standing

    def add(self, owner: str) -> None:
        """An owner came. One that is here already changes nothing."""
        if owner not in self._standing:
            self._standing.add(owner)
            self._arrange()

    def remove(self, owner: str) -> None:
        """An owner left. Raises `KeyError` when it was not here."""
        self._standing.remove(owner)
        self._arrange()

    def owner(self, key: str) -> str:
        """Whose the key is, without regard to loads. Raises `LookupError` when there is no owner."""
        if not self._owners:
            raise LookupError("the ring has no owner; add one first")
        return self._owners[self._at(key)]

    def walk(self, key: str) -> list[str]:
        """All owners in the order in which the key would be theirs. O(owners × points) at worst."""
        start = self._at(key)
        return list(dict.fromkeys(self._owners[start:] + self._owners[:start]))

    def spread(self, keys: Sequence[str], *, slack_permille: int = SLACK_PERMILLE) -> dict[str, str]:
        """The owner of each key, none with more than ⌈(1 + slack) × keys ÷ owners⌉. The order of `keys` is no matter.

        Raises `LookupError` when there are keys and no owner.
        """
        if keys and not self._owners:
            raise LookupError("the ring has no owner; add one first")
        room = -(-len(keys) * (1_000 + slack_permille) // (1_000 * max(1, len(self._standing))))
        load = dict.fromkeys(self._standing, 0)
        owned: dict[str, str] = {}
        for key in sorted(keys, key=place):
            owner = next(owner for owner in self.walk(key) if load[owner] < room)
            load[owner] += 1
            owned[key] = owner
        return owned

    def _at(self, key: str) -> int:
        at = bisect_left(self._places, place(key))
        return at if at < len(self._places) else 0

    def _arrange(self) -> None:
        pairs = sorted(
            (place(f"{owner}#{number}"), owner) for owner in self._standing for number in range(self._points)
        )
        self._places = [at for at, _ in pairs]
        self._owners = [owner for _, owner in pairs]
