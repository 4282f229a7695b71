"""Who keeps no answers: a worker has one until somebody wants them kept, as the rest of this room is much to import."""

from typing import TYPE_CHECKING

from tidegate.edge.caching.lookup import CacheLookup
from tidegate.edge.intake import Caller
from tidegate.edge.request import Request
from tidegate.edge.sink import Sink
from tidegate.line.plan import Plan
from tidegate.line.slot import Answered
from tidegate.model.call import Call
from tidegate.model.reply import Refused
from tidegate.policy.caching.terms import Terms
from tidegate.wire.exchange import Exchange

if TYPE_CHECKING:
    from tidegate.edge.caching.flights import Flight


class NoCache:
    """What the pipeline asks of a cache, answered by one that knows nothing. `Cache` is one that does."""

    __slots__ = ()

    def recall(self, exchange: Exchange, caller: Caller, *, propagates: bool) -> bool:
        """Answer what was asked before in the same words. False: it has to be looked at."""
        return False

    def wanted(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan, terms: Terms) -> CacheLookup | None:
        """What is looked for; None where the call has nothing to do with the cache."""
        return None

    def hit(self, exchange: Sink, caller: Caller, call: Call, wanted: CacheLookup) -> bool:
        """Answer from memory, where it is known there."""
        return False

    def known(self, request: Request, wanted: CacheLookup) -> bool:
        """As `hit`, of a request on its way."""
        return False

    def follow(self, request: Request) -> bool:
        """Hear the answer that is being made for somebody else."""
        return False

    def lead(self, request: Request, wanted: CacheLookup) -> "Flight | None":
        """What stands for who asks while its answer is made, so that others may follow."""
        return None

    async def found(self, out: Sink, call: Call, plan: Plan) -> bool:
        """Answer from the slower layers, or by meaning. False: the call has to be made."""
        return False

    def complete(self, call: Call, answered: Answered) -> Answered:
        """The answer that was asked for, where the provider was asked for less."""
        return answered

    def stale(self, out: Sink, call: Call, plan: Plan, refused: Refused) -> bool:
        """Stand in for a provider that failed with an answer whose time is over."""
        return False
