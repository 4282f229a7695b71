"""Replies, and the records of what they answer: each call has one end, whatever becomes of it.

A call has a task until its complete answer is written or a stream is attached; a stream then runs by callback.
The record goes to the journal before the reply's last byte, whatever the ending.
"""

import logging
from functools import partial
from typing import Final

from tidegate.edge import errors, heads, spending
from tidegate.edge.access.revoking import REVOKED, Revoking
from tidegate.edge.call_ids import CallIds
from tidegate.edge.sink import Sink
from tidegate.edge.tracing import ID, plain
from tidegate.line import story
from tidegate.line.lane import Lane
from tidegate.line.line import Line
from tidegate.line.plan import Plan
from tidegate.line.records import Ending
from tidegate.line.slot import Answered
from tidegate.line.tries import Lines, recorded
from tidegate.model.cached import Cost
from tidegate.model.call import Call
from tidegate.model.errors import Problem
from tidegate.model.facts import BROKEN, LEFT
from tidegate.model.outcome import Usage
from tidegate.model.reply import Refused
from tidegate.model.shadow import Compared
from tidegate.model.story import LIMITED
from tidegate.policy.few import Few
from tidegate.ports import Clock, Journal, Observer
from tidegate.providers.dialects import DIALECTS, OPENAI
from tidegate.wire.exchange import Exchange

_log = logging.getLogger(__name__)

NOTHING: Final = Usage()
_RECORDED: Final = 10  # refusals of a tenant a second


class Replies:
    """What is in flight, and how it ends. One per worker; it holds no configuration: that comes with each plan."""

    __slots__ = ("_clock", "_few", "_journal", "_line", "_observer", "_story", "ids", "open", "revoking")

    def __init__(self, line: Line, clock: Clock, journal: Journal, observer: Observer, worker: int) -> None:
        """`worker` is its number among those that write into one ledger."""
        self.open = 0  # calls whose record is not written
        self.ids = CallIds(worker, clock.wall())
        self.revoking = Revoking(clock)
        self._line = line
        self._clock = clock
        self._journal = journal
        self._observer = observer
        self._story = heads.Story()
        self._few = Few(_RECORDED)

    def lost(self, call: Call, plan: Plan, status: int) -> None:
        """Whatever ended it: what the call has cost is booked all the same, and its end does not wait for the disk."""
        try:
            self.unserved(call, plan, status)
        except OSError:
            _log.exception("the journal cannot be written")

    def give(self, out: Sink, call: Call, plan: Plan, answered: Answered) -> None:
        """A target answered: completely, or with a stream that has begun. Raises `OSError`: it cannot be recorded."""
        if answered.splice is not None:
            self._stream(out, call, plan, answered)
            return
        now = self._clock.now()
        usage = answered.usage or NOTHING
        self._close(call, plan, answered.lane, answered.status, usage, answered.charged, now, now)
        out.respond(answered.status, self._head(out, call, answered, now), answered.body)

    def give_up(self, out: Sink, call: Call, problem: Problem) -> None:
        """Whatever its client has heard so far, this is the end of it."""
        if out.replied:
            out.abort()
        else:
            self.answer(out, errors.of_problem(problem, DIALECTS[call.dialect]))

    def count(self, exchange: Exchange, call: Call, plan: Plan) -> None:
        """Nobody of the plan counts: what the gate would reserve for such a prompt, and that it is an estimate."""
        self.open += 1
        tokens = plan.targets[0].pools[0].lanes[0].estimator.expected(call.size)
        try:
            self.unserved(call, plan, 200)
        except OSError as error:
            self.give_up(exchange, call, errors.unwritten(error))
            return
        head = self._story.told(self.request_id(exchange, call.id), 0)
        exchange.respond(200, errors.JSON + head + b"x-tidegate-estimated: true\r\n", b'{"input_tokens":%d}' % tokens)

    def refuse(self, out: Sink, call: Call, plan: Plan, refused: Refused) -> None:
        """No target served it. Raises `OSError`, as `give`."""
        reply = errors.of_refused(refused, DIALECTS[call.dialect])
        self._observer.refused(plan.name, refused.problem.kind.name.lower(), call.tenant.tier.name)
        self.unserved(call, plan, reply.status)
        told = self._story.told(self.request_id(out, call.id), call.queued_us + call.waited_us)
        told += heads.attempts(call.attempts) + heads.less(call)
        out.respond(reply.status, reply.head + told, reply.body)

    def limited(self, out: Sink, call: Call, plan: Plan, problem: Problem, word: str) -> None:
        """Its tenant's own limits do not allow it. `word`: which of them.

        Of each tenant a few a second are recorded: who asks in vain all the time must fill neither disk nor database.
        """
        now = self._clock.now()
        reply = errors.of_problem(problem, DIALECTS[call.dialect])
        if self._few.allow(call.tenant.name, now):
            story.add(call, LIMITED, now, now, why=word, figures=(("says", problem.message[: story.LONGEST]),))
            story.refused(call, problem, None, now)
            call.closed = True
            try:
                self._journal.append(recorded(call, plan, None, reply.status, NOTHING, 0, now, self._clock.wall(), now))
            except OSError:
                _log.exception("the journal cannot be written")
        self.answer(out, reply, call.id)

    def _stream(self, out: Sink, call: Call, plan: Plan, answered: Answered) -> None:
        """From now on it runs by callback: what the provider says to `out`, what `out` says to the relay."""
        first_byte = self._clock.now()
        relay = self._line.relay(call, plan, answered)
        relay.on_close = partial(self._streamed, out, call, plan, first_byte)
        if self.revoking.calls:
            self.revoking.stream(call, relay)
        out.on_gone = relay.abandon
        out.on_pause = relay.pause
        out.on_resume = relay.resume
        try:
            out.start(answered.status, self._head(out, call, answered, first_byte))
            relay.attach(out if call.grant is None else spending.metered(out, relay, call))
        except BaseException:
            relay.abandon()  # a defect of ours: the provider is not left running for nobody
            raise

    def _streamed(self, out: Sink, call: Call, plan: Plan, first_byte: int, end: Ending) -> None:
        """The stream ended, before its last byte: its record. What is not recorded must not look complete."""
        status = LEFT if end.gone else BROKEN if end.failed else end.status
        if end.failed:
            out.spoil()
        try:
            now, headers = self._clock.now(), end.headers
            self._close(call, plan, end.lane, status, end.usage, end.charged, now, first_byte, headers)
        except OSError:
            _log.exception("the journal cannot be written")
            out.abort()

    def beside(self, call: Call, plan: Plan, status: int) -> None:
        """The record of a call that waited for the answer to another, and was not given one."""
        self.open += 1
        self.lost(call, plan, status)

    def late(self, out: Sink, call: Call, plan: Plan, refused: Refused) -> None:
        """As `beside`, of one that is told why."""
        self.open += 1
        try:
            self.refuse(out, call, plan, refused)
        except OSError as error:
            self.give_up(out, call, errors.unwritten(error))

    def revoked(self, out: Sink, call: Call) -> None:
        """Tell it that its key is no more."""
        self.give_up(out, call, REVOKED)

    def answer(self, out: Sink, reply: errors.Reply, call_id: int = 0) -> None:
        """A refusal of which there is no more to say: nothing was spent. Without a call nothing is recorded."""
        request_id = self.request_id(out, call_id or self.ids.next())
        head = b"%bx-request-id: %b\r\nrequest-id: %b\r\n" % (reply.head, request_id, request_id)
        out.respond(reply.status, head, reply.body)

    def _head(self, out: Sink, call: Call, answered: Answered, now: int) -> bytes:
        waited, request_id = call.queued_us + call.waited_us, self.request_id(out, call.id)
        headers, shown = answered.headers, answered.shown
        if call.dialect != OPENAI:
            wall = self._clock.wall()
            head = heads.anthropic(answered, call, request_id, waited, now, wall) + heads.less(call)
            return head + heads.asked(call.cache) if call.cache else head
        head = self._story.of(answered.lane, call.attempts, request_id, waited, now, headers, shown)
        if call.cache:
            head += heads.asked(call.cache)
        return head + heads.less(call) if call.degraded or call.dropped else head

    def request_id(self, out: Sink, call_id: int) -> bytes:
        """The client's own, when it is a plain token, else ours."""
        return plain(out.header(ID)) or b"req_%x" % call_id

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

    def close(self, call: Call, plan: Plan, answered: Answered) -> None:
        """The record of a call whose complete answer is for nobody but the gate. Raises `OSError`."""
        now = self._clock.now()
        usage = answered.usage or NOTHING
        self._close(call, plan, answered.lane, answered.status, usage, answered.charged, now, now)

    def compared(self, fact: Compared) -> None:
        """What came of a call that was asked of a candidate, too: to the journal, if the disk takes it."""
        try:
            self._journal.append(fact)
        except OSError:
            _log.exception("the journal cannot be written")

    def unserved(self, call: Call, plan: Plan, status: int) -> None:
        """The record of a call that no target answered."""
        now = self._clock.now()
        self._close(call, plan, None, status, NOTHING, 0, now, now)

    def _close(  # noqa: PLR0913, PLR0917 - once a call: a record would be one more object
        self,
        call: Call,
        plan: Plan,
        lane: Lane | None,
        status: int,
        usage: Usage,
        charged: int,
        now: int,
        first: int,
        headers: Lines = (),
    ) -> None:
        """The one end of a call, whatever came of it: its record, once. Raises `OSError`: it cannot be written.

        `lane`, `usage`, `charged`: of the attempt that answered it. `first`: when the answer's first byte was there.
        `headers`: of its reply, where that did not end well.
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
        record = recorded(call, plan, lane, status, usage, charged, now, wall, first, headers)
        keeping, call.keeping = call.keeping, None  # it refers to the call, too
        if keeping is not None and lane is not None:
            keeping.made(lane.name, usage, record.cost_nano)
        if call.grant is not None:
            tokens, sent = record.prompt_tokens + record.completion_tokens, bool(record.target or record.tries)
            call.grant.settle(tokens, record.cost_nano, now, wall, sent=sent)
        self._journal.append(record)
        bill = call.bill
        if bill is not None:
            bill.booked(record)
        self._observer.finished(record)
