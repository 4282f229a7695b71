"""Embeddings calls and the cache: what is known of their inputs, before the line and after it."""

import asyncio
from typing import Final

from tidegate.edge import errors
from tidegate.edge.caching import hits
from tidegate.edge.caching.flights import Flight
from tidegate.edge.caching.hits import HitLog
from tidegate.edge.caching.inputs import Parts, entries, missing, narrow, saved, together
from tidegate.edge.caching.inquiry import Inquiry, of_call
from tidegate.edge.caching.lookup import CacheLookup
from tidegate.edge.heads import cached
from tidegate.edge.replies import Replies
from tidegate.edge.sink import Sink
from tidegate.line.slot import Answered
from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.outcome import Usage
from tidegate.policy.caching.freshness import FRESH, state
from tidegate.ports import Answers, Clock
from tidegate.providers.dialects import DIALECTS

_AT_ONCE: Final = 64  # inputs that the layers are asked for; more are asked for anew
_SAME: Final = 1_000
_NOTHING: Final = Usage()
_OTHERS: Final = Problem(ProblemKind.UPSTREAM, "The provider did not answer with one embedding for each input.")


class Embeddings:
    """One per worker. `answers` changes on reload."""

    __slots__ = ("_clock", "_hits", "_replies", "answers")

    def __init__(self, answers: Answers, replies: Replies, clock: Clock, log: HitLog) -> None:
        self.answers = answers
        self._replies = replies
        self._clock = clock
        self._hits = log

    def now(self, out: Sink, who: Inquiry, asked: Parts) -> Cost | None:
        """Answer from memory, where all inputs are known; what they had cost, or None. O(inputs)."""
        wall, wanted = self._clock.wall(), who.wanted
        found = [self._known(key, wanted, wall) for key in asked.keys]
        if not found or None in found:
            return None
        return self._give(out, who, found, wall)

    async def later(self, out: Sink, flight: Flight, asked: Parts) -> bool:
        """Answer from all layers; what is not known is asked for alone."""
        wanted, call = flight.wanted, flight.request.call
        found = await self._found(flight, asked)
        wall = self._clock.wall()
        if None not in found:
            cost = self._give(out, of_call(call, flight.request.caller, wanted), found, wall)
            flight.entry, flight.layer, flight.cost = found[0], hits.INPUTS, cost
            self._replies.dismiss(call)
            self._replies.spend(call, cost, full=wanted.terms.full)
            return True
        plan = flight.request.plan
        if len(plan.targets) > 1 or any(step.target is not None for step in plan.ladder):
            flight.found = [None] * len(found)
            return False  # vectors of two models are no answer
        flight.found = found
        narrow(call, missing(found), len(found))
        return False

    def complete(self, flight: Flight, answered: Answered) -> Answered:
        """The answer of all inputs, where the provider was asked for some; an error, where it answered others."""
        found = flight.found
        if answered.status != 200 or answered.splice is not None or not any(found):
            return answered
        call, status = flight.request.call, answered.status
        try:
            body = together(found, call.shape.model, answered.body, answered.usage or _NOTHING)
            flight.new = answered.body
        except ValueError:
            reply = errors.of_problem(_OTHERS, DIALECTS[call.dialect])
            status, body = reply.status, reply.body
        headers, shown = answered.headers, answered.shown
        return Answered(answered.slot, status, headers, shown, body, None, answered.usage, answered.charged)

    def keep(self, flight: Flight, asked: Parts, body: bytes, labels: Labels, wall: int) -> str:
        """Keep what is new; why not, "" when it is kept."""
        wanted, call = flight.wanted, flight.request.call
        fresh = wall + wanted.ttl_us
        new = flight.new or body
        try:
            made = entries(
                asked, flight.found, new, call, labels, flight.cost, wall, fresh, fresh + wanted.terms.stale_us
            )
        except ValueError:
            return "error"
        for entry in made:
            self.answers.keep(entry)
        return ""

    async def _found(self, flight: Flight, asked: Parts) -> list[CacheEntry | None]:
        wanted, deadline, wall = flight.wanted, flight.request.call.deadline, self._clock.wall()
        found = [self._known(key, wanted, wall) for key in asked.keys]
        if self.answers.layered and wanted.directives.read:
            lacking = missing(found)[:_AT_ONCE]
            late = await asyncio.gather(*[self.answers.later(asked.keys[at], deadline) for at in lacking])
            for at, entry in zip(lacking, late, strict=True):
                if entry is not None and state(entry, wall, wanted.directives) == FRESH:
                    found[at] = entry
        return found

    def _known(self, key: bytes, wanted: CacheLookup, wall: int) -> CacheEntry | None:
        if not wanted.directives.read or not wanted.terms.exact:
            return None
        entry = self.answers.now(key)
        return entry if entry is not None and state(entry, wall, wanted.directives) == FRESH else None

    def _give(self, out: Sink, who: Inquiry, found: list[CacheEntry | None], wall: int) -> Cost:
        known = [entry for entry in found if entry is not None]
        oldest, cost = min(known, key=_stored), saved(found)
        body = together(found, who.wanted.model.partition("/")[2], None)
        request_id, age = self._replies.request_id(out, who.call_id), max(0, wall - oldest.stored_us)
        source, model = oldest.call_id, oldest.labels.model
        layer = hits.INPUTS
        self._hits.add(who, model, layer, source, _SAME, cost, oldest.stored_us, wall)
        out.respond(200, cached(request_id, model, layer, source, _SAME, False, age), body)
        return cost


def _stored(entry: CacheEntry) -> int:
    return entry.stored_us
