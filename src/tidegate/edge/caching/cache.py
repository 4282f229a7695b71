"""Answers that are known: where a call meets the cache, before the line and after it.

A hit in memory is answered at once: no task, no grant, no slot. What is being made for somebody else is heard along
(`flights`). Everything slower, disk, Redis and meaning, is asked in the call's task.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from tidegate.edge.caching import hits
from tidegate.edge.caching.asking import Asking
from tidegate.edge.caching.embeddings import Embeddings
from tidegate.edge.caching.flights import Flight, Flights, Follower
from tidegate.edge.caching.hits import HitLog
from tidegate.edge.caching.inputs import Parts
from tidegate.edge.caching.inquiry import Inquiry, of_call, of_head
from tidegate.edge.caching.keeping import entry_of, model_of, unkept
from tidegate.edge.caching.lookup import CacheLookup
from tidegate.edge.caching.no_cache import NoCache
from tidegate.edge.caching.pacing import Pacer
from tidegate.edge.caching.shaped import Shapes
from tidegate.edge.heads import anothers, cached, less
from tidegate.edge.intake import Caller
from tidegate.edge.replies import Replies
from tidegate.edge.request import Request
from tidegate.edge.sink import Sink
from tidegate.line.ladder import STALE as STEP
from tidegate.line.plan import Plan
from tidegate.line.slot import Answered
from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.model.call import Call
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.facts import BROKEN, LEFT
from tidegate.model.outcome import Reason
from tidegate.model.reply import Refused
from tidegate.policy.caching.freshness import FRESH, STALE, state
from tidegate.policy.caching.storable import why_not
from tidegate.policy.caching.terms import Terms
from tidegate.ports import Answers, Clock
from tidegate.providers.answers.finish import finish
from tidegate.wire.exchange import Exchange

if TYPE_CHECKING:  # its tables of words are for who compares questions
    from tidegate.edge.caching.meaning import Meaning

PATIENCE_US: Final = 5_000_000  # with another gate that is making the answer
_SAME: Final = 1_000  # permille of similarity
_REVOKED: Final = 401
# What is wrong with the request itself is no fault of the provider's.
_OWN_FAULTS: Final = frozenset((Reason.FATAL, Reason.POLICY, Reason.TOO_LARGE))
_NOT_CACHED: Final = Problem(
    ProblemKind.NOT_CACHED, "No answer to this request is known, and it asks for nothing else (only-if-cached)."
)
_LATE: Final = Problem(ProblemKind.DEADLINE, "The deadline passed while the same call of somebody else was answered.")


class Cache(NoCache):
    """One per worker. Fulfils `flights.FlightHost`."""

    __slots__ = (
        "_again", "_answers", "_clock", "_embeddings", "_ids", "_replies", "_shapes", "asking", "flights", "hits",
        "meaning",
    )  # fmt: skip

    def __init__(
        self, answers: Answers, replies: Replies, clock: Clock, log: HitLog, again: Callable[[Request], None]
    ) -> None:
        """`again` serves a follower anew, whose leader has failed."""
        self.asking = Asking()
        self.flights = Flights(clock, self)
        self.hits = log
        self.meaning: Meaning | None = None
        self._again = again
        self._answers = answers
        self._replies = replies
        self._ids = replies.ids
        self._clock = clock
        self._shapes = Shapes()
        self._embeddings = Embeddings(answers, replies, clock, log)

    def change(self, answers: Answers, meaning: "Meaning | None", headers: frozenset[str]) -> None:
        """Follow a reload: where answers are, who compares questions, which headers rules look at."""
        self._answers = self._embeddings.answers = answers
        self.meaning = meaning
        self.asking.change(headers)

    # Before the line, in the exchange's own turn.

    def recall(self, exchange: Exchange, caller: Caller, *, propagates: bool) -> bool:
        """Answer what was asked before in the same words. False: it has to be looked at."""
        wanted = self.asking.again(exchange, caller)
        if wanted is None or (wanted.terms.full and caller.limits is not None):
            return False
        wall = self._clock.wall()
        entry = self._fresh(wanted, wall)
        if entry is None:
            return False
        now = self._clock.now()
        who = of_head(exchange, self._ids.next(), caller, wanted, now, propagates=propagates)
        return self._give(exchange, who, entry, hits.EXACT, _SAME, wall)

    def wanted(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan, terms: Terms) -> CacheLookup | None:
        """What is looked for; None where the call has nothing to do with the cache, and its record says why."""
        wanted = self.asking.wanted(exchange, caller, call, plan, terms)
        if isinstance(wanted, str):
            call.cache = wanted
            return None
        call.cache = "miss"
        return wanted

    def hit(self, exchange: Sink, caller: Caller, call: Call, wanted: CacheLookup) -> bool:
        """Answer from memory, where it is known there."""
        if wanted.parts is not None:
            cost = self._embeddings.now(exchange, of_call(call, caller, wanted), wanted.parts)
        else:
            cost = self._now(exchange, caller, call, wanted)
        if cost is None:
            return False
        self._replies.spend(call, cost, full=wanted.terms.full)
        return True

    def known(self, request: Request, wanted: CacheLookup) -> bool:
        """As `hit`, of a request on its way."""
        return self.hit(request.out, request.caller, request.call, wanted)

    def follow(self, request: Request) -> bool:
        """Hear the answer that is being made for somebody else."""
        return self.flights.join(request)

    def lead(self, request: Request, wanted: CacheLookup) -> Flight:
        """What stands for who asks while its answer is made, so that others may follow."""
        return self.flights.lead(request, wanted)

    def _now(self, exchange: Sink, caller: Caller, call: Call, wanted: CacheLookup) -> Cost | None:
        """What the entry had cost that was given."""
        wall = self._clock.wall()
        entry = self._fresh(wanted, wall)
        if entry is None:
            return None
        given = self._give(exchange, of_call(call, caller, wanted), entry, hits.EXACT, _SAME, wall)
        return entry.cost if given else None

    def _fresh(self, wanted: CacheLookup, wall: int) -> CacheEntry | None:
        """The entry in memory."""
        if not wanted.directives.read or not wanted.terms.exact:
            return None
        entry = self._answers.now(wanted.key)
        return entry if entry is not None and state(entry, wall, wanted.directives) == FRESH else None

    # In the call's task, before and after the line.

    async def found(self, out: Sink, call: Call, plan: Plan) -> bool:
        """Answer from the slower layers, or by meaning. False: the call has to be made."""
        flight = call.keeping
        if not isinstance(flight, Flight):
            return False
        wanted = flight.wanted
        if wanted.parts is not None:
            if await self._embeddings.later(out, flight, wanted.parts):
                return True
        elif wanted.directives.read:
            if wanted.terms.exact and await self._later(out, flight):
                return True
            if self.meaning is not None and wanted.terms.semantic is not None and not wanted.directives.exact_only:
                verdict = await self.meaning.ask(flight)
                if verdict is not None and await self._means(out, flight, verdict.key, verdict.similarity_permille):
                    return True
        if wanted.directives.only:
            self._replies.refuse(out, call, plan, Refused(_NOT_CACHED))
            return True
        return False

    async def _later(self, out: Sink, flight: Flight) -> bool:
        call, wanted = flight.request.call, flight.wanted
        entry = self._answers.now(wanted.key)
        old = entry is None or state(entry, self._clock.wall(), wanted.directives) != FRESH
        if old and self._answers.layered:  # another worker may have made it since
            entry = await self._elsewhere(flight) or entry
        if entry is None:
            return False
        fresh = state(entry, self._clock.wall(), wanted.directives)
        if fresh == FRESH:
            return self._found(out, flight, entry, hits.EXACT, _SAME)
        if fresh == STALE:
            flight.stale, call.stale = entry, True
        return False

    async def _elsewhere(self, flight: Flight) -> CacheEntry | None:
        """What the layers hold, or will hold soon, where another gate is making it. A stream waits for nobody's end."""
        call, wanted = flight.request.call, flight.wanted
        if not (wanted.terms.coalesce and wanted.directives.write) or wanted.directives.only:
            return await self._answers.later(wanted.key, call.deadline)
        patience = 0 if wanted.streamed else min(PATIENCE_US, (call.deadline - self._clock.now()) // 4)
        found = await self._answers.lead(wanted.key, call.deadline, call.tenant.tier.rank, patience)
        if found is True:
            flight.leads = True
        return found if isinstance(found, CacheEntry) else None

    async def _means(self, out: Sink, flight: Flight, name: bytes, similarity: int) -> bool:
        """The answer to the question that means the same, where it is still there."""
        entry = self._answers.now(name)
        if entry is None and self._answers.layered:
            entry = await self._answers.later(name, flight.request.call.deadline)
        if entry is None or state(entry, self._clock.wall(), flight.wanted.directives) != FRESH:
            if self.meaning is not None:
                self.meaning.gone(name)
            return False
        return self._found(out, flight, entry, hits.SEMANTIC, similarity)

    def complete(self, call: Call, answered: Answered) -> Answered:
        """The answer that was asked for, where the provider was asked for less."""
        flight = call.keeping
        return self._embeddings.complete(flight, answered) if isinstance(flight, Flight) else answered

    def stale(self, out: Sink, call: Call, plan: Plan, refused: Refused) -> bool:
        """Stand in for a provider that failed, or as the ladder says, with an answer whose time is over."""
        flight = call.keeping
        if not isinstance(flight, Flight) or flight.stale is None:
            return False
        failure = refused.failure
        if STEP not in call.degraded and (failure is None or failure.reason in _OWN_FAULTS):
            return False
        call.cache = "stale"
        flight.entry, flight.layer, flight.cost = flight.stale, hits.STALE, flight.stale.cost
        self._replies.spend(call, flight.cost, full=flight.wanted.terms.full)
        self._replies.unserved(call, plan, 200)
        who = of_call(call, flight.request.caller, flight.wanted)
        return self._give(out, who, flight.stale, hits.STALE, _SAME, self._clock.wall())

    def _found(self, out: Sink, flight: Flight, entry: CacheEntry, layer: str, similarity: int) -> bool:
        """It ends here: nobody has been asked, and no record is written but the hit."""
        flight.entry, flight.layer, flight.similarity_permille, flight.cost = entry, layer, similarity, entry.cost
        who = of_call(flight.request.call, flight.request.caller, flight.wanted)
        if not self._give(out, who, entry, layer, similarity, self._clock.wall()):
            flight.entry = None
            return False
        self._replies.dismiss(flight.request.call)
        self._replies.spend(flight.request.call, entry.cost, full=flight.wanted.terms.full)
        return True

    def _give(self, out: Sink, who: Inquiry, entry: CacheEntry, layer: str, similarity: int, wall: int) -> bool:
        """Reply with a kept answer. False: it cannot be said in the form that is asked for."""
        wanted = who.wanted
        try:
            body = self._shapes.body(
                wanted, entry.key, entry.stored_us, entry.body, entry.cost, streamed=entry.streamed
            )
        except ValueError:
            return False
        request_id, age = self._replies.request_id(out, who.call_id), max(0, wall - entry.stored_us)
        model, source = entry.labels.model, entry.call_id
        head = cached(request_id, model, layer, source, similarity, wanted.streamed, age)
        self.hits.hit(who, entry, layer, similarity, wall)
        if wanted.terms.paced and entry.beats and body is entry.body:
            Pacer(self._clock, out, body, entry.beats).start(head)
        else:
            out.respond(200, head, body)
        return True

    # For those who hear what is made for somebody else.

    def late(self, request: Request) -> None:
        """Nothing was spent on it; it has a record all the same."""
        self._replies.late(request.out, request.call, request.plan, Refused(_LATE))

    def again(self, request: Request) -> None:
        """It follows nobody any more."""
        self._replies.revoking.calls.pop(request.call.id, None)
        self._again(request)

    def joined(self, follower: Follower) -> None:
        """It ends with its key, as any call, where its namespace wants that."""
        request = follower.request
        if request.caller.cut is not None:
            self._replies.revoking.begin(request.call, request.caller.cut, follower)

    def left(self, follower: Follower) -> None:
        """It has its record, and gives back what it held."""
        self._replies.beside(follower.request.call, follower.request.plan, LEFT)

    def revoked(self, follower: Follower) -> None:
        """So has this one."""
        self._replies.beside(follower.request.call, follower.request.plan, _REVOKED)
        self.refuse(follower.request)

    def refuse(self, request: Request) -> None:
        """Its key is no more."""
        self._replies.revoked(request.out, request.call)

    def suits(self, request: Request, wanted: CacheLookup, flight: Flight) -> bool:
        """Whether it would have been given this answer itself: by its own plan, and what it says of the cache."""
        entry, call = flight.entry, flight.request.call
        if entry is None:
            if request.plan.name == flight.request.plan.name:
                return True
            made = flight.status == 200 and not call.degraded and bool(call.attempts)
            return made and model_of(call.attempts[-1].target) == wanted.model
        if flight.layer == hits.SEMANTIC and (wanted.directives.exact_only or wanted.terms.semantic is None):
            return False
        if flight.layer == hits.INPUTS:
            return wanted.directives.max_age_us < 0  # they are of several moments
        found = state(entry, self._clock.wall(), wanted.directives)
        return found == FRESH or (found == STALE and flight.layer == hits.STALE)

    def tell(self, follower: Follower, flight: Flight) -> bytes | None:
        """The answer in another form; None: it cannot be said so, or is not there any more."""
        if not flight.complete or flight.spoilt:
            return None
        body, wanted = b"".join(flight.pieces(0)), follower.wanted
        made_us, streamed = flight.request.call.arrived, flight.wanted.streamed
        if flight.entry is not None:
            made_us = flight.entry.stored_us
        try:
            return self._shapes.body(wanted, wanted.key, made_us, body, flight.cost, streamed=streamed)
        except ValueError:
            return None

    def head(self, follower: Follower, flight: Flight) -> bytes:
        """Whose answer it is."""
        entry, call = flight.entry, flight.request.call
        request_id = self._replies.request_id(follower.out, follower.request.call.id)
        if flight.status != 200:
            return anothers(flight.head, request_id)
        streamed, similarity = follower.wanted.streamed, flight.similarity_permille
        if entry is None:
            target = flight.target or (call.attempts[-1].target if call.attempts else "")  # a stream has no end yet
            head = cached(request_id, model_of(target), hits.JOINED, call.id, similarity, streamed, 0)
            return head + less(call) if call.degraded or call.dropped else head
        age = max(0, self._clock.wall() - entry.stored_us)
        return cached(request_id, entry.labels.model, flight.layer, entry.call_id, similarity, streamed, age)

    def served(self, follower: Follower, flight: Flight) -> None:
        """It is counted as a hit, or as the failure that it was."""
        call, wall = follower.request.call, self._clock.wall()
        if flight.status != 200 or flight.aborted or flight.spoilt:
            status = flight.status if flight.status != 200 else BROKEN
            self._replies.beside(call, follower.request.plan, status)
            return
        self._replies.revoking.calls.pop(call.id, None)
        self._replies.spend(call, flight.cost, full=follower.wanted.terms.full)
        entry, who = flight.entry, of_call(call, follower.request.caller, follower.wanted)
        if entry is None:
            model, source = model_of(flight.target), flight.request.call.id
            self.hits.add(who, model, hits.JOINED, source, _SAME, flight.cost, wall, wall)
        else:
            self.hits.hit(who, entry, flight.layer, flight.similarity_permille, wall)

    def keep(self, flight: Flight) -> None:
        """Keep a complete answer, where it may be kept."""
        if flight.entry is not None or not flight.wanted.directives.write:
            return
        wanted, call, wall = flight.wanted, flight.request.call, self._clock.wall()
        word = unkept(flight)
        if word:
            self.hits.note(call.id, f"unstored: {word}", wall)
            return
        body = b"".join(flight.pieces(0))
        ended = finish(wanted.kind, body, streamed=wanted.streamed)
        word = why_not(ended, tools_allowed=wanted.terms.tools, kind=wanted.kind)
        if word:
            self.hits.note(call.id, f"unstored: {word}", wall)
            return
        labels = Labels(call.tenant.name, model_of(flight.target), wanted.plan, wanted.tags)
        if wanted.parts is not None:
            self._keep_parts(flight, wanted.parts, body, labels, wall)
            return
        entry = entry_of(flight, body, labels, wall)
        flight.leads = flight.leads and entry.key != wanted.key
        self._answers.keep(entry)
        self.hits.note(call.id, "stored", wall, entry.key)
        if self.meaning is not None and wanted.terms.semantic is not None:
            self.meaning.learn(flight, entry, ended)

    def unled(self, flight: Flight) -> None:
        """Other gates wait for an answer that is not kept."""
        self._answers.unled(flight.wanted.key)

    def _keep_parts(self, flight: Flight, asked: Parts, body: bytes, labels: Labels, wall: int) -> None:
        """Of another model's answer nothing is kept: its vectors are not this one's."""
        model = labels.model == flight.wanted.model
        word = self._embeddings.keep(flight, asked, body, labels, wall) if model else "another model"
        self.hits.note(flight.request.call.id, f"unstored: {word}" if word else "stored", wall)
