"""What clients ask of patient work, on its way to the desk and back, as it comes: nothing of it is held here.

Whatever becomes of the desk, who waits for it is told; and calls that are answered at once have nothing to do with it.
A call that became a job is handed over again when the desk dies meanwhile: by its key there is still one job.
"""

import asyncio
import logging
from typing import Final, Protocol

from tidegate.edge import errors
from tidegate.edge.access.principals import Principal
from tidegate.edge.heads import from_the_desk, to_the_desk
from tidegate.edge.intake import Caller, body_of
from tidegate.edge.replies import Replies
from tidegate.line.plan import Plan
from tidegate.model.call import Call
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.handed import JobHandover, Requester, written
from tidegate.model.jobs import CALLER_HEADER, HOLD_HEADER
from tidegate.ports import BodySource, Clock, Observer, Transport, TransportError, UpstreamReply, UpstreamStream
from tidegate.providers.codec import Dialect
from tidegate.providers.dialects import DIALECTS
from tidegate.wire.exchange import Exchange

_log = logging.getLogger(__name__)

WORD: Final = "jobs_away"  # for the counters
GRACE_US: Final = 10_000_000  # beyond the deadline, which the desk itself tells
LONGEST_US: Final = 86_400_000_000  # an upload may take
PAUSE_US: Final = 200_000
SOON_US: Final = 15_000_000  # in which a desk that was never reached should be there again
LATE_US: Final = 30_000_000  # the same of one that may have the call already
_AGAIN_US: Final = 2_000_000
_REPEATED: Final = frozenset((b"GET", b"HEAD", b"DELETE"))
_WAITS: Final = b"wait="
_ONCE: Final = b"idempotency-key: "
_WHAT: Final = "Patient work (jobs, files, batches, strategies with `execution_mode: async`) is away for the moment: "
_REST: Final = "Calls that are answered at once are not affected."
_AWAY: Final = Problem(
    ProblemKind.UNAVAILABLE,
    f"{_WHAT}its process does not answer. Try again soon. {_REST}",
    retry_after_us=_AGAIN_US,
)
_UNSURE: Final = Problem(
    ProblemKind.UNAVAILABLE,
    f"{_WHAT}its process was asked and has not answered. It may have taken the request: look at /v1/jobs, /v1/files or "
    f"/v1/batches before you send it again. {_REST}",
)


class JobsTransports(Protocol):
    """The ways to the desk. Both lead to the same place."""

    @property
    def prompt(self) -> Transport:
        """For what it answers at once: without the reply's first byte in time it is away."""

    @property
    def waiting(self) -> Transport:
        """For what it answers when a job has ended."""


class NoJobs:
    """There is no patient work: no request leads here. `Errands` is who takes it to the desk."""

    __slots__ = ()

    @property
    def there(self) -> bool:
        """Whether anything can be handed over."""
        return False

    def pass_on(self, exchange: Exchange, client: Principal, tag: str, dialect: Dialect) -> None:
        """A request for the desk itself."""

    def hold(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan) -> None:
        """A call that is to run as a job while its client waits, or comes back for the answer."""


class Errands(NoJobs):
    """Passes requests on to the desk. One per worker; it outlives reloads."""

    __slots__ = ("_desk", "_loop", "_observer", "_tasks", "clock", "replies")

    def __init__(self, desk: JobsTransports, replies: Replies, clock: Clock, observer: Observer) -> None:
        """Needs a running event loop."""
        self.replies = replies
        self.clock = clock
        self._desk = desk
        self._observer = observer
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def there(self) -> bool:
        """Whether anything can be handed over."""
        return True

    def pass_on(self, exchange: Exchange, client: Principal, tag: str, dialect: Dialect) -> None:
        """A request for the desk itself."""
        models = None if client.models is None else client.models.names()
        requester = Requester(client.name, client.space, client.user, tag, models)
        way = self._desk.waiting if _WAITS in exchange.query else self._desk.prompt
        deadline = self.clock.now() + LONGEST_US
        errand = Errand(self, exchange, dialect, _opening(exchange, requester), body_of(exchange), deadline)
        self._start(errand, way)

    def hold(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan) -> None:
        """A call that is to run as a job while its client waits, or comes back for the answer."""
        models = None if caller.models is None else caller.models.names()
        requester = Requester(caller.client, caller.space, caller.user, caller.tag, models)
        opening = _opening(exchange, requester)
        if not caller.once:
            opening += b"%bgate-req_%x\r\n" % (_ONCE, call.id)
        errand = HeldErrand(self, exchange, DIALECTS[caller.dialect], opening, exchange.body, call, plan)
        errand.replays = bool(caller.once)
        self._start(errand, self._desk.waiting)

    def away(self, exchange: Exchange, dialect: Dialect, plan: str, *, sent: bool) -> None:
        """Tell it that nobody is there. `sent`: it may have been taken all the same."""
        self._observer.refused(plan, WORD)
        problem = _UNSURE if sent and exchange.method not in _REPEATED else _AWAY
        self.replies.answer(exchange, errors.of_problem(problem, dialect))

    def _start(self, errand: "Errand", way: Transport) -> None:
        task = self._loop.create_task(errand.run(way))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        errand.begin(task)


class Errand:
    """One request at the desk, and its reply on the way back. Fulfils `ports.StreamSink`."""

    __slots__ = (
        "_body", "_dialect", "_early", "_exchange", "_head", "_opening", "_over", "_room", "_status", "_stream",
        "_task", "deadline", "plan", "replays",
    )  # fmt: skip

    def __init__(
        self,
        room: Errands,
        exchange: Exchange,
        dialect: Dialect,
        opening: bytes,
        body: bytes | BodySource,
        deadline: int,
    ) -> None:
        self.deadline = deadline
        self.plan = ""
        self.replays = True  # that it was asked before is the client's business
        self._room = room
        self._exchange = exchange
        self._dialect = dialect
        self._opening = opening
        self._body = body
        self._task: asyncio.Task[None] | None = None
        self._stream: UpstreamStream | None = None
        self._early: list[bytes] | None = []  # what came before it was clear that it is not the whole reply
        self._over = False
        self._status = 0
        self._head = b""

    def begin(self, task: "asyncio.Task[None]") -> None:
        """It is on its way."""
        self._task = task
        self._exchange.on_gone = self.leave

    async def run(self, way: Transport) -> None:
        """Ask, and have the reply sent as it comes."""
        try:
            reply = await self.ask(way)
        except TransportError as error:
            self._lost(error)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            _log.exception("the gate failed on a request for the desk")
            self._give_up(sent=True)
        else:
            self._back(reply)

    async def ask(self, way: Transport) -> UpstreamReply:
        """The desk's reply. Raises `TransportError`."""
        return await way.send(self._opening, self._body, stream=True, deadline=self.deadline)

    def leave(self) -> None:
        """The client is gone. The desk hears of it by its connection; a job goes on."""
        task, stream = self._task, self._stream
        self._end()
        if stream is not None:
            stream.abort()
        elif task is not None:
            task.cancel()

    def chunk(self, data: bytes) -> None:
        """Some of the reply."""
        if self._early is None:
            self._exchange.write(data)
        else:
            self._early.append(data)

    def end(self) -> None:
        """The reply is complete."""
        early = self._early
        self._end()
        if early is None:
            self._exchange.end()
        else:
            self._exchange.respond(self._status, self._head, b"".join(early))

    def failed(self, error: TransportError) -> None:
        """It never will be."""
        if self._early is not None:
            self._lost(error)
            return
        self._end()
        self._exchange.abort()

    def _back(self, reply: UpstreamReply) -> None:
        exchange, replies = self._exchange, self._room.replies
        request_id = replies.request_id(exchange, replies.ids.next())
        named = exchange.header(b"x-request-id") == request_id
        head = from_the_desk(reply.headers, request_id, named=named, replays=self.replays)
        stream = reply.stream
        if stream is None:
            self._end()
            exchange.respond(reply.status, head, reply.body)
            return
        self._status, self._head, self._stream = reply.status, head, stream
        exchange.on_pause, exchange.on_resume = stream.pause, stream.resume
        stream.attach(self)
        early, self._early = self._early, None
        if self._over:  # all of it was there
            return
        exchange.start(reply.status, head)
        for piece in early or ():
            exchange.write(piece)

    def _lost(self, error: TransportError) -> None:
        _log.info("the desk did not answer: %s", error)
        self._give_up(sent=error.sent)

    def _give_up(self, *, sent: bool) -> None:
        self._end()
        self._room.away(self._exchange, self._dialect, self.plan, sent=sent)

    def _end(self) -> None:
        """Let go of each other: else the exchange and this hold on to one another until the collector comes."""
        exchange = self._exchange
        exchange.on_gone = exchange.on_pause = exchange.on_resume = None
        self._task = self._stream = None
        self._over = True


class HeldErrand(Errand):
    """A call that becomes a job. It has a key under which it is one, so that it can be handed over again."""

    __slots__ = ("_answer_by", "_backend", "_streams")

    def __init__(
        self,
        room: Errands,
        exchange: Exchange,
        dialect: Dialect,
        opening: bytes,
        body: bytes,
        call: Call,
        plan: Plan,
    ) -> None:
        super().__init__(room, exchange, dialect, opening, body, call.deadline + GRACE_US)
        self.plan = plan.name
        self._answer_by = call.deadline
        self._backend = plan.backend
        self._streams = call.shape.stream

    async def ask(self, way: Transport) -> UpstreamReply:
        """As of any; while there is time, of the next desk too."""
        clock = self._room.clock
        since, sent = 0, False
        while True:
            began = clock.now()
            try:
                return await way.send(self._line(began), self._body, stream=True, deadline=self.deadline)
            except TransportError as error:
                now = clock.now()
                sent = sent or error.sent
                since = since if since and now - began < LATE_US else now
                if now - since >= (LATE_US if sent else SOON_US) or now + PAUSE_US >= self._answer_by:
                    raise TransportError(str(error), sent=sent) from None
            await clock.sleep(PAUSE_US)

    def _line(self, now: int) -> bytes:
        """The head, with what the desk needs to know of the call."""
        left_ms = max(1, (self._answer_by - now) // 1_000)
        hold = written(JobHandover(self.plan, self._backend, left_ms, self._streams))
        return b"%b%b: %b\r\n" % (self._opening, HOLD_HEADER, hold)


def _opening(exchange: Exchange, requester: Requester) -> bytes:
    """Request line and headers, as the client sent them, and who asks."""
    return b"%b %b%b%b HTTP/1.1\r\nhost: %b\r\n%b: %b\r\n%b" % (
        exchange.method,
        exchange.path,
        b"?" if exchange.query else b"",
        exchange.query,
        exchange.header(b"host") or b"tidegate",
        CALLER_HEADER,
        written(requester),
        to_the_desk(exchange.headers, exchange.header(b"connection")),
    )
