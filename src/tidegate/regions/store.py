"""The face of the store that regions share, and what goes through it."""

from collections.abc import Mapping
from typing import NamedTuple, Protocol


class StoreAway(Exception):
    """No answer in time, or one that is of no use. What was asked may have been done. The text holds no secret."""


class View(NamedTuple):
    """All keys at one moment: its revision, which only grows, and each value beside the one at which it was written."""

    revision: int
    items: Mapping[str, tuple[int, bytes]]


class Store(Protocol):
    """Keys with values under one prefix. All methods raise `StoreAway`.

    Nobody is told of changes: what a region may spend by is a matter of when it *asked*, which no event of a watch
    says. So everybody reads everything once a beat; it is small.
    """

    async def exchange(self, puts: Mapping[str, bytes]) -> View:
        """Write these and read all, in one linearizable step."""

    async def swap(self, key: str, revision: int, value: bytes) -> bool:
        """Write it if it is still at that revision, 0 = if there is none. False: it is not."""

    async def drop(self, key: str, revision: int) -> bool:
        """Remove it if it is still at that revision."""

    async def close(self) -> None:
        """Let go of connections. Harmless the second time."""
