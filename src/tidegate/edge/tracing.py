"""How a client names its request: `x-request-id`, and its place in a trace (W3C Trace Context)."""

from typing import Final

from tidegate.edge.heads import combined
from tidegate.model import trace
from tidegate.model.call import Call
from tidegate.wire.exchange import Exchange

ID: Final = b"x-request-id"
_LONGEST: Final = 128  # of an id
_LONGEST_STATE: Final = 8_192  # of `tracestate`, which has 512 by the recommendation


def is_named(exchange: Exchange) -> bool:
    """Whether this head, and all that are like it, have such a name."""
    return exchange.header(ID) is not None or exchange.header(trace.NAME) is not None


def plain(given: bytes | None) -> bytes:
    """A client's id that is a plain token; b"" for none, and for anything else."""
    if given is not None and 0 < len(given) <= _LONGEST and given.translate(None, b"-_.:").isalnum():
        return given
    return b""


def names(exchange: Exchange, *, propagates: bool) -> tuple[str, str]:
    """Its client's `traceparent` and request id, "" for none.

    A `traceparent` that is none, or stands there twice, is as if it had not been sent.
    """
    request = plain(exchange.header(ID)).decode("ascii")
    if not propagates or exchange.header(trace.NAME) is None:
        return "", request
    return trace.read(combined(exchange.headers, trace.NAME)), request


def name(call: Call, exchange: Exchange, *, propagates: bool) -> None:
    """Write down how its client calls it, and hand on the state of its trace; the attempts tell their own part of it.

    Without a trace there is no state of one.
    """
    call.trace, call.request = names(exchange, propagates=propagates)
    if call.trace and exchange.header(trace.STATE) is not None:
        state = combined(exchange.headers, trace.STATE)
        if state and len(state) <= _LONGEST_STATE:
            call.forward += b"tracestate: %b\r\n" % state
