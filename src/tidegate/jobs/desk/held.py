"""A call that runs as a job while its client waits, and is answered as if it had been made at once.

`Prefer: respond-async` (RFC 7240, 4.1) is answered with 202 at once, or after the seconds that its `wait` allows. When
the deadline or the client goes first the job goes on.
"""

from contextlib import AbstractContextManager
from functools import partial
from typing import Final

from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tidegate.jobs.desk import answers, calls
from tidegate.jobs.desk.bodies import read
from tidegate.jobs.desk.caller import caller_of, owner_of
from tidegate.jobs.desk.desk import Desk, embedded_or
from tidegate.jobs.desk.errors import Fault, Refused, Unavailable
from tidegate.jobs.desk.gather import Gather
from tidegate.jobs.desk.handout import AnswerReply
from tidegate.jobs.desk.hold import Asked, hold_of
from tidegate.jobs.desk.prefer import preference
from tidegate.jobs.desk.replies import dialect_of, json_reply, pairs, said
from tidegate.jobs.desk.sse import Events
from tidegate.jobs.desk.submit import REPLAYED, Accepted, digest, once_of, submit
from tidegate.jobs.desk.views import job_view
from tidegate.jobs.desk.waiting import Left, end, present, silent
from tidegate.jobs.desk.watch import Watch
from tidegate.jobs.records import Job, NewJob
from tidegate.jobs.rows.names import tenant_name
from tidegate.jobs.rows.reading import Answer
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.call import Kind, Shape
from tidegate.model.handed import Requester
from tidegate.providers.answers.shapes import to_events
from tidegate.providers.codec import Said
from tidegate.providers.dialects import CODECS

PRIORITY: Final = 10  # somebody waits for it
BEAT_US: Final = 10_000_000
_OF_STREAMS: Final = (b"content-type", b"cache-control")  # a stream has its own
_APPLIED: Final = b"preference-applied: respond-async\r\n"


class SyncOverJob:
    """Takes such calls."""

    __slots__ = ("_desk", "_gather", "_watch")

    def __init__(self, gather: Gather, watch: Watch) -> None:
        self._desk = gather.desk
        self._gather = gather
        self._watch = watch

    async def take(self, request: Request) -> Response:
        """One call: a reply that is there when its job has ended. Raises `Refused`."""
        desk = self._desk
        caller, hold, path = caller_of(request), hold_of(request), request.scope["path"]
        kind = calls.kind_of(path)
        if hold is None or kind is None:
            raise Refused(Fault.NOT_FOUND, f"{path} is not answered here.")
        body = await read(request, desk.max_body_bytes)
        asked = Asked(
            hold=hold,
            kind=kind,
            shape=calls.shape_of(kind, body),
            dialect=dialect_of(request),
            prefer=preference(request.headers.getlist("prefer")),
            began=desk.clock.now(),
        )
        accepted = await submit(self._gather, caller, partial(_new_job, desk, request, caller, asked, body))
        if asked.prefer.asynchronous and not asked.prefer.wait_us:
            return later(accepted, _APPLIED)
        return HeldReply(desk, self._watch, accepted, asked)


def _new_job(desk: Desk, request: Request, caller: Requester, asked: Asked, body: bytes, job: str, wall: int) -> NewJob:
    scope, shape = request.scope, asked.shape
    query = scope["query_string"].decode("latin-1")
    target = f"{scope['path']}?{query}" if query else scope["path"]
    headers, tags = scope["headers"], caller.tags
    lines = calls.kept_lines(headers, request.headers.get("connection", "").encode("latin-1"))
    return NewJob(
        id=job,
        owner=owner_of(caller),
        path=target,
        body=calls.whole(body, shape),
        headers=lines + calls.tag_line(tags),
        model=shape.model,
        backend=embedded_or(asked.hold.backend),
        priority=PRIORITY,
        deadline_us=wall + desk.settings.deadline_us,
        tags=tags,
        once=once_of(headers),
        digest=digest(target, body),
        stream=asked.streams,
    )


def later(accepted: Accepted, head: bytes = b"") -> Response:
    """202: there is a job, and where."""
    reply = json_reply(job_view(accepted.job), 202)
    again = REPLAYED if accepted.again else b""
    reply.raw_headers.extend(pairs(answers.head_of(accepted.job.id, where=True) + head + again))
    return reply


class HeldReply(Response):
    """The reply to one held call, sent when there is something to send."""

    def __init__(self, desk: Desk, watch: Watch, accepted: Accepted, asked: Asked) -> None:
        self._desk = desk
        self._watch = watch
        self._accepted = accepted
        self._asked = asked
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Wait, then answer."""
        events = Events(send, tuple(pairs(self._head())))
        try:
            reply = await self._answer(events, receive)
            if reply is not None:
                await reply(scope, receive, send)
        except Left:
            return
        except (Unavailable, SQLAlchemyError) as error:
            await self._refuse(events, self._away(error))
        except Refused as refused:
            await self._refuse(events, refused)

    async def _refuse(self, events: Events, refused: Refused) -> None:
        if not events.begun:
            raise refused
        await self._fail(events, said(refused)[1])

    def _away(self, error: Exception) -> Refused:
        """There is a job: the same call once more would be another one."""
        job = self._accepted.job.id
        why = error.message if isinstance(error, Unavailable) else "The gate's database for jobs failed."
        message = f"{why} The call is the job {job}: ask for its answer at /v1/jobs/{job}/result."
        return Refused(Fault.UNAVAILABLE, message, head=answers.head_of(job, where=True))

    async def _answer(self, events: Events, receive: Receive) -> Response | None:
        """A reply, unless the answer has been said as events. Raises `Left`, `Refused`."""
        asked, job = self._asked, self._accepted.job
        beat = None if asked.prefer.asynchronous else events.beat if asked.streams else silent
        async with present(self._watch, job, receive) as waiter:
            told = await end(self._desk, waiter, asked.until, BEAT_US, beat)
        if told is None:
            return self._unended(job)
        answer = answers.answer_of(told)
        if asked.streams and answer.status == 200:
            await self._stream(events, answer)
            return None
        if not events.begun:
            return self._whole(answer)
        with self._room(answer.size):
            body = await self._desk.call(_body, self._desk.rows, answer)
            await self._fail(events, asked.dialect.error_of(body), body)
        return None

    def _room(self, size: int) -> AbstractContextManager[None]:
        return self._desk.budget.held(tenant_name(self._accepted.job.owner), size)

    def _unended(self, job: Job) -> Response:
        asked = self._asked
        if asked.prefer.asynchronous:
            return later(Accepted(job, self._accepted.again), _APPLIED)
        message = (
            f"The call was not answered within {asked.hold.deadline_ms} ms, and goes on as the job {job.id}: "
            f"ask for its answer at /v1/jobs/{job.id}/result instead of sending the call again."
        )
        raise Refused(Fault.DEADLINE, message, head=answers.head_of(job.id, where=True))

    def _whole(self, answer: Answer) -> Response:
        reply = AnswerReply(self._desk, self._accepted.job, answer)
        if self._accepted.again:
            reply.raw_headers.extend(pairs(REPLAYED))
        return reply

    async def _stream(self, events: Events, answer: Answer) -> None:
        """The answer as its maker would have streamed it."""
        asked = self._asked
        try:
            with self._room(answer.size):
                said_so = await self._desk.call(_events, self._desk.rows, answer, asked.kind, asked.shape)
        except ValueError as error:
            job = self._accepted.job.id
            message = f"The answer cannot be told as a stream ({error}); it is at /v1/jobs/{job}/result."
            raise Refused(Fault.UPSTREAM, message, head=answers.head_of(job, where=True)) from None
        lines = [pair for pair in answers.lines_of(answer) if pair[0] not in _OF_STREAMS]
        with self._room(len(said_so)):
            await events.begin((*lines, *pairs(self._head())))
            await events.say(said_so)
            await events.end()

    async def _fail(self, events: Events, error: Said, body: bytes = b"") -> None:
        """The stream has begun, so that an error can only be its last event."""
        says = CODECS[self._asked.kind].says
        known = body and self._asked.dialect.is_error_body(body)
        await events.say(says.raw_event(body) if known else says.error_event(error))
        await events.end()

    def _head(self) -> bytes:
        return answers.head_of(self._accepted.job.id) + (REPLAYED if self._accepted.again else b"")


def _events(rows: JobRows, answer: Answer, kind: Kind, shape: Shape) -> bytes:
    return b"".join(to_events(kind, _body(rows, answer), usage=shape.wants_usage))


def _body(rows: JobRows, answer: Answer) -> bytes:
    return answer.body if answer.whole else rows.answer_piece(answer.number, 0, answer.size)
