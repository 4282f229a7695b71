"""Single flight: equal calls at the same time are one call to the provider, and all hear its answer from the beginning.

Who asked first leads: its call runs against a tape. Who comes meanwhile follows: it hears the tape from the start, in
its own form and within its own deadline. The leader's client may leave, the call goes on while anybody listens. Nobody
is refused for somebody else's limits: a reply that is the leader's own affair (its quota, its deadline, its key) is
told to the leader alone, and the followers ask anew.
"""

from typing import Final, Protocol

from tidegate.edge.tape import Listener, Tape
from tidegate.edge.wanted import Request, Wanted
from tidegate.model.cached import Cost, Entry
from tidegate.model.comparison import Verdict
from tidegate.model.outcome import Usage
from tidegate.ports import Clock, Timer

# What a reply says of the request itself or of the provider holds for all who asked the same.
_SHARED: Final = frozenset((400, 404, 413, 415, 422, 500, 501, 502))
MOST_ROUNDS: Final = 3  # so many leaders may fail before their followers share the refusal


class Compared:
    """A question that was compared, until its answer is there."""

    __slots__ = ("scope", "text", "vector", "verdict")

    def __init__(self, scope: bytes, text: str, vector: bytes, verdict: Verdict | None) -> None:
        self.scope = scope
        self.text = text
        self.vector = vector  # b"" = the process embeds it
        self.verdict = verdict


class Flight(Tape):
    """One call that runs for all who ask the same. Fulfils `model.parts.Keeping`."""

    __slots__ = (
        "asked", "cost", "entry", "found", "layer", "leader", "new", "request", "similarity_permille", "stale",
        "target", "wanted",
    )  # fmt: skip

    def __init__(self, flights: "Flights", request: Request, wanted: Wanted) -> None:
        asked = request.exchange.header(b"x-request-id")
        super().__init__(flights, asked, stays=False, clock=flights.now if wanted.streamed else None)
        self.request = request
        self.wanted = wanted
        self.leader = Listener(request.out)
        self.target = ""  # provider/scope/model that answered
        self.cost = Cost()
        self.entry: Entry | None = None  # it was known
        self.layer = ""  # where
        self.similarity_permille = 1_000
        self.stale: Entry | None = None  # an answer whose time is over
        self.asked: Compared | None = None  # the question, where it was compared with others
        self.found: list[Entry | None] = []  # of the inputs of an embeddings call: what was known
        self.new = b""  # and the provider's answer for the others

    def made(self, target: str, usage: Usage, cost_nano: int) -> None:
        """The provider has answered."""
        self.target = target
        self.cost = Cost(usage.prompt, usage.completion, cost_nano)


class Desk(Protocol):
    """What flights need of the room around them."""

    def again(self, request: Request) -> None:
        """Its leader failed: serve it anew."""

    def late(self, request: Request) -> None:
        """Its deadline passed before the answer began."""

    def tell(self, follower: "Follower", flight: Flight) -> bytes | None:
        """The answer in the follower's form, where that is another one; None: it cannot be said so."""

    def head(self, follower: "Follower", flight: Flight) -> bytes:
        """What the follower is told of the answer's source."""

    def served(self, follower: "Follower", flight: Flight) -> None:
        """It has heard all of it."""

    def keep(self, flight: Flight) -> None:
        """The answer is complete."""


class Follower(Listener):
    """One client that asked for what somebody else had asked for."""

    __slots__ = ("_desk", "_timer", "request", "wanted")

    def __init__(self, desk: Desk, request: Request, wanted: Wanted) -> None:
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
        self.stop()
        if isinstance(tape, Flight) and self._differs(tape):
            if tape.ended:
                self._translate(tape)
        elif not self.paused:
            self.go_on(tape)

    def head(self, tape: Tape) -> bytes:
        """An error's as it is; an answer's says whose it was."""
        if not isinstance(tape, Flight) or tape.status != 200:
            return tape.head
        return self._desk.head(self, tape)

    def over(self, tape: Tape) -> None:
        """It is counted."""
        if isinstance(tape, Flight):
            self._desk.served(self, tape)

    def leave(self) -> None:
        """Its client is gone, or it is served elsewhere."""
        self.stop()
        super().leave()

    def stop(self) -> None:
        """Its deadline is of no account any more."""
        timer, self._timer = self._timer, None
        if timer is not None:
            timer.cancel()

    def _differs(self, flight: Flight) -> bool:
        """Errors have one form."""
        mine, made = self.wanted, flight.wanted
        return flight.status == 200 and (mine.streamed != made.streamed or (mine.streamed and mine.usage != made.usage))

    def _translate(self, flight: Flight) -> None:
        body = None if flight.aborted else self._desk.tell(self, flight)
        if body is None:
            self.leave()
            self._desk.again(self.request)
        else:
            head = self.head(flight)
            self.finish(flight)
            self.out.respond(flight.status, head, body)

    def _late(self) -> None:
        self._timer = None
        self.leave()
        self._desk.late(self.request)


class Flights:
    """The calls that others may follow, by the key of their answer. O(1) to find; as many as there are calls."""

    __slots__ = ("_clock", "_desk", "_flights", "now")

    def __init__(self, clock: Clock, desk: Desk) -> None:
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
        if wanted is None or not wanted.terms.coalesce or not wanted.directives.read:
            return False
        flight = self._flights.get(wanted.key)
        if flight is None:
            return False
        rank, own = flight.request.caller.tenant.tier.rank, request.caller.tenant.tier.rank
        if not flight.replied and rank > own:
            return False
        follower = Follower(self._desk, request, wanted)
        if not flight.replied:
            follower.wait(self._clock)
        flight.play(follower)
        return True

    def lead(self, request: Request, wanted: Wanted) -> Flight:
        """A flight of its own, which others may follow from now on."""
        flight = Flight(self, request, wanted)
        request.call.keeping = flight
        if wanted.terms.coalesce:
            self._flights[wanted.key] = flight
        flight.play(flight.leader)
        return flight

    def begun(self, tape: Tape) -> None:
        """A reply that is the leader's own affair is told to nobody else."""
        if not isinstance(tape, Flight) or tape.status < 300 or tape.status in _SHARED:
            return
        self.forget(tape)
        for follower in tape.take(tape.leader):
            if isinstance(follower, Follower):
                follower.stop()
                if follower.request.rounds < MOST_ROUNDS:
                    follower.request.rounds += 1
                    self._desk.again(follower.request)
                else:
                    tape.play(follower)

    def ended(self, tape: Tape) -> None:
        """It is complete, and found where answers are kept."""
        self.forget(tape)
        if isinstance(tape, Flight):
            self._desk.keep(tape)

    def forget(self, tape: Tape) -> None:
        """The next one who asks leads."""
        if isinstance(tape, Flight) and self._flights.get(tape.wanted.key) is tape:
            del self._flights[tape.wanted.key]
