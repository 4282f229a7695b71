"""A request on its way: all that is needed to serve it, and how far it has come.

Stages are plain integers: compiled code has them inline, where a member of an Enum is looked up.
"""

from typing import Final

from tidegate.edge.caching.lookup import CacheLookup
from tidegate.edge.intake import Caller
from tidegate.edge.tape import Tape
from tidegate.line.plan import Plan
from tidegate.model.call import Call
from tidegate.wire.exchange import Exchange

PLANNED: Final = 0  # nothing is spent on it yet
RESERVED: Final = 1  # its tenant's limits hold what it will probably cost
SERVED: Final = 2  # its task has begun


class Request:
    """What `Pipeline.resume` goes on with, from `stage` on."""

    __slots__ = ("call", "caller", "exchange", "out", "plan", "rounds", "stage", "wanted")

    def __init__(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan, wanted: CacheLookup | None) -> None:
        self.out: Exchange | Tape = exchange  # who hears the answer: the exchange, or a tape that plays to it
        self.exchange = exchange
        self.caller = caller
        self.call = call
        self.plan = plan
        self.wanted = wanted  # None: it has nothing to do with the cache
        self.stage = PLANNED
        self.rounds = 0  # leaders that failed before it
