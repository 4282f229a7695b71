"""Single flight: equal calls at the same time are one call to the provider, and all hear its answer from the beginning.

Who asked first leads: its call runs against a tape. Who comes meanwhile follows: it hears the tape from the start, in
its own form and within its own deadline. The leader's client may leave, the call goes on while anybody listens. Nobody
is refused for somebody else's limits: a reply that is the leader's own affair (its quota, its deadline, its key) is
told to the leader alone, and the followers ask anew. So they do where the answer that is found is not what they would
take, by what they say of the cache or by their own plan. Who does not read holds nobody up, and is cut in the end.
"""

import logging
from typing import Final, Protocol

from tidegate.edge.caching.lookup import CacheLookup
from tidegate.edge.request import Request
from tidegate.edge.tape import Listener, Tape
from tidegate.model.cached import CacheEntry, Cost
from tidegate.model.comparison import MatchResult
from tidegate.model.outcome import Usage
from tidegate.ports import Clock, Timer

_log = logging.getLogger(__name__)

# What a reply says of the request itself or of the provider holds for all who asked the same.
_SHARED: Final = frozenset((400, 404, 413, 415, 422, 500, 501, 502))
MOST_ROUNDS: Final = 3  # so many leaders may fail before their followers ask alone: many may be in a hurry
MOST_BEHIND: Final = 4_194_304  # bytes of a long answer, that a follower may be behind the others


class Compared:
    """A question that was compared, until its answer is there."""

    __slots__ = ("scope", "text", "vector", "verdict")

    def __init__(self, scope: bytes, text: str, vector: bytes, verdict: MatchResult | None) -> None:
        self.scope = scope
        self.text = text
        self.vector = vector  # b"" = the process embeds it
        self.verdict = verdict


class Flight(Tape):
    """One call that runs for all who ask the same. Fulfils `model.parts.Keeping`."""

    __slots__ = (
        "_flights", "asked", "cost", "entry", "found", "layer", "leader", "leads", "new", "request",
        "similarity_permille", "spoilt", "stale", "target", "wanted",
    )  # fmt: skip

    def __init__(self, flights: "Flights", request: Request, wanted: CacheLookup) -> None:
        asked = request.exchange.header(b"x-request-id")
        paced = wanted.streamed and wanted.terms.paced
        super().__init__(flights, asked, stays=False, clock=flights.now if paced else None)
        self._flights = flights
        self.request = request
        self.wanted = wanted
        self.leader = Listener(request.out)
        self.leads = False  # other gates wait for its answer
        self.spoilt = False  # it ends as an answer does, and is none
        self.target = ""  # provider/scope/model that answered
        self.cost = Cost()
        self.entry: CacheEntry | None = None  # it was known
        self.layer = ""  # where
        self.similarity_permille = 1_000
        self.stale: CacheEntry | None = None  # an answer whose time is over
        self.asked: Compared | None = None  # the question, where it was compared with others
        self.found: list[CacheEntry | None] = []  # of the inputs of an embeddings call: what was known
        self.new = b""  # and the provider's answer for the others

    def made(self, target: str, usage: Usage, cost_nano: int) -> None:
        """The provider has answered."""
        self.target = target
        self.cost = Cost(usage.prompt, usage.completion, cost_nano)

    def write(self, data: bytes) -> None:
        """A piece of the body."""
        before = self.long
        super().write(data)
        if self.long:
            if not before:
                self._flights.outgrown(self)
            self._drop_slow()

    def hold(self, *, paused: bool) -> None:
        """Nobody waits for one who does not read, while another one does."""
        if not paused or all(one.paused for one in self.listeners()):
            super().hold(paused=paused)

    def spoil(self) -> None:
        """Nobody else is told it, under whatever name."""
        self.spoilt = True
        super().spoil()
        for listener in self.listeners():
            listener.out.spoil()

    def revoke(self) -> bool:
        """The leader's key is no more. Its client hears that; True: the call goes on, as others listen."""
        leader, listeners = self.leader, self.listeners()
        if not any(one is not leader for one in listeners):
            return False
        if leader in listeners:
            self.part(leader)
            self._flights.refuse(self.request)
        return True

    def _drop_slow(self) -> None:
        """Who is far behind, when others are not, would have all of it kept for itself."""
        listeners = self.listeners()
        if self.behind <= MOST_BEHIND or all(one.paused for one in listeners):
            return
        for one in listeners:
            if one.paused:
                one.out.abort()
                one.leave()


class FlightHost(Protocol):
    """What flights need of the room around them."""

    def again(self, request: Request) -> None:
        """Its leader failed: serve it anew."""

    def late(self, request: Request) -> None:
        """Its deadline passed before the answer began."""

    def tell(self, follower: "Follower", flight: Flight) -> bytes | None:
        """The answer in the follower's form, where that is another one; None: it cannot be said so."""

    def head(self, follower: "Follower", flight: Flight) -> bytes:
        """What the follower is told of the answer's source."""

    def joined(self, follower: "Follower") -> None:
        """It waits for another's answer."""

    def suits(self, request: Request, wanted: CacheLookup, flight: Flight) -> bool:
        """Whether the answer that has begun is one that this request would have been given."""

    def served(self, follower: "Follower", flight: Flight) -> None:
        """It has heard all of it."""

    def left(self, follower: "Follower") -> None:
        """Its client has gone before the end."""

    def revoked(self, follower: "Follower") -> None:
        """Its key is no more."""

    def refuse(self, request: Request) -> None:
        """So is the leader's, and the call goes on."""

    def keep(self, flight: Flight) -> None:
        """The answer is complete."""

    def unled(self, flight: Flight) -> None:
        """Other gates wait for it, and it is not kept."""


class Follower(Listener):
    """One client that asked for what somebody else had asked for."""

    __slots__ = ("_desk", "_timer", "request", "wanted")

    def __init__(self, desk: FlightHost, request: Request, wanted: CacheLookup) -> None:
        super().__init__(request.out)
        self._desk = desk
        self._timer: Timer | None = None
        self.request = request
        self.wanted = wanted

    def wait(self, clock: Clock) -> None:
        """It is patient until its deadline."""
        self._timer = clock.call_at(self.request.call.deadline, self._late)

    def hear(self) -> None:
        """As any listener, once the answer has begun; in another form, once it is complete."""
        tape = self.tape
        if tape is None or not tape.replied:
            return
        if isinstance(tape, Flight) and self.differs(tape):
            if tape.ended:
                self._translate(tape)
            return
        self.stop()
        if not self.paused:
            self.go_on(tape)

    def head(self, tape: Tape) -> bytes:
        """It says whose answer it was."""
        return self._desk.head(self, tape) if isinstance(tape, Flight) else tape.head

    def over(self, tape: Tape) -> None:
        """It is counted."""
        if isinstance(tape, Flight):
            self._desk.served(self, tape)

    def leave(self) -> None:
        """Its client is gone."""
        self.quit()
        self._desk.left(self)

    def quit(self) -> None:
        """It is served elsewhere."""
        self.stop()
        super().leave()

    def revoke(self) -> bool:
        """Its key is no more: it hears that, and nobody else does."""
        self.quit()
        self._desk.revoked(self)
        return True

    def stop(self) -> None:
        """Its deadline is of no account any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def differs(self, flight: Flight) -> bool:
        """Whether it is told in another form, when it is complete. Errors have one form."""
        mine, made = self.wanted, flight.wanted
        return flight.status == 200 and (mine.streamed != made.streamed or (mine.streamed and mine.usage != made.usage))

    def _translate(self, flight: Flight) -> None:
        body = None if flight.aborted else self._desk.tell(self, flight)
        if body is None:
            self.quit()
            self._desk.again(self.request)
        else:
            self.stop()
            head = self.head(flight)
            self.finish(flight)
            self.out.respond(flight.status, head, body)

    def _late(self) -> None:
        self._timer = None
        self.quit()
        self._desk.late(self.request)


class Flights:
    """The calls that others may follow, by the key of their answer. O(1) to find; as many as there are calls."""

    __slots__ = ("_clock", "_desk", "_flights", "now")

    def __init__(self, clock: Clock, desk: FlightHost) -> None:
        self.now = clock.now
        self._clock = clock
        self._desk = desk
        self._flights: dict[bytes, Flight] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def join(self, request: Request) -> bool:
        """Follow who asks the same; False when nobody does, or nobody whom it would be well to wait for.

        A call does not wait behind one of a lower tier, whose turn comes later than its own would.
        """
        wanted = request.wanted
        if wanted is None or not wanted.terms.coalesce or not wanted.directives.read or request.rounds > MOST_ROUNDS:
            return False
        flight = self._flights.get(wanted.key)
        if flight is None or flight.request.call.on_cut != request.call.on_cut:
            return False
        rank, own = flight.request.caller.tenant.tier.rank, request.caller.tenant.tier.rank
        if rank > own if not flight.replied else not self._desk.suits(request, wanted, flight):
            return False
        follower = Follower(self._desk, request, wanted)
        self._desk.joined(follower)
        follower.wait(self._clock)
        flight.play(follower)
        return True

    def lead(self, request: Request, wanted: CacheLookup) -> Flight:
        """A flight of its own, which others may follow from now on."""
        flight = Flight(self, request, wanted)
        request.call.keeping = flight
        if wanted.terms.coalesce and not wanted.directives.only:  # else all who follow would be made to ask anew
            self._flights[wanted.key] = flight
        flight.play(flight.leader)
        return flight

    def begun(self, tape: Tape) -> None:
        """A reply that is the leader's own affair is told to nobody else; an answer, to those whom it suits."""
        if not isinstance(tape, Flight):
            return
        own = tape.status >= 300 and tape.status not in _SHARED
        if own:
            self.forget(tape)
        for follower in tape.listeners():
            if not isinstance(follower, Follower):
                continue
            if not own and self._desk.suits(follower.request, follower.wanted, tape):
                continue
            tape.part(follower)
            self._anew(follower)

    def outgrown(self, flight: Flight) -> None:
        """It is not kept whole any more: who waits for the whole of it asks anew."""
        for follower in flight.listeners():
            if isinstance(follower, Follower) and follower.differs(flight):
                self._anew(follower)

    def refuse(self, request: Request) -> None:
        """Its key was revoked."""
        self._desk.refuse(request)

    def _anew(self, follower: Follower) -> None:
        follower.quit()
        follower.request.rounds += 1
        self._desk.again(follower.request)

    def ended(self, tape: Tape) -> None:
        """It is complete, and found where answers are kept."""
        if isinstance(tape, Flight):
            self._remove(tape)
            try:
                self._desk.keep(tape)
            except Exception:  # noqa: BLE001 - it is made: that it cannot be kept is no reason not to tell it
                _log.exception("the gate failed to keep an answer")
            self._unled(tape)

    def forget(self, tape: Tape) -> None:
        """The next one who asks leads."""
        if isinstance(tape, Flight):
            self._remove(tape)
            self._unled(tape)

    def _remove(self, flight: Flight) -> None:
        if self._flights.get(flight.wanted.key) is flight:
            del self._flights[flight.wanted.key]

    def _unled(self, flight: Flight) -> None:
        if flight.leads:
            flight.leads = False
            self._desk.unled(flight)
