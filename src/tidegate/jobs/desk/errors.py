"""Why the desk does not do what it is asked. Only `replies.py` turns one of these into a status and a body."""

from enum import Enum, auto


class Fault(Enum):
    """Whose fault it is and what would help."""

    BAD_REQUEST = auto()  # the request must change
    UNAUTHENTICATED = auto()  # nobody says who asks
    MODEL_NOT_ALLOWED = auto()
    NOT_FOUND = auto()  # or none of who asks
    WRONG_METHOD = auto()
    CONFLICT = auto()  # it has ended, or is in another state
    KEY_REUSED = auto()  # its idempotency key belongs to another request
    GONE = auto()  # there never will be an answer
    TOO_LARGE = auto()
    FULL = auto()  # its tenant has as many as it may have
    UPSTREAM = auto()  # the job has failed without an answer of its own
    INTERNAL = auto()  # a defect of ours
    DEADLINE = auto()  # the client's wait is over, and the job goes on
    UNAVAILABLE = auto()  # the desk, its database or a broker cannot serve now


class Refused(Exception):
    """A refusal. The message names the field and the remedy; `retry_after_us` > 0: when to ask again.

    `head` are header lines for the client, each with CRLF.
    """

    def __init__(
        self, fault: Fault, message: str, param: str = "", *, retry_after_us: int = 0, head: bytes = b""
    ) -> None:
        super().__init__(message)
        self.fault = fault
        self.message = message
        self.param = param
        self.retry_after_us = retry_after_us
        self.head = head


class Unavailable(Refused):
    """What the desk needs is away for the moment."""

    def __init__(self, message: str, retry_after_us: int = 2_000_000) -> None:
        super().__init__(Fault.UNAVAILABLE, message, retry_after_us=retry_after_us)
