from kombu import Connection

class Consumer:
    class Blueprint:
        default_steps: list[str]

    def ensure_connected(self, conn: Connection) -> Connection: ...
