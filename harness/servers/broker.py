"""What tests and benches need of a broker, whichever it is; and a Valkey server as one."""

import signal
from typing import Final, Protocol

from harness.servers.redis import VALKEY, Server

_PASSWORD: Final = "of-the-broker"  # noqa: S105 - of a server of this process


class Broker(Protocol):
    """One server of one's own on 127.0.0.1."""

    @property
    def url(self) -> str:
        """As `queue_backend` takes it, with credentials."""

    def kill(self) -> None:
        """SIGKILL."""

    def lose(self) -> None:
        """Whatever it kept is gone. Only after `kill`."""

    def start(self) -> None:
        """Again, on the same port; returns when it serves."""

    def freeze(self, number: int = signal.SIGSTOP) -> None:
        """Stop it; with SIGCONT let it go on."""

    def close(self) -> None:
        """End it and clear away."""


class RedisBroker(Server):
    """With a port and a password, as operators have it. It keeps nothing."""

    def __init__(self) -> None:
        super().__init__(VALKEY)

    @property
    def url(self) -> str:
        return f"redis://:{_PASSWORD}@{self.host}:{self.port}/0"

    def start(self) -> None:
        """It asks for the password from then on."""
        super().start()
        self.command("CONFIG", "SET", "requirepass", _PASSWORD)

    def lose(self) -> None:
        """It keeps nothing anyway."""

    def revive(self) -> None:
        """It runs."""
        if self.process is None or self.process.poll() is not None:
            self.start()
        else:
            self.thaw()
