"""The handler of the data port: from an exchange to the line and back.

A call has a task until its complete answer is written or a stream is attached; a stream then runs by callback.
The record goes to the journal before the reply's last byte, whatever the ending.
"""

import asyncio
import logging
from functools import partial
from typing import Final
from urllib.parse import unquote

from tidegate.edge import errors, heads, intake, spending
from tidegate.edge.crew import Brake, Crew, Out
from tidegate.edge.door import Guest, Place, Turned
from tidegate.edge.house import House as House
from tidegate.edge.intake import Caller
from tidegate.edge.models import model, models_list
from tidegate.edge.once import Once, Tape, digest
from tidegate.edge.plans import planned, unknown_model
from tidegate.edge.reception import guest_of, welcome
from tidegate.edge.revoking import REVOKED, Revoking
from tidegate.edge.routes import MODEL_PREFIX, Match, Route, dialect_of, match
from tidegate.line.lane import Lane
from tidegate.line.line import Line
from tidegate.line.plan import Plan
from tidegate.line.records import Ending
from tidegate.line.relay import Relay
from tidegate.line.slot import Answered
from tidegate.line.tries import recorded
from tidegate.model.call import Call, Kind
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.facts import BROKEN, LEFT
from tidegate.model.outcome import Usage
from tidegate.model.reply import Refused
from tidegate.policy.spend.limits import Limits
from tidegate.ports import Clock, Journal, Observer
from tidegate.providers.codec import Dialect
from tidegate.providers.dialects import DIALECTS, OPENAI
from tidegate.wire.exchange import BUFFER, STREAM, Exchange, Intake

_log = logging.getLogger(__name__)

NOTHING: Final = Usage()
_WORKER_SHIFT: Final = 53  # microseconds since 1970 take fewer bits until 2255
DRAIN: Final = "drain"
CALL: Final = Route.CALL
FORWARD: Final = Route.FORWARD
COUNT: Final = Kind.COUNT
_KEY_REUSED = Problem(
    ProblemKind.KEY_REUSED,
    "This Idempotency-Key was used for another request. Send a new key, or the same request.",
    "idempotency-key",
)
_OURS = Problem(ProblemKind.UNAVAILABLE, "The gate failed on this request; its log says why.")
_ID_MAX = 128


class Gateway:
    """Fulfils `wire.exchange.Handler`. `house` is swapped on reload; calls in flight keep the plan they began with."""

    __slots__ = (
        "_clock", "_crew", "_journal", "_line", "_next_id", "_observer", "_once", "_revoking", "_story", "draining",
        "house", "open",
    )  # fmt: skip

    def __init__(
        self, house: House, line: Line, clock: Clock, journal: Journal, observer: Observer, worker: int = 0
    ) -> None:
        """Needs a running event loop. `worker` is its number among those that write into one ledger."""
        self.house = house
        self.draining = False
        self.open = 0  # calls whose record is not written
        self._line = line
        self._clock = clock
        self._journal = journal
        self._observer = observer
        self._story = heads.Story()
        self._once = Once(clock.now)
        self._revoking = Revoking(clock)
        self._crew = Crew(asyncio.get_running_loop(), self._serve)
        # Unique over restarts while calls are fewer than one a microsecond, and over workers; a signed 64-bit integer.
        self._next_id = (worker << _WORKER_SHIFT) + clock.wall()

    def begin_after(self, call_id: int) -> None:
        """Ids of calls go on behind this one of an earlier run, should the clock have been set back since."""
        high = self._next_id >> _WORKER_SHIFT << _WORKER_SHIFT
        self._next_id = max(self._next_id, high + (call_id & ((1 << _WORKER_SHIFT) - 1)))

    def review(self) -> None:
        """Who may call has changed: what is in flight ends with its key, where its namespace wants that."""
        self._revoking.review(self.house.clients)

    def head(self, exchange: Exchange) -> Intake:
        """Refuse what needs no body; the rest is read whole when it is routed by its model, else as it arrives."""
        caller = self._known(exchange)
        if caller is not None:
            if caller.place is not None:
                self._count_again(exchange, caller, caller.place)
            return BUFFER
        found = match(exchange.path)
        dialect = _dialect(exchange, found)
        guest: Guest | errors.Reply | None
        try:
            guest = welcome(self.house, exchange, found, dialect, self._clock.now(), self._clock.wall())
        except Turned as turned:
            guest = self._turned(turned, dialect)
        exchange.alike.note = guest
        if isinstance(guest, errors.Reply):
            self._answer(exchange, guest)
        elif guest is not None and guest.digest is not None:
            return BUFFER  # its body belongs to what was signed
        return STREAM if found.route is FORWARD or found.route is Route.MODEL else BUFFER

    def _count_again(self, exchange: Exchange, caller: Caller, place: Place) -> None:
        """A known head is counted too, where requests are."""
        door = self.house.door
        if door is not None:
            try:
                door.again(place, self._clock.now())
            except Turned as turned:
                self._answer(exchange, self._turned(turned, DIALECTS[caller.dialect]))

    def _turned(self, turned: Turned, dialect: Dialect) -> errors.Reply:
        self._observer.refused("", turned.word)
        return errors.of_problem(turned.problem, dialect)

    def call(self, exchange: Exchange) -> None:
        """Answer the exchange, now or later."""
        caller = self._known(exchange)
        if caller is not None:
            self._begin(exchange, caller)
            return
        found = match(exchange.path)
        if found.route is CALL or found.route is FORWARD:
            self._introduce(exchange, found)
        elif found.route is Route.MODELS or found.route is Route.MODEL:
            self._models(exchange, found)
        elif found.route is Route.READY and self.draining:
            exchange.respond(503, errors.JSON, b'{"status":"draining"}')
        else:
            exchange.respond(200, errors.JSON, b'{"status":"ok"}')

    def _models(self, exchange: Exchange, found: Match) -> None:
        """The gate's own names, as far as the key may use them; the rest is the providers' business."""
        dialect, names = _dialect(exchange, found), self.house.book.models
        try:
            allowed = guest_of(self.house, exchange, self._clock.wall()).client.models
        except Turned as turned:
            self._answer(exchange, self._turned(turned, dialect))
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
            self._answer(exchange, errors.of_problem(unknown_model(name).problem, dialect))
        else:
            self._introduce(exchange, found)

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
            guest = guest_of(self.house, exchange, self._clock.wall())
            intake.check_signed(guest, exchange.body)
            caller = Caller(exchange, found.kind, guest.client, guest.mark, guest.place)
        except Turned as turned:
            self._answer(exchange, self._turned(turned, _dialect(exchange, found)))
            return
        except intake.Refusal as error:
            self._answer(exchange, errors.of_problem(error.problem, _dialect(exchange, found)))
            return
        if found.route is CALL and guest.digest is None:
            exchange.alike.note = caller
        self._begin(exchange, caller)

    def _begin(self, exchange: Exchange, caller: Caller) -> None:
        """Make the call, or refuse what cannot become one."""
        self._next_id += 1
        now = self._clock.now()
        try:
            call, plan = planned(self.house.book, caller, exchange, self._next_id, now)
        except intake.Refusal as error:
            self._answer(exchange, errors.of_problem(error.problem, DIALECTS[caller.dialect]))
            return
        if caller.kind is COUNT and not plan.counts:
            self._count(exchange, call, plan)
            return
        tape = self._once.find(caller.client, caller.once) if caller.once else None
        if tape is not None:
            self._replay(exchange, caller, tape)
            return
        if caller.limits is not None and self._too_much(exchange, call, plan, caller.limits, now):
            return
        self.open += 1
        out: Exchange | Tape = exchange
        if caller.once:
            what, request_id = digest(caller.path, exchange.body), exchange.header(b"x-request-id")
            out = self._once.record(caller.client, caller.once, what, request_id)
            out.play(exchange, again=False)
        if caller.cut is not None:
            self._revoking.begin(call, caller.cut)
        kept = caller.bodies
        self._crew.start(out if kept is None else kept.watch(out, call, exchange), call, plan)

    def _too_much(self, exchange: Exchange, call: Call, plan: Plan, limits: Limits, now: int) -> bool:
        """Charge the call to its tenant's own limits. True: they do not allow it, and it is refused."""
        problem = spending.grant(call, plan, limits, now, self._clock.wall())
        if problem is None:
            return False
        self._observer.refused(plan.name, spending.WORDS[problem.kind])
        self._answer(exchange, errors.of_problem(problem, DIALECTS[call.dialect]))
        return True

    def _replay(self, exchange: Exchange, caller: Caller, tape: Tape) -> None:
        """What was asked before under the same key is answered once; something else under it is refused."""
        if tape.digest == digest(caller.path, exchange.body):
            tape.play(exchange, again=True)
        else:
            self._answer(exchange, errors.of_problem(_KEY_REUSED, DIALECTS[caller.dialect]))

    async def _serve(self, exchange: Out, call: Call, plan: Plan, brake: Brake) -> None:
        """One call, to its reply; nobody is left waiting, whatever goes wrong."""
        if exchange.connection is None:
            self._lost(call, plan, LEFT)  # before this first step was taken
            return
        if self._revoking.calls:
            self._revoking.serve(call, brake)
        exchange.on_gone = partial(_left, call, brake) if plan.streams.on_disconnect == DRAIN else brake.stop
        try:
            self._reply(exchange, call, plan, await self._line.run(call, plan))
        except asyncio.CancelledError:
            if self._revoking.ended(call):
                self._lost(call, plan, 401)
                self._give_up(exchange, call, REVOKED)
            else:
                self._lost(call, plan, LEFT)
            return
        except OSError as error:
            self._give_up(exchange, call, errors.unwritten(error))
            self._lost(call, plan, 503)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            _log.exception("the gate failed on a call")
            self._give_up(exchange, call, _OURS)
            self._lost(call, plan, 503)

    def _lost(self, call: Call, plan: Plan, status: int) -> None:
        """Whatever ended it: what the call has cost is booked all the same, and its end does not wait for the disk."""
        try:
            self._unserved(call, plan, status)
        except OSError:
            _log.exception("the journal cannot be written")

    def _reply(self, exchange: Out, call: Call, plan: Plan, result: Answered | Refused) -> None:
        if isinstance(result, Refused):
            self._refuse(exchange, call, plan, result)
        elif result.splice is None:
            now = self._clock.now()
            usage = result.usage or NOTHING
            self._close(call, plan, result.lane, result.status, usage, result.charged, now, now)
            exchange.respond(result.status, self._head(exchange, call, result, now), result.body)
        else:
            self._stream(exchange, call, plan, result)

    def _give_up(self, exchange: Out, call: Call, problem: Problem) -> None:
        if exchange.replied:
            exchange.abort()
        else:
            self._answer(exchange, errors.of_problem(problem, DIALECTS[call.dialect]))

    def _count(self, exchange: Exchange, call: Call, plan: Plan) -> None:
        """Nobody of the plan counts: what the gate would reserve for such a prompt, and that it is an estimate."""
        self.open += 1
        tokens = plan.targets[0].pools[0].lanes[0].estimator.expected(call.size)
        try:
            self._unserved(call, plan, 200)
        except OSError as error:
            self._give_up(exchange, call, errors.unwritten(error))
            return
        head = self._story.told(self._request_id(exchange, call.id), 0)
        exchange.respond(200, errors.JSON + head + b"x-tidegate-estimated: true\r\n", b'{"input_tokens":%d}' % tokens)

    def _refuse(self, exchange: Out, call: Call, plan: Plan, refused: Refused) -> None:
        reply = errors.of_refused(refused, DIALECTS[call.dialect])
        self._observer.refused(plan.name, refused.problem.kind.name.lower())
        self._unserved(call, plan, reply.status)
        told = self._story.told(self._request_id(exchange, call.id), call.queued_us + call.waited_us)
        told += heads.attempts(call.attempts) + heads.less(call)
        exchange.respond(reply.status, reply.head + told, reply.body)

    def _stream(self, exchange: Out, call: Call, plan: Plan, answered: Answered) -> None:
        first_byte = self._clock.now()
        relay = Relay(self._line, self._clock, call, plan, answered)

        def close(end: Ending) -> None:
            now = self._clock.now()
            status = LEFT if end.gone else BROKEN if end.failed else end.status
            if end.failed and not isinstance(exchange, Exchange):
                exchange.spoil()
            try:
                self._close(call, plan, end.lane, status, end.usage, end.charged, now, first_byte)
            except OSError:
                _log.exception("the journal cannot be written")
                exchange.abort()  # what is not recorded must not look complete

        relay.on_close = close
        if self._revoking.calls:
            self._revoking.stream(call, relay)
        exchange.on_gone = relay.abandon
        exchange.on_pause = relay.pause
        exchange.on_resume = relay.resume
        try:
            exchange.start(answered.status, self._head(exchange, call, answered, first_byte))
            relay.attach(exchange if call.grant is None else spending.metered(exchange, relay, call))
        except BaseException:
            relay.abandon()  # a defect of ours: the provider is not left running for nobody
            raise

    def _answer(self, exchange: Out, reply: errors.Reply) -> None:
        """A refusal before there is a call: nothing was spent, nothing is recorded."""
        self._next_id += 1
        request_id = self._request_id(exchange, self._next_id)
        head = b"%bx-request-id: %b\r\nrequest-id: %b\r\n" % (reply.head, request_id, request_id)
        exchange.respond(reply.status, head, reply.body)

    def _head(self, exchange: Out, call: Call, answered: Answered, now: int) -> bytes:
        waited, request_id = call.queued_us + call.waited_us, self._request_id(exchange, call.id)
        headers, shown = answered.headers, answered.shown
        if call.dialect != OPENAI:
            wall = self._clock.wall()
            return heads.anthropic(answered, call, request_id, waited, now, wall) + heads.less(call)
        head = self._story.of(answered.lane, call.attempts, request_id, waited, now, headers, shown)
        return head + heads.less(call) if call.degraded or call.dropped else head

    def _request_id(self, exchange: Out, call_id: int) -> bytes:
        """The client's own, when it is a plain token, else ours."""
        given = exchange.header(b"x-request-id")
        if given is not None and 0 < len(given) <= _ID_MAX and given.translate(None, b"-_.:").isalnum():
            return given
        return b"req_%x" % call_id

    def _unserved(self, call: Call, plan: Plan, status: int) -> None:
        """The record of a call that no target answered."""
        now = self._clock.now()
        self._close(call, plan, None, status, NOTHING, 0, now, now)

    def _close(
        self, call: Call, plan: Plan, lane: Lane | None, status: int, usage: Usage, charged: int, now: int, first: int
    ) -> None:
        """The one end of a call, whatever came of it: its record, once. Raises `OSError`: it cannot be written.

        `lane`, `usage`, `charged`: of the attempt that answered it. `first`: when the answer's first byte was there.
        """
        if call.closed:
            return
        call.closed = True
        self.open -= 1
        if self._revoking.calls:
            self._revoking.calls.pop(call.id, None)
        wall = self._clock.wall()
        if call.left:
            status = LEFT
        record = recorded(call, plan, lane, status, usage, charged, now, wall, first)
        if call.grant is not None:
            tokens, sent = record.prompt_tokens + record.completion_tokens, bool(record.target or record.tries)
            call.grant.settle(tokens, record.cost_nano, now, wall, sent=sent)
        self._journal.append(record)
        self._observer.finished(record)


def _left(call: Call, brake: Brake) -> None:
    """The client left a call of which the exact usage is wanted: an attempt that runs goes on, for nobody."""
    if call.asking:
        call.left = True
    else:
        brake.stop()


def _dialect(exchange: Exchange, found: Match) -> Dialect:
    """Which maker's words the client understands."""
    return DIALECTS[dialect_of(exchange.path, found.kind, exchange.header(b"anthropic-version"))]
