"""What waits to be written into the layers: encoded once for all of them, off the event loop when it is large."""

import asyncio

from tidegate.cache.frame import decode, encode
from tidegate.model.cached import CacheEntry

LARGE = 1 << 15  # bytes, from which on a thread encodes and decodes: a third of a millisecond


class Write:
    """One answer that is to be kept, or with `entry` None a key that is to be forgotten."""

    __slots__ = ("_compress_above", "_making", "entry", "key", "size")

    def __init__(self, key: bytes, entry: CacheEntry | None, compress_above: int) -> None:
        self.key = key
        self.entry = entry
        self.size = 0 if entry is None else entry.size
        self._compress_above = compress_above
        self._making: asyncio.Future[bytes] | None = None

    async def frame(self, entry: CacheEntry) -> bytes:
        """Its bytes."""
        if self._making is None:
            loop = asyncio.get_running_loop()
            if self.size > LARGE:
                self._making = loop.run_in_executor(None, encode, entry, self._compress_above)
            else:
                self._making = loop.create_future()
                self._making.set_result(encode(entry, self._compress_above))
        return await self._making


async def read(frame: bytes) -> CacheEntry:
    """The answer in a frame. Raises `ValueError`."""
    if len(frame) > LARGE:
        return await asyncio.get_running_loop().run_in_executor(None, decode, frame)
    return decode(frame)
