"""What a name stands for: asked once for each attempt, of the system's resolver, in threads of its own."""

import asyncio
import socket
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

from tidegate.policy.access.addresses import UNKNOWN, parse_address, peer_address

_THREADS: Final = 128  # a resolver may hold a thread beyond the attempt that asked; they are made when they are needed


class Names(Protocol):
    """Who tells what a name stands for."""

    async def addresses(self, host: str) -> Sequence[bytes]:
        """All of its addresses, in network order; none where there are none. Raises `OSError`."""


class SystemNames:
    """The system's resolver. The event loop's own threads are not used: uvloop has four, and a slow name holds one."""

    __slots__ = ("_threads",)

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, "names")

    async def addresses(self, host: str) -> Sequence[bytes]:
        """As `Names`. An address is its own."""
        literal = parse_address(host)
        if literal != UNKNOWN:
            return (literal,)
        return await asyncio.get_running_loop().run_in_executor(self._threads, _looked_up, host)


def _looked_up(host: str) -> list[bytes]:
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise OSError(f"no host has this name: {error}") from error
    return [peer_address(str(where[0])) for *_, where in found]
