from collections.abc import Callable

from kombu import Connection

class Consumer:
    class Blueprint:
        default_steps: list[str]

        def start(self, parent: Consumer) -> None: ...

    def ensure_connected(self, conn: Connection) -> Connection: ...
    def call_soon_ack(self, p: Callable[..., object], *args: object) -> object: ...
