"""The sockets that outlive every worker: bound once by the supervisor, inherited by its children."""

import errno
import socket

from tidegate.planes.failure import GateError

_LAST_PORT = 65_535
_BACKLOG = 4_096  # connections that wait while a worker is replaced; the system may cap it lower


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening TCP socket. Port 0 takes a free one. Raises `GateError` that names `option` as the remedy."""
    if not 0 <= port <= _LAST_PORT:
        raise GateError(f"{option} {port}: a port is a number from 0 (any) to {_LAST_PORT}", 2)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise GateError(f"cannot resolve host {host!r}: {error}") from None
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise GateError(_explained(error, host, port, option)) from None
    return listener


def _explained(error: OSError, host: str, port: int, option: str) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is in use: stop what listens there or choose another with {option}"
    return f"cannot listen on {host} port {port}: {error}; choose another with {option}"


def url(listener: socket.socket, scheme: str) -> str:
    """Where the socket can be reached, with its real port."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}"


def loopback(listener: socket.socket) -> bool:
    """Can only this machine reach the socket?"""
    host = str(listener.getsockname()[0])
    return host.startswith("127.") or host == "::1"
