"""What may go wrong at the provider, and how a call has to end for its client."""

from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class End(Enum):
    """What the client gets."""

    FALLBACK = "answered by the fallback"
    PRIMARY = "answered"
    TOLD = "a prefix of the answer, then a typed error"


@dataclass(frozen=True, slots=True)
class Fault:
    """One row: the twin's rule, and the documented ending of a unary call and of a stream; None: there is no such case.

    `dead`: the provider's port is closed. `tools`: the call asks for a tool. `late`: a stream is struck when all of its
    words are there.
    """

    name: str
    rule: dict[str, Any] = field(default_factory=dict)
    unary: End | None = End.FALLBACK
    stream: End | None = End.FALLBACK
    dead: bool = False
    tools: bool = False
    late: bool = False


def _cut(at: str, name: str, stream: End | None, *, unary: bool = False, tools: bool = False) -> Fault:
    late = at in {"finish", "end"}
    whole = End.FALLBACK if unary else None
    return Fault(f"cut {name}", {"fault": "cut", "at": at}, whole, stream, tools=tools, late=late)


# A stream that has begun ends in a typed error, never in a clean end; all else is answered by the fallback. In a reply
# of one piece the twin takes places of a stream for shares of the body: `first_event` is behind its first byte, `end`
# before its last.
FAULTS: tuple[Fault, ...] = (
    Fault("429 short", {"fault": "429", "retry_after_ms": 20}),
    Fault("429 long", {"fault": "429", "retry_after": "3600"}),
    Fault("429 without header", {"fault": "429"}),
    Fault("billing", {"fault": "insufficient_quota"}),
    Fault("500", {"fault": "500"}),
    Fault("503", {"fault": "503"}),
    Fault("529", {"fault": "529"}),
    Fault("refused", dead=True),
    Fault("closed without a reply", {"fault": "close"}),
    Fault("reset", {"fault": "reset"}),
    Fault("time-out before the first byte", {"fault": "slow", "ms": 60_000}),
    Fault("silence", {"fault": "stall"}),
    _cut("before_head", "before the head", End.FALLBACK, unary=True),
    _cut("head", "in the head", End.FALLBACK, unary=True),
    _cut("after_head", "after the head", End.FALLBACK, unary=True),
    _cut("first_event", "after the first byte of the body", None, unary=True),
    _cut("content", "in the body", None, unary=True),
    _cut("end", "before the last byte", None, unary=True),
    _cut("first_event", "in the first event", End.FALLBACK),
    _cut("role", "after the role", End.FALLBACK),
    _cut("content", "within content", End.TOLD),
    _cut("arguments", "within a tool's arguments", End.TOLD, tools=True),
    _cut("finish", "before the reason to stop", End.TOLD),
    _cut("end", "before the last event", End.TOLD),
    Fault("reset within content", {"fault": "reset", "at": "content"}, End.FALLBACK, End.TOLD),
    Fault("stall within content", {"fault": "stall", "at": "content"}, End.FALLBACK, End.TOLD),
    Fault("malformed chunk first", {"fault": "malformed_chunk", "at": "role"}),
    Fault("malformed chunk in the body", {"fault": "malformed_chunk", "at": "content"}, End.FALLBACK, None),
    # Far behind the first content: what is read in one piece with a chunk that cannot be read is lost with it.
    Fault("malformed chunk", {"fault": "malformed_chunk", "after_bytes": 2_500}, None, End.TOLD),
    Fault("malformed event", {"fault": "malformed_json", "at": "content"}, End.FALLBACK, End.TOLD),
    Fault("malformed first event", {"fault": "malformed_json", "at": "role"}, None, End.FALLBACK),
    Fault("error event first", {"fault": "error_event", "at": "role"}, None, End.FALLBACK),
    Fault("error event within content", {"fault": "error_event", "at": "content"}, None, End.TOLD),
    Fault("fewer bytes than promised", {"fault": "wrong_length", "by": 40}, End.FALLBACK, End.PRIMARY),
    Fault("more bytes than promised", {"fault": "wrong_length", "by": -40}, End.FALLBACK, End.FALLBACK),
    Fault("far more bytes than promised", {"fault": "wrong_length", "by": -2_500}, None, End.TOLD),
)
