from collections.abc import Callable

from kombu import Connection

class Consumer:
    class Blueprint:
        default_steps: list[str]

        def start(self, parent: Consumer) -> None: ...

    connection: Connection
    def on_connection_error_after_connected(self, exc: Exception) -> None: ...
    def ensure_connected(self, conn: Connection) -> Connection: ...
    def call_soon_ack(self, p: Callable[..., object], *args: object) -> object: ...
