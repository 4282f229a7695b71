"""Breaking the protocol on purpose: bytes past HTTP, ends without an end, resets. Below the exchange's face."""

import asyncio
import socket
import struct
from typing import Final

from tidegate.wire.exchange import Exchange
from tidegate.wire.reply import status_line

_RESET_ON_CLOSE: Final = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 s: closing sends RST
_FLUSH_S: Final = 0.002  # what was written before a reset has left by then


def transport(exchange: Exchange) -> asyncio.Transport | None:
    """What is below an exchange; None once the client has left."""
    return exchange.transport


def head(status: int, lines: bytes, length: int) -> bytes:
    """A reply's head that promises `length` bytes of body."""
    return b"%b%bcontent-length: %d\r\n\r\n" % (status_line(status), lines, length)


def write(exchange: Exchange, data: bytes) -> None:
    """Send bytes as they are."""
    below = transport(exchange)
    if below is not None and not below.is_closing():
        below.write(data)


def finish(exchange: Exchange) -> None:
    """Send what was written, then FIN."""
    below = transport(exchange)
    if below is not None:
        below.close()


def reset(exchange: Exchange) -> None:
    """Send what was written, then RST."""
    below = transport(exchange)
    if below is not None:
        asyncio.get_running_loop().call_later(_FLUSH_S, _reset, below)


def _reset(below: asyncio.Transport) -> None:
    if below.is_closing():
        return
    sock = below.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
    below.abort()
