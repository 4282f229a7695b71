"""W3C Trace Context: reading `traceparent` as strictly as the recommendation asks, and telling it on.

Ids of spans are made from the call's id, so that whoever has its record knows them: the gate's own span is number 0,
its attempts count from 1. Nothing here is remembered or drawn by chance.
"""

import re
from typing import Final

NAME: Final = b"traceparent"
STATE: Final = b"tracestate"
_SHAPE: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.DOTALL).fullmatch
_NO_TRACE: Final = b"0" * 32
_NO_SPAN: Final = b"0" * 16
_LONGEST: Final = 512  # of a version that is still to come; ours has 55 bytes
_WORD: Final = (1 << 64) - 1


def read(given: bytes) -> str:
    """`traceparent` as it was sent, "" where it is none: then the client is as one that sent nothing.

    Of a later version what this one knows is kept (W3C Trace Context 1, 4.3). O(bytes).
    """
    if len(given) > _LONGEST:
        return ""
    found = _SHAPE(given)
    if found is None:
        return ""
    version, trace, span, flags, more = found.groups()
    if version == b"ff" or trace == _NO_TRACE or span == _NO_SPAN or (version == b"00" and more is not None):
        return ""
    return b"-".join((b"00", trace, span, flags)).decode("ascii")


def trace_id(traceparent: str) -> str:
    """Its 32 digits, "" of ""."""
    return traceparent[3:35]


def parent(traceparent: str) -> str:
    """The client's span."""
    return traceparent[36:52]


def sampled(traceparent: str) -> bool:
    """Whether the client says that it keeps this trace."""
    return bool(traceparent) and bool(int(traceparent[53:55], 16) & 1)


def span(call_id: int, number: int) -> str:
    """The id of a span of this call: 16 hexadecimal digits, never all zero (splitmix64)."""
    state = (call_id * 64 + number + 1) * 0x9E37_79B9_7F4A_7C15 & _WORD
    state = (state ^ state >> 30) * 0xBF58_476D_1CE4_E5B9 & _WORD
    state = (state ^ state >> 27) * 0x94D0_49BB_1331_11EB & _WORD
    return f"{(state ^ state >> 31) or 1:016x}"


def onward(traceparent: str, own: str) -> bytes:
    """The header line for who is asked on the client's behalf, by the span of this id."""
    return f"traceparent: {traceparent[:36]}{own}{traceparent[52:]}\r\n".encode("ascii")
