"""Memory of answers that are on their way to clients, who may read slowly or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from tidegate.jobs.desk.errors import Unavailable

MOST: Final = 67_108_864  # bytes in all
SHARE: Final = 16_777_216  # of one tenant


class Budget:
    """Bytes that are held for clients, in all and by tenant. One answer of a tenant is let in whatever its size."""

    __slots__ = ("_held", "total")

    def __init__(self) -> None:
        self._held: dict[str, int] = {}
        self.total = 0

    @contextmanager
    def held(self, tenant: str, size: int) -> Iterator[None]:
        """While this context lasts. Raises `Unavailable` where there is no room. O(1)."""
        mine = self._held.get(tenant, 0)
        if mine and mine + size > SHARE:
            raise Unavailable("Too many answers are on their way to you: read them, then ask for this one again.")
        if self.total and self.total + size > MOST:
            raise Unavailable("Too many answers are on their way to clients. Ask for this one again in a moment.")
        self._add(tenant, size)
        try:
            yield
        finally:
            self._add(tenant, -size)

    def _add(self, tenant: str, size: int) -> None:
        self.total += size
        now = self._held.get(tenant, 0) + size
        if now:
            self._held[tenant] = now
        else:
            self._held.pop(tenant, None)
