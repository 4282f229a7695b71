"""Who asked for an answer that is known: what the record of a hit says of the request, as that of a call does."""

from tidegate.edge import tracing
from tidegate.edge.caching.lookup import CacheLookup
from tidegate.edge.intake import Caller
from tidegate.model.call import Call
from tidegate.wire.exchange import Exchange


class Inquiry:
    """One request that the cache may answer. Nobody changes one."""

    __slots__ = ("arrived", "call_id", "caller", "read_us", "request", "trace", "wanted")

    def __init__(
        self, call_id: int, caller: Caller, wanted: CacheLookup, arrived: int, read_us: int, trace: str, request: str
    ) -> None:
        self.call_id = call_id
        self.caller = caller
        self.wanted = wanted
        self.arrived = arrived  # when it was read, known and let in
        self.read_us = read_us  # how long that took
        self.trace = trace
        self.request = request


def of_call(call: Call, caller: Caller, wanted: CacheLookup) -> Inquiry:
    """Of a request that was made a call before it was looked for."""
    return Inquiry(call.id, caller, wanted, call.arrived, call.read_us, call.trace, call.request)


def of_head(
    exchange: Exchange, call_id: int, caller: Caller, wanted: CacheLookup, now: int, *, propagates: bool
) -> Inquiry:
    """Of one that was known by its bytes."""
    trace = request = ""
    if caller.named:
        trace, request = tracing.names(exchange, propagates=propagates)
    began = exchange.began
    return Inquiry(call_id, caller, wanted, now, now - began if began else 0, trace, request)
