"""The sockets that outlive every worker: bound once by the supervisor, inherited by its children."""

import errno
import socket

from tidegate.supervisor.failure import GateError
from tidegate.supervisor.spread import spread

_LAST_PORT = 65_535
_BACKLOG = 4_096  # connections that wait while a worker is replaced; the system may cap it lower


def listen(host: str, port: int, option: str) -> socket.socket:
    """A listening TCP socket. Port 0 takes a free one. Raises `GateError` that names `option` as the remedy."""
    family, address = _resolved(host, port, option)
    return _bound(family, address, option, ())


def listen_together(host: str, port: int, option: str, count: int) -> list[socket.socket]:
    """So many listening sockets on one port, each with a backlog of its own. As `listen`.

    A connection waits for whose socket it was given to, also while that one is started again.
    """
    family, address = _resolved(host, port, option)
    if count == 1:
        return [_bound(family, address, option, ())]
    if port:
        _bound(family, address, option, ()).close()  # a port that is shared could be shared with a stranger
    found: list[socket.socket] = []
    try:
        for _ in range(count):
            found.append(_bound(family, address, option, (socket.SO_REUSEPORT,)))
            address = found[0].getsockname()
    except GateError:
        for listener in found:
            listener.close()
        raise
    spread(found)
    return found


def _resolved(host: str, port: int, option: str) -> tuple[int, tuple[object, ...]]:
    if not 0 <= port <= _LAST_PORT:
        raise GateError(f"{option} {port}: a port is a number from 0 (any) to {_LAST_PORT}", 2)
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except (OSError, UnicodeError) as error:
        raise GateError(f"cannot resolve host {host!r}: {error}") from None
    return family, address


def _bound(family: int, address: tuple[object, ...], option: str, settings: tuple[int, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setblocking(False)  # of all processes that have it: `dup` would set it as it is here
    try:
        for setting in (socket.SO_REUSEADDR, *settings):
            listener.setsockopt(socket.SOL_SOCKET, setting, 1)
        listener.bind(address)
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise GateError(_explained(error, str(address[0]), address[1], option)) from None
    return listener


def _explained(error: OSError, host: str, port: object, option: str) -> str:
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
