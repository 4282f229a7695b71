"""A child's end of the channel to the supervisor, on the running event loop."""

import asyncio
import contextlib
import socket
from collections import deque

from tidegate.supervisor.messages import Decoder, Message, encode

_READ = 262_144


class Channel:
    """Messages over an inherited socket pair. Its end is the supervisor's end."""

    __slots__ = ("_decoder", "_received", "_socket")

    def __init__(self, fd: int) -> None:
        self._socket = socket.socket(fileno=fd)
        self._socket.setblocking(False)
        self._decoder = Decoder()
        self._received: deque[Message] = deque()

    async def receive(self) -> Message | None:
        """The next message; None when the supervisor is gone. Raises `ProtocolError`. One reader at a time."""
        loop = asyncio.get_running_loop()
        while not self._received:
            try:
                data = await loop.sock_recv(self._socket, _READ)
            except OSError:
                return None
            if not data:
                return None
            self._received.extend(self._decoder.feed(data))
        return self._received.popleft()

    def send(self, message: Message) -> None:
        """Send one small message at once. Harmless when the supervisor is gone: `receive` tells that."""
        try:
            self._socket.sendall(encode(message))
        except (BrokenPipeError, ConnectionResetError):
            return

    async def hand_over(self, message: Message) -> None:
        """Send one that may be large. Nothing else is sent meanwhile. Harmless when the supervisor is gone."""
        with contextlib.suppress(OSError):
            await asyncio.get_running_loop().sock_sendall(self._socket, encode(message))

    def close(self) -> None:
        """Give the descriptor back."""
        self._socket.close()
