"""Why the gate cannot run."""


class GateError(Exception):
    """What the user reads, and the exit status: 1 = this machine or a child, 2 = the configuration."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
