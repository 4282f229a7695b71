"""What tests and benches need of a broker, whichever it is."""

import signal
from typing import Protocol


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
