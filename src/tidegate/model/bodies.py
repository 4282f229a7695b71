"""What calls said: which of it is kept for people who debug, and how a worker hands it over.

Off unless a namespace, or the file for all of them, asks for it.
"""

import msgspec

from tidegate.model.record import Record

KINDS = ("secrets", "email", "phone", "card", "id")  # what is known to be told by its form: `redaction/`


class BodyPolicy(Record, frozen=True):
    """Whose bodies are kept, how much of them, for how long, and what is taken out before."""

    sample_ppm: int = 0  # calls of a million
    errors: bool = False  # every call that failed, sampled or not
    max_bytes: int = 65_536  # of a request, and of an answer
    keep_days: int = 7
    redact: tuple[str, ...] = KINDS  # of `KINDS`, or a regular expression between slashes


def is_pattern(word: str) -> bool:
    """In `redact`, `/…/` is a regular expression; everything else names a kind."""
    return len(word) > 1 and word.startswith("/") and word.endswith("/")


class Sample(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One call as it was said, as it travels from a worker to the control process. It is not redacted yet.

    `request_bytes` and `answer_bytes` are how long they were; what is here may be cut. No header is part of it.
    """

    call_id: int
    at_us: int  # wall clock, when its answer ended
    namespace: str
    key: str
    status: int  # as the client was told; 499 = it had left
    why: str  # sample | error
    complete: bool  # the answer came to its end
    request: bytes
    request_bytes: int
    answer: bytes
    answer_bytes: int
    policy: BodyPolicy
