"""From a call to its reply and its record, whatever becomes of it.

A call has a task until its complete answer is written or a stream is attached; a stream then runs by callback.
The record goes to the journal before the reply's last byte, whatever the ending.
"""

import asyncio
import logging
from functools import partial
from typing import Final, Protocol

from tidegate.edge import errors, heads, spending
from tidegate.edge.access.revoking import REVOKED, Revoking
from tidegate.edge.crew import Brake, Out
from tidegate.line.lane import Lane
from tidegate.line.line import Line
from tidegate.line.plan import Plan
from tidegate.line.records import Ending
from tidegate.line.relay import Relay
from tidegate.line.slot import Answered
from tidegate.line.tries import recorded
from tidegate.model.cached import Cost
from tidegate.model.call import Call
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.facts import BROKEN, LEFT
from tidegate.model.outcome import Usage
from tidegate.model.reply import Refused
from tidegate.ports import Clock, Journal, Observer
from tidegate.providers.dialects import DIALECTS, OPENAI
from tidegate.wire.exchange import Exchange

_log = logging.getLogger(__name__)

NOTHING: Final = Usage()
_WORKER_SHIFT: Final = 53  # microseconds since 1970 take fewer bits until 2255
_APART: Final = 1 << 52  # together with a moment in microseconds less than a worker's shift
DRAIN: Final = "drain"
_OURS = Problem(ProblemKind.UNAVAILABLE, "The gate failed on this request; its log says why.")
_ID_MAX = 128


class Known(Protocol):
    """What can answer a call without the line."""

    async def found(self, out: Out, call: Call, plan: Plan) -> bool:
        """It has been answered, and has ended."""

    def complete(self, call: Call, answered: Answered) -> Answered:
        """The answer that the client asked for, where the provider was asked for less."""

    def stale(self, out: Out, call: Call, plan: Plan, refused: Refused) -> bool:
        """It has been answered all the same, and has ended."""


class Serving:
    """What is in flight. One per worker; it holds no configuration: that comes with each call's plan."""

    __slots__ = ("_clock", "_journal", "_last_id", "_line", "_observer", "_story", "known", "open", "revoking")

    def __init__(self, line: Line, clock: Clock, journal: Journal, observer: Observer, worker: int) -> None:
        """`worker` is its number among those that write into one ledger."""
        self.open = 0  # calls whose record is not written
        self.revoking = Revoking(clock)
        self.known: Known | None = None  # where answers are kept
        self._line = line
        self._clock = clock
        self._journal = journal
        self._observer = observer
        self._story = heads.Story()
        # Unique over restarts while calls are fewer than one a microsecond, and over workers; a signed 64-bit integer.
        self._last_id = (worker << _WORKER_SHIFT) + clock.wall()

    def begin_apart(self, identity: str) -> None:
        """Nodes that write into one ledger count in places of their own: `identity` is the journal's, hexadecimal.

        Two nodes' calls have the same id by a chance of about one in 100,000 a year; then the ledger, which has them by
        journal and id, still has both.
        """
        self._last_id += int(identity, 16) & (_APART - 1)

    def begin_after(self, call_id: int) -> None:
        """Ids of calls go on behind this one of an earlier run, should the clock have been set back since."""
        high = self._last_id >> _WORKER_SHIFT << _WORKER_SHIFT
        self._last_id = max(self._last_id, high + (call_id & ((1 << _WORKER_SHIFT) - 1)))

    def next_id(self) -> int:
        """For a call, or for a reply without one."""
        self._last_id += 1
        return self._last_id

    async def serve(self, exchange: Out, call: Call, plan: Plan, brake: Brake) -> None:
        """One call, to its reply; nobody is left waiting, whatever goes wrong."""
        if exchange.connection is None:
            self._lost(call, plan, LEFT)  # before this first step was taken
            return
        if self.revoking.calls:
            self.revoking.serve(call, brake)
        exchange.on_gone = partial(_left, call, brake) if plan.streams.on_disconnect == DRAIN else brake.stop
        known = self.known
        try:
            if call.keeping is not None and known is not None and await known.found(exchange, call, plan):
                return
            result = await self._line.run(call, plan)
            if known is not None and call.keeping is not None and isinstance(result, Answered):
                result = known.complete(call, result)
            self._reply(exchange, call, plan, result)
        except asyncio.CancelledError:
            if self.revoking.ended(call):
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

    async def aside(self, call: Call, plan: Plan) -> Answered | None:
        """A call of the gate's own, for the sake of a client's: served, and recorded. None: nobody answered."""
        self.open += 1
        try:
            result = await self._line.run(call, plan)
        except asyncio.CancelledError:
            self._lost(call, plan, LEFT)
            raise
        except Exception:  # noqa: BLE001 - the client's own call does not depend on it
            _log.exception("the gate failed on a call of its own")
            self._lost(call, plan, 503)
            return None
        if isinstance(result, Refused):
            self._lost(call, plan, 503)
            return None
        now, usage = self._clock.now(), result.usage or NOTHING
        try:
            self._close(call, plan, result.lane, result.status, usage, result.charged, now, now)
        except OSError:
            _log.exception("the journal cannot be written")
            return None
        return result

    def _lost(self, call: Call, plan: Plan, status: int) -> None:
        """Whatever ended it: what the call has cost is booked all the same, and its end does not wait for the disk."""
        try:
            self.unserved(call, plan, status)
        except OSError:
            _log.exception("the journal cannot be written")

    def _reply(self, exchange: Out, call: Call, plan: Plan, result: Answered | Refused) -> None:
        if isinstance(result, Refused):
            if call.stale and self.known is not None and self.known.stale(exchange, call, plan, result):
                return
            self.refuse(exchange, call, plan, result)
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
            self.answer(exchange, errors.of_problem(problem, DIALECTS[call.dialect]))

    def count(self, exchange: Exchange, call: Call, plan: Plan) -> None:
        """Nobody of the plan counts: what the gate would reserve for such a prompt, and that it is an estimate."""
        self.open += 1
        tokens = plan.targets[0].pools[0].lanes[0].estimator.expected(call.size)
        try:
            self.unserved(call, plan, 200)
        except OSError as error:
            self._give_up(exchange, call, errors.unwritten(error))
            return
        head = self._story.told(self.request_id(exchange, call.id), 0)
        exchange.respond(200, errors.JSON + head + b"x-tidegate-estimated: true\r\n", b'{"input_tokens":%d}' % tokens)

    def refuse(self, exchange: Out, call: Call, plan: Plan, refused: Refused) -> None:
        reply = errors.of_refused(refused, DIALECTS[call.dialect])
        self._observer.refused(plan.name, refused.problem.kind.name.lower())
        self.unserved(call, plan, reply.status)
        told = self._story.told(self.request_id(exchange, call.id), call.queued_us + call.waited_us)
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
        if self.revoking.calls:
            self.revoking.stream(call, relay)
        exchange.on_gone = relay.abandon
        exchange.on_pause = relay.pause
        exchange.on_resume = relay.resume
        try:
            exchange.start(answered.status, self._head(exchange, call, answered, first_byte))
            relay.attach(exchange if call.grant is None else spending.metered(exchange, relay, call))
        except BaseException:
            relay.abandon()  # a defect of ours: the provider is not left running for nobody
            raise

    def beside(self, call: Call, plan: Plan, status: int) -> None:
        """The record of a call that waited for the answer to another, and was not given one."""
        self.open += 1
        self._lost(call, plan, status)

    def late(self, exchange: Out, call: Call, plan: Plan, refused: Refused) -> None:
        """As `beside`, of one that is told why."""
        self.open += 1
        try:
            self.refuse(exchange, call, plan, refused)
        except OSError as error:
            self._give_up(exchange, call, errors.unwritten(error))

    def revoked(self, exchange: Out, call: Call) -> None:
        """Tell it that its key is no more."""
        self._give_up(exchange, call, REVOKED)

    def answer(self, exchange: Out, reply: errors.Reply) -> None:
        """A refusal before there is a call: nothing was spent, nothing is recorded."""
        request_id = self.request_id(exchange, self.next_id())
        head = b"%bx-request-id: %b\r\nrequest-id: %b\r\n" % (reply.head, request_id, request_id)
        exchange.respond(reply.status, head, reply.body)

    def _head(self, exchange: Out, call: Call, answered: Answered, now: int) -> bytes:
        waited, request_id = call.queued_us + call.waited_us, self.request_id(exchange, call.id)
        headers, shown = answered.headers, answered.shown
        if call.dialect != OPENAI:
            wall = self._clock.wall()
            head = heads.anthropic(answered, call, request_id, waited, now, wall) + heads.less(call)
            return head + heads.asked(call.cache) if call.cache else head
        head = self._story.of(answered.lane, call.attempts, request_id, waited, now, headers, shown)
        if call.cache:
            head += heads.asked(call.cache)
        return head + heads.less(call) if call.degraded or call.dropped else head

    def request_id(self, exchange: Out, call_id: int) -> bytes:
        """The client's own, when it is a plain token, else ours."""
        given = exchange.header(b"x-request-id")
        if given is not None and 0 < len(given) <= _ID_MAX and given.translate(None, b"-_.:").isalnum():
            return given
        return b"req_%x" % call_id

    def dismiss(self, call: Call) -> None:
        """It was answered without the line: nobody has been asked, and it needs no record."""
        if not call.closed:
            call.closed = True
            call.keeping = None  # it refers to the call, too
            self.open -= 1
            self.revoking.calls.pop(call.id, None)

    def spend(self, call: Call, cost: Cost, *, full: bool) -> None:
        """A call was answered from the cache: it costs its tenant what the answer had cost (`full`), or nothing.

        What was tried before, where a stale answer stands in, costs what it did.
        """
        if call.grant is not None:
            now, wall = self._clock.now(), self._clock.wall()
            tokens, nano = (cost.prompt + cost.completion, cost.nano) if full else (0, 0)
            for one in call.tries:
                tokens += one.prompt_tokens + one.completion_tokens
                nano += one.cost_nano
            call.grant.settle(tokens, nano, now, wall, sent=full or bool(call.tries))

    def unserved(self, call: Call, plan: Plan, status: int) -> None:
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
        if self.revoking.calls:
            self.revoking.calls.pop(call.id, None)
        wall = self._clock.wall()
        if call.left:
            status = LEFT
        record = recorded(call, plan, lane, status, usage, charged, now, wall, first)
        keeping, call.keeping = call.keeping, None  # it refers to the call, too
        if keeping is not None and lane is not None:
            keeping.made(lane.name, usage, record.cost_nano)
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
