"""A request body on its way to a handler that reads it as it arrives."""

import asyncio
from collections.abc import Callable
from typing import Final

HIGH_WATER: Final = 65_536  # bytes held before the client is asked to wait


class Incoming:
    """`ports.BodySource`: holds what has arrived; `on_drained` is called when a read emptied it."""

    __slots__ = ("_failed", "_finished", "_held", "_loop", "_on_drained", "_size", "_waiter")

    def __init__(self, loop: asyncio.AbstractEventLoop, on_drained: Callable[[], None]) -> None:
        self._loop = loop
        self._on_drained = on_drained
        self._held: list[bytes] = []
        self._size = 0
        self._finished = False
        self._failed = False
        self._waiter: asyncio.Future[None] | None = None

    @property
    def full(self) -> bool:
        """Whether the client should wait."""
        return self._size >= HIGH_WATER

    def push(self, piece: bytes) -> None:
        """For the connection: some bytes arrived."""
        self._held.append(piece)
        self._size += len(piece)
        self._wake()

    def finish(self) -> None:
        """For the connection: the body is complete."""
        self._finished = True
        self._wake()

    def fail(self) -> None:
        """For the connection: the rest will never arrive."""
        self._failed = True
        self._held.clear()
        self._wake()

    async def read(self) -> bytes:
        """All that is held; empty at the end. Raises `ConnectionError` when the client left. One reader at a time."""
        while not self._held:
            if self._failed:
                raise ConnectionResetError("the client left before its request was complete")
            if self._finished:
                return b""
            self._waiter = self._loop.create_future()
            await self._waiter
        held = self._held
        data = held[0] if len(held) == 1 else b"".join(held)
        held.clear()
        self._size = 0
        self._on_drained()
        return data

    def _wake(self) -> None:
        waiter = self._waiter
        if waiter is not None:
            self._waiter = None
            if not waiter.done():
                waiter.set_result(None)
