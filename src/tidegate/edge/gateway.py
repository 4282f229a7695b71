"""The handler of the data port: from an exchange to a call that is served, or to the reply that refuses it."""

import asyncio
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from tidegate.edge import errors, intake, spending
from tidegate.edge.access.door import Turned
from tidegate.edge.access.proofs import Proofs
from tidegate.edge.access.reception import guest_of, introduced, unproven, welcome, welcome_again
from tidegate.edge.access.signatures import Nonce
from tidegate.edge.crew import TaskPool
from tidegate.edge.errands import Errands
from tidegate.edge.house import Runtime as Runtime
from tidegate.edge.idempotency.elsewhere import Elsewhere
from tidegate.edge.idempotency.once import Again, Once, OnceTape, digest
from tidegate.edge.intake import Caller
from tidegate.edge.models import model, models_list
from tidegate.edge.plans import planned, unknown_model
from tidegate.edge.routes import MODEL_PREFIX, Match, Route, dialect_of, match
from tidegate.edge.serving import Serving
from tidegate.edge.tape import Listener, Tape
from tidegate.edge.wanted import CacheLookup, Request
from tidegate.line.line import Line
from tidegate.line.plan import Plan
from tidegate.model.call import Call, Kind
from tidegate.model.errors import Problem, ProblemKind
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.ports import Clock, Journal, Observer
from tidegate.providers.codec import Dialect
from tidegate.providers.dialects import DIALECTS
from tidegate.wire.exchange import BUFFER, STREAM, Exchange, Intake

if TYPE_CHECKING:  # half of what a worker imports: for who keeps answers
    from tidegate.edge.caching.cache import Cache
    from tidegate.edge.caching.flights import Flight

CALL: Final = Route.CALL
FORWARD: Final = Route.FORWARD
COUNT: Final = Kind.COUNT
_STREAMED: Final = frozenset((FORWARD, Route.MODEL, Route.DESK))
_KEY_REUSED = Problem(
    ProblemKind.KEY_REUSED,
    "This Idempotency-Key was used for another request. Send a new key, or the same request.",
    "idempotency-key",
)


class Gateway:
    """Fulfils `wire.exchange.Handler`. `house` is swapped on reload; calls in flight keep the plan they began with."""

    __slots__ = (
        "_clock", "_crew", "_observer", "_once", "cache", "draining", "elsewhere", "errands", "house", "proofs",
        "serving",
    )  # fmt: skip

    def __init__(
        self,
        house: Runtime,
        line: Line,
        clock: Clock,
        journal: Journal,
        observer: Observer,
        worker: int = 0,
    ) -> None:
        """Needs a running event loop. `worker` is its number among those that write into one ledger."""
        self.house = house
        self.draining = False
        self.serving = Serving(line, clock, journal, observer, worker)
        self._clock = clock
        self._observer = observer
        self._once = Once(clock.now)
        self._crew = TaskPool(asyncio.get_running_loop(), self.serving.serve)
        self.cache: Cache | None = None  # without one nothing is kept, whatever a plan says
        self.errands: Errands | None = None  # without them there is no patient work
        self.elsewhere: Elsewhere | None = None  # in a cluster: who else executes what is to be executed once
        self.proofs: Proofs | None = None  # in a cluster: who knows which signatures were used elsewhere

    def keep(self, cache: "Cache") -> None:
        """Answers are kept, from now on."""
        self.cache = self.serving.known = cache

    @property
    def open(self) -> int:
        """Calls whose record is not written."""
        return self.serving.open

    def review(self) -> None:
        """Who may call has changed: what is in flight ends with its key, where its namespace wants that."""
        self.serving.revoking.review(self.house.clients)

    def head(self, exchange: Exchange) -> Intake:
        """Refuse what needs no body; the rest is read whole when it is routed by its model, else as it arrives."""
        try:
            if welcome_again(self.house, exchange, self._known(exchange), self._clock):
                return BUFFER
            found = self._match(exchange)
            dialect = _dialect(exchange, found)
            guest = welcome(self.house, exchange, found, dialect, self._clock.now(), self._clock.wall())
        except Turned as turned:
            self.serving.answer(exchange, self._turned(turned, _dialect(exchange, match(exchange.path))))
            return BUFFER
        exchange.alike.note = guest
        if isinstance(guest, errors.Reply):
            self.serving.answer(exchange, guest)
        elif guest is not None and guest.digest is not None:
            return BUFFER  # its body belongs to what was signed
        return STREAM if found.route in _STREAMED else BUFFER

    def _turned(self, turned: Turned, dialect: Dialect) -> errors.Reply:
        self._observer.refused("", turned.word)
        return errors.of_problem(turned.problem, dialect)

    def call(self, exchange: Exchange) -> None:
        """Answer the exchange, now or later."""
        caller = self._known(exchange)
        if caller is not None:
            self._begin(exchange, caller)
            return
        nonce = None if self.proofs is None else unproven(exchange)
        if nonce is None:
            self._admit(exchange)
        else:
            self._crew.beside(self._prove(exchange, nonce))

    async def _prove(self, exchange: Exchange, nonce: Nonce) -> None:
        """Let in whose signature was not used at another worker."""
        try:
            if self.proofs is not None:
                await self.proofs.use(nonce)
        except Turned as turned:
            self.serving.answer(exchange, self._turned(turned, _dialect(exchange, match(exchange.path))))
        else:
            self._admit(exchange)

    def _admit(self, exchange: Exchange) -> None:
        found = self._match(exchange)
        if found.route is CALL or found.route is FORWARD:
            self._introduce(exchange, found)
        elif found.route is Route.MODELS or found.route is Route.MODEL:
            self._models(exchange, found)
        elif found.route is Route.DESK:
            self._ask_desk(exchange, found)
        elif found.route is Route.READY and self.draining:
            exchange.respond(503, errors.JSON, b'{"status":"draining"}')
        else:
            exchange.respond(200, errors.JSON, b'{"status":"ok"}')

    def _models(self, exchange: Exchange, found: Match) -> None:
        """The gate's own names, as far as the key may use them; the rest is the providers' business."""
        dialect, names = _dialect(exchange, found), self.house.book.models
        try:
            allowed = guest_of(self.house, exchange, self._clock.now(), self._clock.wall()).client.models
        except Turned as turned:
            self.serving.answer(exchange, self._turned(turned, dialect))
            return
        if found.route is Route.MODELS:
            exchange.respond(
                200, errors.JSON, models_list(names if allowed is None else allowed.of(names), dialect.name)
            )
            return
        name = unquote(exchange.path[len(MODEL_PREFIX) :].decode("latin-1"))
        reads = exchange.method in (b"GET", b"HEAD")
        if reads and name in names and (allowed is None or allowed.allow(name)):
            exchange.respond(200, errors.JSON, model(name, dialect.name))
        elif reads and allowed is not None:
            self.serving.answer(exchange, errors.of_problem(unknown_model(name).problem, dialect))
        else:
            self._introduce(exchange, found)

    def _match(self, exchange: Exchange) -> Match:
        return match(exchange.path, patient=self._patient() is not None)

    def _patient(self) -> Errands | None:
        """Who takes what is asked of patient work; None while there is none."""
        return None if self.house.tickets is None else self.errands

    def _ask_desk(self, exchange: Exchange, found: Match) -> None:
        """Pass a request about patient work on to who keeps it."""
        dialect, now, wall = _dialect(exchange, found), self._clock.now(), self._clock.wall()
        try:
            guest = guest_of(self.house, exchange, now, wall)
            intake.check_signed(guest, exchange.body)
            tag = intake.tag_of(exchange)
        except Turned as turned:
            self.serving.answer(exchange, self._turned(turned, dialect))
        except intake.Refusal as error:
            self.serving.answer(exchange, errors.of_problem(error.problem, dialect))
        else:
            errands = self._patient()
            if errands is not None:
                errands.pass_on(exchange, guest.client, tag, dialect)

    def _known(self, exchange: Exchange) -> Caller | None:
        """Who has sent this same head before, under this house."""
        caller = exchange.alike.note
        if not isinstance(caller, Caller) or caller.mark is not self.house.mark:
            return None
        return caller if not caller.until_us or caller.until_us > self._clock.wall() else None

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        """The body of an error that the wire itself answers."""
        return errors.of_wire(status, code, message, DIALECTS[dialect_of(path, match(path).kind, None)])

    def _introduce(self, exchange: Exchange, found: Match) -> None:
        """Find out who calls; the next head like this one need not be looked at again."""
        try:
            caller = introduced(self.house, exchange, found, self._clock.now(), self._clock.wall())
        except Turned as turned:
            self.serving.answer(exchange, self._turned(turned, _dialect(exchange, found)))
            return
        except intake.Refusal as error:
            self.serving.answer(exchange, errors.of_problem(error.problem, _dialect(exchange, found)))
            return
        self._begin(exchange, caller)

    def _begin(self, exchange: Exchange, caller: Caller) -> None:
        """Make the call, or refuse what cannot become one, or answer what is known."""
        cache = self.cache if self.house.book.caches else None
        if cache is not None and not caller.once and cache.recall(exchange, caller):
            return
        now = self._clock.now()
        try:
            call, plan = planned(self.house.book, caller, exchange, self.serving.next_id(), now)
        except intake.Refusal as error:
            self.serving.answer(exchange, errors.of_problem(error.problem, DIALECTS[caller.dialect]))
            return
        if caller.kind is COUNT and not plan.counts:
            self.serving.count(exchange, call, plan)
            return
        if caller.patient or (plan.asynchronous and caller.able):
            errands = self._patient()
            if errands is not None:
                if cache is None or not self._recalled(exchange, caller, call, plan, cache):
                    errands.hold(exchange, caller, call, plan)
                return
        tape = self._once.find(caller.client, caller.once) if caller.once else None
        if tape is not None:
            self._replay(exchange, caller, tape)
            return
        wanted: CacheLookup | None = None
        if cache is not None and plan.caching is not None:
            wanted = cache.wanted(exchange, caller, call, plan, plan.caching)
            if wanted is not None and not wanted.terms.full and cache.hit(exchange, caller, call, wanted):
                return
        out: Exchange | Tape = exchange
        if caller.once:
            what, request_id = digest(caller.path, exchange.body), exchange.header(b"x-request-id")
            out = tape = self._once.record(caller.client, caller.once, what, request_id)
            tape.play(Listener(exchange))
        request = Request(out, exchange, caller, call, plan, wanted)
        if tape is not None and self.elsewhere is not None:
            self._crew.beside(self.elsewhere.serve(request, tape))
        else:
            self.start(request)

    def _recalled(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan, cache: "Cache") -> bool:
        """Answer from memory what would be a job. What is beyond memory or costs its tenant something, that finds."""
        if plan.caching is None or caller.once:
            return False
        wanted = cache.wanted(exchange, caller, call, plan, plan.caching)
        if wanted is None or (wanted.terms.full and caller.limits is not None):
            return False
        return cache.hit(exchange, caller, call, wanted)

    def start(self, request: Request) -> None:
        """Have it served, or let it hear what is being made for somebody else."""
        call, caller, wanted = request.call, request.caller, request.wanted
        cache = self.cache if wanted is not None else None
        free = wanted is not None and not wanted.terms.full
        if cache is not None and free and cache.flights.join(request):
            return
        if caller.limits is not None and call.grant is None and self._too_much(request, caller.limits):
            return  # or it waits for what other workers have left
        if cache is not None and not free and (cache.known(request) or cache.flights.join(request)):
            return
        out: Exchange | Tape = request.out
        flight: Flight | None = None
        if cache is not None and wanted is not None:
            out = flight = cache.flights.lead(request, wanted)
        self.serving.open += 1
        if caller.cut is not None:
            self.serving.revoking.begin(call, caller.cut, flight)
        kept = caller.bodies
        self._crew.start(out if kept is None else kept.watch(out, call, request.exchange), call, request.plan)

    def _too_much(self, request: Request, limits: Limits) -> bool:
        """Charge the call to its tenant's own limits. True: they do not allow it, and it is refused."""
        call, plan = request.call, request.plan
        problem = spending.grant(call, plan, limits, self._clock.now(), self._clock.wall())
        if problem is None:
            return False
        if limits.joined:
            self._crew.beside(self._gather(request, limits))
        else:
            self._refuse(request, problem)
        return True

    async def _gather(self, request: Request, limits: Limits) -> None:
        """Serve it, when what it lacks here is had from elsewhere."""
        problem = await spending.gathered(request.call, request.plan, limits, self._clock, self._crew.loop)
        if problem is None:
            self.start(request)
        else:
            self._refuse(request, problem)

    def _refuse(self, request: Request, problem: Problem) -> None:
        call, plan = request.call, request.plan
        self._observer.refused(plan.name, spending.WORDS[problem.kind])
        self.serving.answer(request.out, errors.of_problem(problem, DIALECTS[call.dialect]))

    def share(self, elsewhere: Elsewhere, proofs: Proofs) -> None:
        """There are other workers, and what they share."""
        self.elsewhere = self._once.beyond = elsewhere
        self.proofs = proofs

    def reused(self, request: Request) -> None:
        """Another request was asked under its key, at another worker."""
        self.unserved(request, _KEY_REUSED)

    def unserved(self, request: Request, problem: Problem) -> None:
        """Nothing is spent on it, and this is why."""
        self.serving.answer(request.out, errors.of_problem(problem, DIALECTS[request.caller.dialect]))

    def _replay(self, exchange: Exchange, caller: Caller, tape: OnceTape) -> None:
        """What was asked before under the same key is answered once; something else under it is refused."""
        if tape.digest == digest(caller.path, exchange.body):
            tape.play(Again(exchange))
        else:
            self.serving.answer(exchange, errors.of_problem(_KEY_REUSED, DIALECTS[caller.dialect]))


def _dialect(exchange: Exchange, found: Match) -> Dialect:
    """Which maker's words the client understands."""
    return DIALECTS[dialect_of(exchange.path, found.kind, exchange.header(b"anthropic-version"))]
