"""Replies that wait for a job: its answer, and how it goes on."""

from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidegate.jobs.desk import answers
from tidegate.jobs.desk.desk import Desk
from tidegate.jobs.desk.errors import Fault, Unavailable
from tidegate.jobs.desk.handout import AnswerReply
from tidegate.jobs.desk.replies import encode, json_reply, pairs
from tidegate.jobs.desk.sse import Events
from tidegate.jobs.desk.views import job_view
from tidegate.jobs.desk.waiting import Left, end, present
from tidegate.jobs.desk.watch import Waiter, Watch
from tidegate.jobs.records import Job
from tidegate.model.jobs import ENDS, QUEUED

BEAT_US: Final = 15_000_000
_SOON: Final = 1
_LATER: Final = 10  # seconds after which to ask again for a job that nobody has begun with


class ResultReply(Response):
    """The answer of one job."""

    def __init__(self, desk: Desk, watch: Watch, job: Job, wait_us: int) -> None:
        self._desk = desk
        self._watch = watch
        self._job = job
        self._wait_us = wait_us
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait as long as was asked for, then tell."""
        try:
            reply = await self._reply(receive)
        except Left:
            return
        await reply(scope, receive, send)

    async def _reply(self, receive: Receive) -> Response:
        desk, job = self._desk, self._job
        if job.state in ENDS:
            told: answers.Outcome = (
                job,
                await desk.call(desk.rows.answer, job.id, answers.PIECE) if job.status else None,
            )
        elif not self._wait_us:
            return _unended(job)
        else:
            until = desk.clock.now() + self._wait_us
            async with present(self._watch, job, receive) as waiter:
                waited = await end(desk, waiter, until, self._wait_us)
            if waited is None:
                now = await desk.call(desk.rows.find, job.id)
                return _unended(job if now is None else now)
            told = waited
        return AnswerReply(desk, job, answers.answer_of(told, Fault.GONE))


class Progress(Response):
    """The states of one job as server-sent events: `event` is the state, `data` the job, `id` its version."""

    def __init__(self, desk: Desk, watch: Watch, job: Job) -> None:
        self._desk = desk
        self._watch = watch
        self._job = job
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Tell how it stands and each change, until it has ended or is deleted."""
        events = Events(send, tuple(pairs(answers.head_of(self._job.id))))
        async with present(self._watch, self._job, receive) as waiter:
            job: Job | None = self._job
            while job is not None:
                await events.say(_event(job))
                if job.state in ENDS:
                    break
                job = await self._next(events, waiter)
        await events.end()

    async def _next(self, events: Events, waiter: Waiter) -> Job | None:
        """The job after its next change; None where it is deleted, or nobody listens or tells any more."""
        clock = self._desk.clock
        while True:
            if not await waiter.change(clock.now() + BEAT_US):
                await events.beat()
                continue
            if waiter.left or waiter.ending:
                return None
            try:
                return await self._desk.call(self._desk.rows.find, waiter.job)
            except (SQLAlchemyError, Unavailable):
                await clock.sleep(_SOON * 1_000_000)
                waiter.again()


def _event(job: Job) -> bytes:
    return b"id: %d\nevent: %b\ndata: %b\n\n" % (job.version, job.state.encode(), encode(job_view(job)))


def _unended(job: Job) -> Response:
    reply = json_reply(job_view(job), 202)
    reply.headers["retry-after"] = str(_LATER if job.state == QUEUED else _SOON)
    reply.raw_headers.extend(pairs(answers.head_of(job.id, where=True)))
    return reply
