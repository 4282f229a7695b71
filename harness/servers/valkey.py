"""A Valkey server without a port: on a Unix socket, as a gate has it that shares a machine with its store."""

import redis

from harness.servers.redis import VALKEY, Server, once


class Valkey(Server):
    """One server on a socket of its own, empty."""

    def __init__(self, *options: str) -> None:
        """`options` are the server's own, as `--maxmemory`, `1mb`. Raises `NotReady`."""
        super().__init__(VALKEY, *options)

    @property
    def url(self) -> str:
        return f"unix://{self._socket}"

    @property
    def _socket(self) -> str:
        return str(self.home / "socket")

    def _words(self) -> list[str]:
        """The socket of one that was killed is replaced."""
        return [*super()._words(), "--port", "0", "--unixsocket", self._socket, "--unixsocketperm", "700"]

    def _line(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=self._socket, **once())
