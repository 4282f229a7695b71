"""Whose certificates channels trust: the system's authorities, loaded once, and only when somebody needs them."""

import asyncio
import ssl

from tidegate.wire.tls import client_context


class Trust:
    """Shared by all channels of a process."""

    __slots__ = ("_context",)

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        """`context`: in place of the system's authorities."""
        self._context = context

    async def context(self) -> ssl.SSLContext:
        """Loading takes tens of milliseconds, in a thread. Raises `OSError`."""
        if self._context is None:
            self._context = await asyncio.to_thread(client_context)
        return self._context
