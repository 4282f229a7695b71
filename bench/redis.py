"""A Valkey server as a broker: with a port and a password, as operators have it."""

import signal

from bench.process import free_port
from bench.valkey import Valkey

_PASSWORD = "of-the-broker"  # noqa: S105 - of a server of this process


class RedisBroker:
    """One server on 127.0.0.1, empty. It dies with the process that started it."""

    def __init__(self) -> None:
        self.port = free_port()
        self._server = Valkey("--port", str(self.port), "--bind", "127.0.0.1")
        self._guard()

    @property
    def url(self) -> str:
        return f"redis://:{_PASSWORD}@127.0.0.1:{self.port}/0"

    def start(self) -> None:
        self._server.start()
        self._guard()

    def kill(self) -> None:
        self._server.kill()

    def lose(self) -> None:
        """It keeps nothing anyway."""

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        self._server.freeze(number)

    def revive(self) -> None:
        """It runs."""
        process = self._server.process
        if process is None or process.poll() is not None:
            self.start()
        else:
            self.freeze(signal.SIGCONT)

    def close(self) -> None:
        self._server.close()

    def _guard(self) -> None:
        self._server.command("CONFIG", "SET", "requirepass", _PASSWORD)
