"""The order of a call, from the request that asks for it to its record: it stands here, and nowhere else.

`begin`, in the exchange's own turn:

    remembered words ▸ resolve the plan ▸ count ▸ hand to jobs ▸ replay by Idempotency-Key ▸ memory ▸ claim the key

`resume`, in the same turn, or whenever who kept the request waiting lets it go on:

    join a flight ▸ reserve what its tenant's limits hold for it ▸ have a task

`serve`, in the task of the call:

    slower layers of the cache ▸ the line (`line/line.py` knows what happens there) ▸ a stale answer ▸ reply ▸ record

Each stage may end the request, answered or refused. Three may keep it: who of a cluster executes its key, limits that
other workers spend too, the flight of another call. They come back by `resume`, at the stage that it had reached.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import partial
from typing import TYPE_CHECKING, Final

from tidegate.edge import errors, spending
from tidegate.edge.access.revoking import ENDED, REVOKED
from tidegate.edge.caching.no_cache import NoCache
from tidegate.edge.errands import NoJobs
from tidegate.edge.idempotency.elsewhere import Elsewhere
from tidegate.edge.idempotency.once import Again, Once, digest
from tidegate.edge.intake import Caller, Refusal
from tidegate.edge.plans import planned
from tidegate.edge.replies import Replies
from tidegate.edge.request import PLANNED, RESERVED, SERVED, Request
from tidegate.edge.runtime import Runtime
from tidegate.edge.sink import Sink
from tidegate.edge.tape import Listener, Tape
from tidegate.edge.task_pool import Brake, TaskPool
from tidegate.line import story
from tidegate.line.line import Line
from tidegate.line.plan import Plan
from tidegate.line.slot import Answered
from tidegate.model.call import Call, Kind
from tidegate.model.errors import Problem, ProblemKind
from tidegate.model.facts import LEFT
from tidegate.model.reply import Refused
from tidegate.model.story import CACHED, LIMITED
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.ports import Clock, Observer
from tidegate.providers.dialects import DIALECTS
from tidegate.wire.exchange import Exchange

if TYPE_CHECKING:
    from tidegate.edge.shadows import Shadows

_log = logging.getLogger(__name__)

COUNT: Final = Kind.COUNT
DRAIN: Final = "drain"
_REVOKED: Final = 401
_FAILED: Final = 503
_WORTH_US: Final = 1_000  # of waiting for the cache, to be told
_OURS: Final = Problem(ProblemKind.UNAVAILABLE, "The gate failed on this request; its log says why.")
_KEY_REUSED: Final = Problem(
    ProblemKind.KEY_REUSED,
    "This Idempotency-Key was used for another request. Send a new key, or the same request.",
    "idempotency-key",
)


class Pipeline:
    """One a worker. It holds no configuration: that comes with each request. Fulfils `elsewhere.Room`."""

    __slots__ = (
        "_clock", "_crew", "_ids", "_line", "_observer", "cache", "elsewhere", "jobs", "once", "replies",
        "shadows",
    )  # fmt: skip

    def __init__(self, line: Line, replies: Replies, clock: Clock, observer: Observer) -> None:
        """Needs a running event loop."""
        self.replies = replies
        self.once = Once(clock.now)
        self.cache = NoCache()  # while this is all there is nothing is kept, whatever a plan says
        self.jobs = NoJobs()
        self.elsewhere: Elsewhere | None = None  # in a cluster: who else executes what is to be executed once
        self.shadows: Shadows | None = None  # while there is nobody to ask, no candidate is
        self._ids = replies.ids
        self._line = line
        self._clock = clock
        self._observer = observer
        self._crew = TaskPool(asyncio.get_running_loop(), self.serve)

    def share(self, elsewhere: Elsewhere) -> None:
        """There are other workers, which may be asked to execute the same."""
        self.elsewhere = self.once.beyond = elsewhere

    def begin(self, runtime: Runtime, exchange: Exchange, caller: Caller) -> None:
        """A request whose head is known and whose body is here, or is forwarded as it comes."""
        book, cache = runtime.book, self.cache
        if book.caches and not caller.once and cache.recall(exchange, caller, propagates=book.propagates):
            return
        replies = self.replies
        try:
            call, plan = planned(book, caller, exchange, self._ids.next(), self._clock.now())
        except Refusal as error:
            replies.answer(exchange, errors.of_problem(error.problem, DIALECTS[caller.dialect]))
            return
        if caller.kind is COUNT and not plan.counts:
            replies.count(exchange, call, plan)
            return
        terms = plan.caching if book.caches else None
        if (caller.patient or (plan.asynchronous and caller.able)) and self.takes_jobs(runtime):
            wanted = None if terms is None or caller.once else cache.wanted(exchange, caller, call, plan, terms)
            free = wanted is not None and not (wanted.terms.full and caller.limits is not None)
            if wanted is None or not free or not cache.hit(exchange, caller, call, wanted):
                self.jobs.hold(exchange, caller, call, plan)  # what is not in memory, or costs something, that finds
            return
        if caller.once and self._replayed(exchange, caller):
            return
        wanted = None if terms is None else cache.wanted(exchange, caller, call, plan, terms)
        if wanted is not None and not wanted.terms.full and cache.hit(exchange, caller, call, wanted):
            return
        request = Request(exchange, caller, call, plan, wanted)
        if not (caller.once and self._claimed(request)):
            self.resume(request)

    def beside(self, work: Coroutine[object, object, None]) -> None:
        """What a request waits for before it can begin."""
        self._crew.beside(work)

    def takes_jobs(self, runtime: Runtime) -> bool:
        """Whether there is patient work, for those whom this runtime lets in."""
        return runtime.tickets is not None and self.jobs.there

    def _replayed(self, exchange: Exchange, caller: Caller) -> bool:
        """What was asked before under the same key is answered once; something else under it is refused."""
        tape = self.once.find(caller.client, caller.once)
        if tape is None:
            return False
        if tape.digest == digest(caller.path, exchange.body):
            tape.play(Again(exchange))
        else:
            self.replies.answer(exchange, errors.of_problem(_KEY_REUSED, DIALECTS[caller.dialect]))
        return True

    def _claimed(self, request: Request) -> bool:
        """From now on the key stands for this request. True: others have to be asked first whether they know it."""
        exchange, caller = request.exchange, request.caller
        what, request_id = digest(caller.path, exchange.body), exchange.header(b"x-request-id")
        request.out = tape = self.once.record(caller.client, caller.once, what, request_id)
        tape.play(Listener(exchange))
        if self.elsewhere is None:
            return False
        self._crew.beside(self.elsewhere.serve(request, tape))
        return True

    def resume(self, request: Request) -> None:
        """Go on from the request's stage: follow who asks the same, reserve, else have a task.

        Where following costs as much as a call (`full`), the reservation comes first.
        """
        limits, wanted, cache = request.caller.limits, request.wanted, self.cache
        try:
            free = wanted is not None and not wanted.terms.full
            if free and cache.follow(request):
                return
            if limits is not None and request.stage == PLANNED and not self._reserved(request, limits):
                return  # it is refused, or it waits for what other workers have left
            if wanted is not None and not free and (cache.known(request, wanted) or cache.follow(request)):
                return
            self._start(request)
        except Exception:  # noqa: BLE001 - whatever it is, nobody is left waiting: not by a key, a tape or a flight
            self.failed(request)

    def go_on(self, request: Request) -> None:
        """As `resume`, of one that has waited where nobody could end it."""
        if not self.revoked(request):
            self.resume(request)

    def revoked(self, request: Request) -> bool:
        """Whether its key is no more, where calls end with their keys: then it has been told, and nothing is held."""
        cut = request.caller.cut
        if cut is None or not self.replies.revoking.gone(cut):
            return False
        call, replies = request.call, self.replies
        call.degraded = (*call.degraded, ENDED)
        replies.beside(call, request.plan, _REVOKED)
        replies.revoked(request.out, call)
        return True

    def failed(self, request: Request) -> None:
        """A defect of ours ends a request that has no task: whoever hears is told, what was held is given back."""
        _log.exception("the gate failed on a request")
        call, replies = request.call, self.replies
        flight: object = call.keeping  # where it leads one: those who follow ask anew
        replies.give_up(flight if isinstance(flight, Tape) else request.out, call, _OURS)
        if request.stage == SERVED:
            replies.lost(call, request.plan, _FAILED)
        elif not call.closed:
            replies.beside(call, request.plan, _FAILED)

    def _reserved(self, request: Request, limits: Limits) -> bool:
        """Charge the call to its tenant's own limits, where they allow it now."""
        problem = spending.grant(request.call, request.plan, limits, self._clock.now(), self._clock.wall())
        if problem is None:
            request.stage = RESERVED
        elif limits.joined:
            self._crew.beside(self._gather(request, limits))
        else:
            self._refuse(request, problem)
        return problem is None

    async def _gather(self, request: Request, limits: Limits) -> None:
        """What it lacks here may be had from elsewhere."""
        call, began = request.call, self._clock.now()
        try:
            problem = await spending.gathered(call, request.plan, limits, self._clock, self._crew.loop)
            if self.revoked(request):
                return
        except Exception:  # noqa: BLE001 - as above
            self.failed(request)
            return
        if problem is None:
            story.add(call, LIMITED, began, self._clock.now(), why="spent elsewhere")
            request.stage = RESERVED
            self.resume(request)
        else:
            self._refuse(request, problem)

    def _refuse(self, request: Request, problem: Problem) -> None:
        call, plan, word = request.call, request.plan, spending.WORDS[problem.kind]
        self._observer.refused(plan.name, word, call.tenant.tier.name)
        self.replies.limited(request.out, call, plan, problem, word)

    def _start(self, request: Request) -> None:
        """It is executed here, for all who ask the same from now on."""
        call, caller, wanted, replies = request.call, request.caller, request.wanted, self.replies
        flight = None if wanted is None else self.cache.lead(request, wanted)
        out: Sink = request.out if flight is None else flight
        request.stage = SERVED
        replies.open += 1
        if caller.cut is not None:
            replies.revoking.begin(call, caller.cut, flight)
        plan, bodies = request.plan, caller.bodies
        if plan.shadow is not None and self.shadows is not None:
            out = self.shadows.watch(out, call, plan.shadow, request.exchange)
        self._crew.start(out if bodies is None else bodies.watch(out, call, request.exchange), call, plan)

    async def serve(self, out: Sink, call: Call, plan: Plan, brake: Brake) -> None:
        """One call in its task; nobody is left waiting, whatever goes wrong."""
        replies = self.replies
        if out.connection is None:
            replies.lost(call, plan, LEFT)  # before this first step was taken
            return
        if replies.revoking.calls:
            replies.revoking.serve(call, brake)
        out.on_gone = partial(_left, call, brake) if plan.streams.on_disconnect == DRAIN else brake.stop
        try:
            if call.keeping is not None and await self._remembered(out, call, plan):
                return
            result = await self._line.run(call, plan)
            if isinstance(result, Refused):
                if not (call.stale and self.cache.stale(out, call, plan, result)):
                    replies.refuse(out, call, plan, result)
            elif call.keeping is None:
                replies.give(out, call, plan, result)
            else:
                replies.give(out, call, plan, self.cache.complete(call, result))
        except asyncio.CancelledError:
            if replies.revoking.ended(call):
                replies.lost(call, plan, _REVOKED)
                replies.give_up(out, call, REVOKED)
            else:
                replies.lost(call, plan, LEFT)
            return
        except OSError as error:
            replies.give_up(out, call, errors.unwritten(error))
            replies.lost(call, plan, _FAILED)
        except Exception:  # noqa: BLE001 - whatever it is, the client gets an answer
            _log.exception("the gate failed on a call")
            replies.give_up(out, call, _OURS)
            replies.lost(call, plan, _FAILED)

    async def _remembered(self, out: Sink, call: Call, plan: Plan) -> bool:
        """Answered from the slower layers of the cache. Where they only took their time, that is part of its story."""
        began = self._clock.now()
        if await self.cache.found(out, call, plan):
            return True
        now = self._clock.now()
        if now - began >= _WORTH_US:
            story.add(call, CACHED, began, now, why=call.cache)
        return False

    async def aside(self, call: Call, plan: Plan) -> Answered | None:
        """A call of the gate's own, for the sake of a client's: the line, and its record. None: nobody answered."""
        replies = self.replies
        replies.open += 1
        try:
            result = await self._line.run(call, plan)
        except asyncio.CancelledError:
            replies.lost(call, plan, LEFT)
            raise
        except Exception:  # noqa: BLE001 - the client's own call does not depend on it
            _log.exception("the gate failed on a call of its own")
            replies.lost(call, plan, _FAILED)
            return None
        if isinstance(result, Refused):
            replies.lost(call, plan, _FAILED)
            return None
        try:
            replies.close(call, plan, result)
        except OSError:
            _log.exception("the journal cannot be written")
            return None
        return result

    def reused(self, request: Request) -> None:
        """Another request was asked under its key, at another worker."""
        self.unserved(request, _KEY_REUSED)

    def unserved(self, request: Request, problem: Problem) -> None:
        """Nothing is spent on it, and this is why."""
        self.replies.answer(request.out, errors.of_problem(problem, DIALECTS[request.caller.dialect]))


def _left(call: Call, brake: Brake) -> None:
    """The client left a call of which the exact usage is wanted: an attempt that runs goes on, for nobody."""
    if call.asking:
        call.left = True
    else:
        brake.stop()
